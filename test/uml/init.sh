#!/bin/sh
# First process of a User-Mode Linux kernel whose root is this machine's, read-only. Puts a layer of memory over it, so that
# everything is writable and nothing reaches the machine, then runs FOLDER/command with its output on the second console.
# FOLDER (its argument) is that of boot.ts; FOLDER/modules comes from modules.sh.
set -eu
folder=$1
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/root TERM=dumb
version=$(uname -r)
root=/run/root

mount -t proc proc /proc
mount -t tmpfs scratch /run
insmod "/usr/lib/uml/modules/$version/kernel/fs/overlayfs/overlay.ko"
mkdir /run/upper /run/work $root
mount -t overlay -o lowerdir=/,upperdir=/run/upper,workdir=/run/work overlay $root
mkdir -p $root/dev $root/run $root/old "$root/lib/modules"
rm -rf "$root/lib/modules/$version"
ln -s "$folder/modules/lib/modules/$version" "$root/lib/modules/$version"
cd $root
# Unlike chroot, this moves the kernel's own helpers too: it loads modules from the new root.
pivot_root . old
umount -l old/proc old

mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs run /run
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts pts /dev/pts
mount -t tmpfs shm /dev/shm

stty -F /dev/tty1 raw
modprobe ipv6
# As machines of an ordinary size have it: with what this memory alone would give, thousands of short connections fill it.
modprobe nf_conntrack hashsize=65536
echo 262144 >/proc/sys/net/netfilter/nf_conntrack_max
ip link set lo up
status=0
"$folder/command" </dev/null >/dev/tty1 2>&1 || status=$?
echo "fairlead-uml: ended with $status" >/dev/console
halt -f
