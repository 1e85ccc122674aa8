import type { Name } from './names.ts';
import { readName } from './names.ts';
import { typeNumbers } from './types.ts';

/**
 * RDATA is kept as wire bytes in which every domain name is whole. This table says where names are, which is what copying
 * records between packets needs, and how long addresses are: a name may have been compressed by a sender in the types of RFC 1035, and is
 * tolerated in a few others (RFC 3597 4). A number is that many bytes; `string` a character string; the rest follows.
 */
type Field = 'name' | 'string' | number;

const { A, AAAA, NS, MD, MF, CNAME, SOA, MB, MG, MR, PTR, MINFO, MX, RP, AFSDB, RT, PX, SRV, NAPTR, KX, DNAME } =
  typeNumbers;

const layouts = new Map<number, readonly Field[]>([
  [A, [4]],
  [AAAA, [16]],
  ...[NS, MD, MF, CNAME, MB, MG, MR, PTR, DNAME].map((type): [number, readonly Field[]] => [type, ['name']]),
  [SOA, ['name', 'name', 20]],
  [MINFO, ['name', 'name']],
  [MX, [2, 'name']],
  [RP, ['name', 'name']],
  [AFSDB, [2, 'name']],
  [RT, [2, 'name']],
  [PX, [2, 'name', 'name']],
  [SRV, [6, 'name']],
  [NAPTR, [4, 'string', 'string', 'string', 'name']],
  [KX, [2, 'name']],
]);

/** Types whose names a writer may compress: those that every reader knows (RFC 3597 4). */
const compressible = new Set<number>([NS, MD, MF, CNAME, SOA, MB, MG, MR, PTR, MINFO, MX]);

/** A piece of RDATA: a domain name or plain bytes. */
export type RdataPart = { readonly name: Name; readonly compressible: boolean } | { readonly bytes: Uint8Array };

/** RDATA from a packet, `[start, end)`, with its names made whole; undefined when it does not fit its type. */
export function readRdata(packet: Buffer, type: number, start: number, end: number): Uint8Array | undefined {
  const layout = layouts.get(type);
  if (layout === undefined) return Uint8Array.from(packet.subarray(start, end));
  const pieces: Uint8Array[] = [];
  let at = start;
  for (const field of layout) {
    if (field === 'name') {
      const read = readName(packet, at);
      if (read === undefined) return undefined;
      pieces.push(Buffer.from(read.name, 'latin1'));
      at = read.end;
    } else {
      const length = field === 'string' ? (packet[at] ?? 0) + 1 : field;
      pieces.push(packet.subarray(at, at + length));
      at += length;
    }
    if (at > end) return undefined;
  }
  return at === end ? Uint8Array.from(Buffer.concat(pieces)) : undefined;
}

/** Whether bytes are RDATA of a type with every name whole: what a zone file gives in hex, for one. */
export function isRdata(type: number, rdata: Uint8Array): boolean {
  const packet = Buffer.from(rdata.buffer, rdata.byteOffset, rdata.length);
  const read = readRdata(packet, type, 0, packet.length);
  return read !== undefined && packet.equals(read);
}

/** RDATA of a record cut into names and bytes, for a writer. Never fails: bytes that do not fit stay bytes. */
export function partsOfRdata(type: number, rdata: Uint8Array): RdataPart[] {
  const layout = layouts.get(type);
  if (layout === undefined) return [{ bytes: rdata }];
  const packet = Buffer.from(rdata.buffer, rdata.byteOffset, rdata.length);
  const parts: RdataPart[] = [];
  let at = 0;
  for (const field of layout) {
    const read = field === 'name' ? readName(packet, at) : undefined;
    if (read !== undefined) {
      parts.push({ name: read.name, compressible: compressible.has(type) });
      at = read.end;
    } else if (field !== 'name') {
      const length = field === 'string' ? (packet[at] ?? 0) + 1 : field;
      parts.push({ bytes: rdata.subarray(at, at + length) });
      at += length;
    }
  }
  if (at < rdata.length) parts.push({ bytes: rdata.subarray(at) });
  return parts;
}

/** RDATA that is one name: NS, CNAME, PTR. */
export function nameRdata(name: Name): Uint8Array {
  return Buffer.from(name, 'latin1');
}

/** The name that the RDATA of NS, CNAME, PTR or DNAME is. */
export function nameOfRdata(rdata: Uint8Array): Name {
  return Buffer.from(rdata.buffer, rdata.byteOffset, rdata.length).toString('latin1');
}

/** RDATA of SRV (RFC 2782). */
export function srvRdata(priority: number, weight: number, port: number, target: Name): Uint8Array {
  const bytes = Buffer.alloc(6 + target.length);
  bytes.writeUInt16BE(priority, 0);
  bytes.writeUInt16BE(weight, 2);
  bytes.writeUInt16BE(port, 4);
  bytes.write(target, 6, 'latin1');
  return bytes;
}

/** RDATA of TXT and HINFO: character strings, each at most 255 bytes. */
export function stringsRdata(strings: readonly string[]): Uint8Array {
  return Buffer.concat(
    strings.map((text) => {
      const bytes = Buffer.from(text, 'utf8');
      return Buffer.concat([Uint8Array.of(bytes.length), bytes]);
    }),
  );
}

/** The numbers of an SOA record (RFC 1035 3.3.13), times in seconds. */
export interface SoaNumbers {
  readonly serial: number;
  readonly refresh: number;
  readonly retry: number;
  readonly expire: number;
  /** TTL of negative answers (RFC 2308 4). */
  readonly minimum: number;
}

/** RDATA of SOA. */
export function soaRdata(mname: Name, rname: Name, numbers: SoaNumbers): Uint8Array {
  const { serial, refresh, retry, expire, minimum } = numbers;
  const tail = Buffer.alloc(20);
  for (const [index, value] of [serial, refresh, retry, expire, minimum].entries()) {
    tail.writeUInt32BE(value >>> 0, index * 4);
  }
  return Buffer.concat([Buffer.from(mname + rname, 'latin1'), tail]);
}

/** The numbers of SOA RDATA. */
export function soaNumbers(rdata: Uint8Array): SoaNumbers {
  const bytes = Buffer.from(rdata.buffer, rdata.byteOffset, rdata.length);
  const at = bytes.length - 20;
  return {
    serial: bytes.readUInt32BE(at),
    refresh: bytes.readUInt32BE(at + 4),
    retry: bytes.readUInt32BE(at + 8),
    expire: bytes.readUInt32BE(at + 12),
    minimum: bytes.readUInt32BE(at + 16),
  };
}
