#!/bin/sh
# `npm run fuzz -- [TARGET…] [--inputs N] [--seed N] [--save] [--json]`: gives parsers damaged inputs; all of them without a name.
set -eu
cd "$(dirname "$0")/../.."
. test/node.sh
find_node with-dev
exec "$NODE" --expose-gc test/fuzz/run.ts "$@"
