import { closeSync, openSync } from 'node:fs';
import { libc } from './libc.ts';

const device = '/dev/net/tun';
const IFF_TUN = 0x0001;
const IFF_NO_PI = 0x1000;
/** `struct ifreq`: the name, then the flags. */
const requestSize = 40;
const nameSize = 16;

/** A link that lives as long as this process keeps it: the kernel takes it away, with its addresses, however that ends. */
export interface TunLink extends Disposable {
  readonly name: string;
}

/**
 * Makes a TUN link that carries addresses and no packets: what is routed to it is never read, and dropped by the kernel.
 * `pattern` is a name of at most 15 bytes, where the kernel puts a free number for `%d`. Throws Node's file error (ENOENT,
 * EACCES) or `SystemError` (EPERM without CAP_NET_ADMIN, ENODEV) where there are no such links.
 */
export function openTun(pattern: string): TunLink {
  const fd = openSync(device, 'r+');
  try {
    const request = Buffer.alloc(requestSize);
    request.write(pattern, 'latin1');
    request.writeUInt16LE(IFF_TUN | IFF_NO_PI, nameSize);
    libc().attachTun(fd, request);
    const name = request.toString('latin1', 0, request.indexOf(0));
    return { name, [Symbol.dispose]: () => closeSync(fd) };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}
