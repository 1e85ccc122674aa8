#!/bin/sh
# `npm test`: installs what the tests need and runs all of them. Arguments are file paths (or parts of them) to run only
# those, and --update to rewrite snapshots.
set -eu
cd "$(dirname "$0")/.."
. test/node.sh
. test/packages.sh
find_node with-dev

install_missing nft=nftables conntrack=conntrack dig=dnsutils curl=curl nsenter=util-linux ip=iproute2 script=bsdutils \
  kubectl=kubernetes-client iptables-legacy=iptables ipset=ipset clang=clang /usr/include/linux/bpf.h=linux-libc-dev \
  sctp_darn=lksctp-tools knotd=knot nsd=nsd $uml_packages

exec "$NODE" test/run.ts "$@"
