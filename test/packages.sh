# Sourced by the runners of tests and benchmarks: `install_missing COMMAND=PACKAGE...` installs, when root on Debian, the
# packages of which the command (or the file) is not there. No service of theirs is started.

# User-Mode Linux, and what builds its modules (test/uml/modules.sh).
uml_packages=
if [ "$(uname -m)" = x86_64 ]; then
  uml_packages='linux.uml=user-mode-linux depmod=kmod ipvsadm=ipvsadm gcc=gcc make=make flex=flex bison=bison bc=bc xz=xz-utils /usr/include/stdio.h=libc6-dev'
fi

install_missing() {
  missing=
  for pair; do
    command -v "${pair%=*}" >/dev/null || [ -e "${pair%=*}" ] || missing="$missing ${pair#*=}"
  done
  if [ -z "$missing" ] || [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then return; fi
  echo "Installing Debian packages:$missing" >&2
  policy=/usr/sbin/policy-rc.d
  if [ -e "$policy" ]; then policy=; else printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy"; fi
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing; } >/dev/null || failed=$?
  if [ -n "$policy" ]; then rm -f "$policy"; fi
  return "${failed:-0}"
}
