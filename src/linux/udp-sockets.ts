import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { parseIp } from '../lib/ip.ts';

/**
 * Whether another process has a UDP socket bound to exactly this address that takes datagrams from anyone. Looks into the
 * thread's network namespace. False where there is no `/proc`.
 */
export function isBoundByOthers(address: string, port: number): boolean {
  const bytes = parseIp(address);
  if (bytes === undefined) throw new RangeError(`"${address}" is no address`);
  const local = `${hexWords(bytes)}:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const rows = read(`/proc/thread-self/net/${bytes.length === 4 ? 'udp' : 'udp6'}`).split('\n');
  const bound = rows.map((row) => row.trim().split(/\s+/)).filter((row) => row[1] === local && isUnconnected(row[2]));
  if (bound.length === 0) return false;
  const own = ownSockets();
  return bound.some((row) => !own.has(row[9] ?? ''));
}

/** As the kernel prints addresses there: words of 4 bytes as numbers of the host, little-endian. */
function hexWords(bytes: Uint8Array): string {
  const words = Buffer.from(bytes);
  return words.swap32().toString('hex').toUpperCase();
}

function isUnconnected(remote = ''): boolean {
  return remote.endsWith(':0000');
}

/** Inodes of this process's sockets. */
function ownSockets(): ReadonlySet<string> {
  const links = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      // Closed meanwhile: the descriptor of this very listing is one.
      return '';
    }
  });
  return new Set(links.map((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? ''));
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
