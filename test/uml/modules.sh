#!/bin/sh
# Makes the module folder for Debian's User-Mode Linux kernel: sh modules.sh TARGET
#
# That kernel is built without nftables for IPv4 and IPv6, so its nftables modules are built again with both, from the
# Debian source package of exactly its version and with its own configuration (linux.uml --showconfig); everything else
# is the package's own. Takes half a minute, once: TARGET/lib/modules/VERSION is complete or absent. Nothing else stays.
set -eu
target=$1
version=$(ls /usr/lib/uml/modules | head -n 1)
packaged=/usr/lib/uml/modules/$version
if [ -d "$target/lib/modules/$version" ]; then exit 0; fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

download() {
  package=$(apt-cache madison linux-source-6.1 | awk -v v="$version-" '$1 == "linux-source-6.1" && index($3, v) == 1 { print $3; exit }')
  [ -n "$package" ] && apt-get download -qq "linux-source-6.1=$package" 2>download.log
}
download || { apt-get update -qq && download; } || {
  echo "no linux-source-6.1 $version among the Debian packages of this machine" >&2
  cat download.log >&2
  exit 1
}
dpkg-deb --fsys-tarfile linux-source-6.1_*.deb | tar -xO ./usr/src/linux-source-6.1.tar.xz | xz -dc -T0 |
  tar -x --strip-components=1 --wildcards '*/Kconfig*' '*/Makefile*' '*/Kbuild*' '*/include/*' '*/scripts/*' \
    '*/arch/um/*' '*/arch/x86/*' '*/net/*netfilter/*' '*/kernel/bounds.c' '*/kernel/time/timeconst.bc'

linux.uml --showconfig >.config
for option in NF_TABLES_IPV4=y NF_TABLES_IPV6=y NFT_NAT=m NFT_FIB_IPV4=m NFT_FIB_IPV6=m DEBUG_INFO=n LOCALVERSION_AUTO=n; do
  scripts/config --set-val "${option%=*}" "${option#*=}"
done
build() { make -s ARCH=um -j"$(nproc)" KBUILD_MODPOST_WARN=1 "$@" >>build.log 2>&1 || { tail -n 40 build.log >&2; exit 1; }; }
build olddefconfig
build modules_prepare
: >Module.symvers
build M=net/netfilter nf_tables.ko nft_chain_nat.ko nft_nat.ko nft_masq.ko nft_fib.ko nft_reject.ko nft_ct.ko \
  nft_hash.ko nft_numgen.ko nft_limit.ko nft_log.ko
build M=net/ipv4/netfilter nft_fib_ipv4.ko nft_reject_ipv4.ko
build M=net/ipv6/netfilter nft_fib_ipv6.ko nft_reject_ipv6.ko

made=$work/made/lib/modules/$version
mkdir -p "$made/updates"
cp net/*netfilter/*.ko net/*/netfilter/*.ko "$made/updates/"
cp "$packaged"/modules.builtin* "$packaged/modules.order" "$made/"
ln -s "$packaged/kernel" "$made/kernel"
depmod -b "$work/made" "$version"
mkdir -p "$target/lib/modules"
mv -T "$made" "$target/lib/modules/$version" 2>/dev/null || [ -d "$target/lib/modules/$version" ]
