#!/bin/sh
# `npm run check`: types, lint, format, repository rules, unit tests, dead code. Seconds, not minutes.
set -eu
cd "$(dirname "$0")/.."
. test/node.sh
find_node with-dev
step() {
  printf '%s\n' "== $1"
  shift
  "$@"
}
step types "$NODE" node_modules/typescript/bin/tsc --noEmit
step lint "$NODE" node_modules/oxlint/bin/oxlint --quiet
step format "$NODE" node_modules/oxfmt/bin/oxfmt --check
step 'dead code' "$NODE" node_modules/knip/bin/knip.js --no-progress
step 'unit tests' "$NODE" --test --test-reporter=dot $(find src test/repo test/conformance test/fuzz bench examples -name '*.test.ts' ! -name '*.netns.test.ts' ! -name '*.uml.test.ts' | sort)
