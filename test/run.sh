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
packages="$(needed nft nftables; needed conntrack conntrack; needed dig dnsutils; needed curl curl; needed nsenter util-linux; needed ip iproute2; needed script bsdutils; needed kubectl kubernetes-client; needed iptables-legacy iptables; needed ipset ipset; needed clang clang; needed /usr/include/linux/bpf.h linux-libc-dev)"
# User-Mode Linux, and what builds its modules (test/uml/modules.sh).
if [ "$(uname -m)" = x86_64 ]; then
  packages="$packages$(needed linux.uml user-mode-linux; needed depmod kmod; needed ipvsadm ipvsadm; needed sctp_darn lksctp-tools; needed gcc gcc; needed make make; needed flex flex; needed bison bison; needed bc bc; needed xz xz-utils; needed /usr/include/stdio.h libc6-dev)"
fi
if [ -n "$packages" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing Debian packages for the tests: $packages"
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages; } >/dev/null
fi

exec "$NODE" test/run.ts "$@"
