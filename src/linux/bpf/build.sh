#!/bin/sh
# Builds socket.bpf.o from socket.bpf.c with clang 14 (Debian 12); with an argument, there instead. The same source gives
# the same bytes on every machine: no debug information, no paths, no compiler's name.
set -eu
cd "$(dirname "$0")"
command -v clang >/dev/null || { echo "$0 needs clang (apt-get install clang libc6-dev linux-libc-dev)" >&2; exit 1; }
exec clang --target=bpfel -mcpu=v3 -O2 -g0 -fno-ident -fno-addrsig -Wall -Wextra -Werror -nostdinc \
  -isystem "$(clang -print-resource-dir)/include" -isystem "/usr/include/$(uname -m)-linux-gnu" -isystem /usr/include \
  -c socket.bpf.c -o "${1:-socket.bpf.o}"
