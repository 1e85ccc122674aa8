import { cidrLast, parseCidr } from '../../lib/cidr.ts';
import { formatIp, parseIp } from '../../lib/ip.ts';
import { type Frontend, frontendKey as keyText, type Protocol } from '../../routing/frontend.ts';
import { backendName, parseBackendName } from '../backend-name.ts';

/**
 * Keys and data of map elements. Fields are in network order, each padded to 4 bytes; numbers that travel in the packet
 * mark are in host order.
 *
 * ```
 * frontend    address 4|16 · protocol 1+3 · port 2+2        node port   protocol 1+3 · port 2+2
 * bucket      frontend · number 4                           backend     address 4|16 · port 2+2
 *
 * range       address 4|16 · protocol 1+3 · first port 2+2 … the same with the last port
 * its bucket  address 4|16 · protocol 1+3 · first port 4 · number 4      its backend   address 4|16
 * ```
 */

const protocolNumbers: Readonly<Record<Protocol, number>> = { TCP: 6, UDP: 17, SCTP: 132 };

/** From the pool: `Buffer.alloc` would make an allocation of its own for each of hundreds of thousands of keys. */
function zeroed(length: number): Buffer {
  return Buffer.allocUnsafe(length).fill(0);
}

function bytesOf(address: string): Uint8Array {
  const bytes = parseIp(address);
  if (bytes === undefined) throw new RangeError(`${address} is not an IP address`);
  return bytes;
}

/** The address for the kernel: 4 or 16 bytes. */
export function addressKey(address: string): Buffer {
  return Buffer.from(bytesOf(address));
}

/** An address twice: a connection that a backend makes to itself. */
export function hairpinKey(address: string): Buffer {
  const bytes = bytesOf(address);
  return Buffer.concat([bytes, bytes]);
}

export function frontendKey(frontend: Pick<Frontend, 'address' | 'port' | 'protocol'>): Buffer {
  const address = frontend.address === undefined ? new Uint8Array(0) : bytesOf(frontend.address);
  const key = zeroed(address.length + 8);
  key.set(address);
  key[address.length] = protocolNumbers[frontend.protocol];
  key.writeUInt16BE(frontend.port, address.length + 4);
  return key;
}

/** Last key of a range of ports; undefined for a single port. */
export function rangeEnd(frontend: Pick<Frontend, 'address' | 'lastPort' | 'protocol'>): Buffer | undefined {
  const { address, lastPort: port, protocol } = frontend;
  return port === undefined ? undefined : frontendKey({ address, port, protocol });
}

/** What the keys of a frontend's backends begin with: for a range its first port is a number in host order. */
export function backendsKey(frontend: Pick<Frontend, 'address' | 'port' | 'lastPort' | 'protocol'>): Buffer {
  const key = frontendKey(frontend);
  if (frontend.lastPort !== undefined) key.writeUInt32LE(frontend.port, key.length - 4);
  return key;
}

/** Inverse of `frontendKey`: undefined when the protocol is not one of ours. */
export function readFrontendKey(key: Buffer): { address?: string; port: number; protocol: Protocol } | undefined {
  const width = key.length - 8;
  const protocol = protocolOf(key[width] ?? 0);
  if (protocol === undefined) return undefined;
  const port = key.readUInt16BE(width + 4);
  return width === 0 ? { port, protocol } : { address: formatIp(key.subarray(0, width)), port, protocol };
}

/** What the element of a frontend says by its keys and its comment. */
export type Identity = Pick<
  Frontend,
  'key' | 'family' | 'address' | 'port' | 'lastPort' | 'protocol' | 'service' | 'portName'
>;

/** The comment of a frontend's element. */
export function identityComment({ service, portName }: Pick<Frontend, 'service' | 'portName'>): string {
  return portName === '' ? service : `${service}:${portName}`;
}

/** Undefined when the protocol is not one of ours. */
export function readIdentity(
  family: Frontend['family'],
  { key, keyEnd, comment = '' }: { readonly key: Buffer; readonly keyEnd?: Buffer; readonly comment?: string },
): Identity | undefined {
  const called = readFrontendKey(key);
  if (called === undefined) return undefined;
  const { address, port, protocol } = called;
  const [service = '', portName = ''] = comment.split(':');
  const lastPort = keyEnd && readFrontendKey(keyEnd)?.port;
  return {
    key: keyText(family, address, port, protocol),
    family,
    address,
    port,
    lastPort,
    protocol,
    service,
    portName,
  };
}

export function protocolOf(number: number): Protocol | undefined {
  return number === 6 ? 'TCP' : number === 17 ? 'UDP' : number === 132 ? 'SCTP' : undefined;
}

/** A frontend's key followed by a number in host order. */
export function numberedKey(frontend: Buffer, number: number): Buffer {
  const key = zeroed(frontend.length + 4);
  frontend.copy(key);
  key.writeUInt32LE(number, frontend.length);
  return key;
}

export function markData(number: number): Buffer {
  const data = zeroed(4);
  data.writeUInt32LE(number);
  return data;
}

/** Where a backend is; without its port for a range, whose connections keep theirs. */
export function backendData(name: string, isRange = false): Buffer {
  const { address, port } = parseBackendName(name);
  const bytes = bytesOf(address);
  if (isRange) return Buffer.from(bytes);
  const data = zeroed(bytes.length + 4);
  data.set(bytes);
  data.writeUInt16BE(port, bytes.length);
  return data;
}

/** Inverse of `backendData`; `rangePort` is what to call the port of a range's backends. */
export function readBackendData(data: Buffer, rangePort?: number): string {
  const width = rangePort === undefined ? data.length - 4 : data.length;
  return backendName({ address: formatIp(data.subarray(0, width)), port: rangePort ?? data.readUInt16BE(width) });
}

/** First and last key of one of a frontend's source ranges; `end` is the frontend's own last key. */
export function sourceRangeKeys(
  frontend: Buffer,
  end: Buffer,
  range: string,
): { readonly key: Buffer; keyEnd: Buffer } {
  const cidr = parseCidr(range);
  if (cidr === undefined) throw new RangeError(`${range} is not a CIDR`);
  return { key: Buffer.concat([frontend, cidr.base]), keyEnd: Buffer.concat([end, bytesOf(cidrLast(cidr))]) };
}

/** Start and first address after a range, as sets of single addresses want them; undefined end past the last address. */
export function cidrKeys(range: string): { readonly key: Buffer; readonly keyEnd: Buffer | undefined } {
  const cidr = parseCidr(range);
  if (cidr === undefined) throw new RangeError(`${range} is not a CIDR`);
  const end = Buffer.from(bytesOf(cidrLast(cidr)));
  for (let at = end.length - 1; at >= 0; at -= 1) {
    end[at] = ((end[at] ?? 0) + 1) & 0xff;
    if (end[at] !== 0) return { key: Buffer.from(cidr.base), keyEnd: end };
  }
  return { key: Buffer.from(cidr.base), keyEnd: undefined };
}
