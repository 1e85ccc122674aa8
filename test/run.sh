#!/bin/sh
# `npm test`: installs what the tests need and runs all of them. Arguments are file paths (or parts of them) to run only
# those, and --update to rewrite snapshots.
set -eu
cd "$(dirname "$0")/.."
. test/node.sh
find_node with-dev

# Debian packages that tests use, each with a command or file that shows it is there.
needed() {
  command -v "$1" >/dev/null || [ -e "$1" ] || printf '%s ' "$2"
}
packages="$(needed nft nftables; needed dig dnsutils; needed curl curl; needed nsenter util-linux; needed ip iproute2; needed script bsdutils; needed kubectl kubernetes-client)"
if [ -n "$packages" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing Debian packages for the tests: $packages"
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages; } >/dev/null
fi

exec "$NODE" test/run.ts "$@"
