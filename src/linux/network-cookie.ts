import { closeSync } from 'node:fs';
import { libc } from './libc.ts';

const AF_INET = 2;
const SOCK_DGRAM_CLOEXEC = 0o2000002;
const SOL_SOCKET = 1;
const SO_NETNS_COOKIE = 71;

/**
 * The number of the thread's network namespace, as bpf_get_netns_cookie() gives it: never used again while the machine
 * runs. Throws `SystemError` (ENOPROTOOPT before Linux 5.14).
 */
export function networkCookie(): bigint {
  const fd = libc().socket(AF_INET, SOCK_DGRAM_CLOEXEC, 0);
  try {
    return libc().getsockopt64(fd, SOL_SOCKET, SO_NETNS_COOKIE);
  } finally {
    closeSync(fd);
  }
}
