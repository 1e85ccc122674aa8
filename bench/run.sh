#!/bin/sh
# `npm run bench -- NAME [--json]`: one benchmark; without a name, all of them, and bench/REPORT.md is written.
# As root, everything runs in a network namespace of its own.
set -eu
cd "$(dirname "$0")/.."
. test/node.sh
. test/packages.sh
find_node with-dev
# The peers, and what carries IPVS.
install_missing nft=nftables ip=iproute2 kubectl=kubernetes-client dnsperf=dnsperf knotd=knot nsd=nsd unbound=unbound \
  dnsmasq=dnsmasq-base $uml_packages
if [ "$(id -u)" = 0 ]; then
  exec unshare --net --mount sh -c 'ip link set lo up && exec "$@"' sh "$NODE" --expose-gc bench/run.ts "$@"
fi
exec "$NODE" --expose-gc bench/run.ts "$@"
