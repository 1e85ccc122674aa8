import { closeSync } from 'node:fs';
import { isErrno } from './errno.ts';
import { libc } from './libc.ts';

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 0o2000003;
const NETLINK_ROUTE = 0;
const MSG_DONTWAIT = 0x40;
/** Groups of notices about links, IPv4 and IPv6 addresses (linux/rtnetlink.h). */
const groups = 0x1 | 0x10 | 0x100;

/**
 * Calls `changed` on the event loop after links or addresses of the thread's network namespace changed: what did is for
 * the caller to find out. Costs nothing while nothing happens. Returns a function that ends it.
 */
export function watchLinksAndAddresses(changed: () => void): () => void {
  const fd = libc().socket(AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_ROUTE);
  const address = Buffer.alloc(12);
  address.writeUInt16LE(AF_NETLINK, 0);
  address.writeUInt32LE(groups, 8);
  libc().bind(fd, address);
  const stop = libc().pollReadable(fd, () => {
    drain(fd);
    changed();
  });
  return () => {
    stop();
    closeSync(fd);
  };
}

/** Reads what is queued. Notices that found no room are lost, which is a notice too. */
function drain(fd: number): void {
  const into = Buffer.allocUnsafe(32 * 1024);
  for (;;) {
    try {
      libc().recv(fd, into, MSG_DONTWAIT);
    } catch (error) {
      if (isErrno(error, 'ENOBUFS')) continue;
      if (isErrno(error, 'EAGAIN')) return;
      throw error;
    }
  }
}
