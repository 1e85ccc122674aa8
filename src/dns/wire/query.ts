import type { Client } from '../client.ts';
import { optionCodes, readEdns } from './edns.ts';
import type { Edns } from './edns.ts';
import { nameKey, readName } from './names.ts';
import type { Name } from './names.ts';
import { classChaos, classIn, flags, rcodes, refusalOfType, typeNumbers } from './types.ts';
import type { TsigKey } from '../settings/settings.ts';

/** One question to this server. */
export interface Query {
  readonly id: number;
  readonly recursionDesired: boolean;
  readonly checkingDisabled: boolean;
  /** As asked, in the asker's case. */
  readonly name: Name;
  /** In lower case. */
  readonly key: Name;
  readonly type: number;
  readonly class: number;
  /** Bytes of the question section as asked: they are copied into the answer. */
  readonly question: Buffer;
  readonly edns: Edns | undefined;
  /** Of the zone that an IXFR question starts from. */
  readonly serial: number | undefined;
  /** The key that it was signed with, once that is known for certain. */
  readonly signedBy?: TsigKey;
  readonly client: Client;
  /** How many aliases led here: 0 for what was asked. */
  readonly depth: number;
}

/** A packet that gets no ordinary answer. */
export interface Refusal {
  /** Response code to send; `ignore` for packets that must get no answer at all. */
  readonly refuse: number | 'ignore';
  readonly id: number;
  /** What of the request's flags the refusal must repeat: opcode and RD. */
  readonly repeat: number;
  /** Bytes of the question, when it could be read. */
  readonly question?: Buffer;
  readonly edns?: Edns;
}

const opcodeMask = 0x7800;

/**
 * Reads a request. Never throws: garbage becomes a refusal. The question's bytes are a view of the packet; the caller
 * must be done with them before it uses the packet's memory again.
 */
export function readQuery(packet: Buffer, client: Client): Query | Refusal {
  if (packet.length < 12) return { refuse: 'ignore', id: 0, repeat: 0 };
  const word = packet.readUInt16BE(2);
  const id = packet.readUInt16BE(0);
  const repeat = word & (opcodeMask | flags.RD);
  // Answering answers would let two servers talk for ever.
  if ((word & flags.QR) !== 0) return { refuse: 'ignore', id, repeat };
  if ((word & opcodeMask) !== 0) return { refuse: rcodes.NOTIMP, id, repeat };
  const formErr: Refusal = { refuse: rcodes.FORMERR, id, repeat };
  if (packet.readUInt16BE(4) === 0) return readWithoutQuestion(packet, formErr);
  if (packet.readUInt16BE(4) !== 1 || packet.readUInt16BE(6) !== 0) return formErr;
  const read = readName(packet, 12);
  if (read === undefined || read.end + 4 > packet.length) return formErr;
  const question = packet.subarray(12, read.end + 4);
  // A pointer in the first name of a packet can only lead into the header.
  if (read.end - 12 !== read.name.length) return formErr;
  const type = packet.readUInt16BE(read.end);
  const soa = readAuthority(packet, read.end + 4, type);
  if (soa === 'malformed') return { ...formErr, question };
  const edns = readAdditional(packet, soa?.end ?? read.end + 4, packet.readUInt16BE(10));
  if (edns === 'malformed') return { ...formErr, question };
  const query: Query = {
    id,
    recursionDesired: (word & flags.RD) !== 0,
    checkingDisabled: (word & flags.CD) !== 0,
    name: read.name,
    key: nameKey(read.name),
    type,
    class: packet.readUInt16BE(read.end + 2),
    question,
    edns,
    serial: soa?.serial,
    client,
    depth: 0,
  };
  const refuse = whyRefused(query);
  return refuse === undefined ? query : { refuse, id, repeat, question, edns };
}

/** Without a question a packet can only ask for a server cookie (RFC 7873 5.4). */
function readWithoutQuestion(packet: Buffer, formErr: Refusal): Refusal {
  const edns = packet.readUInt32BE(6) === 0 ? readAdditional(packet, 12, packet.readUInt16BE(10)) : 'malformed';
  if (edns === undefined || edns === 'malformed') return formErr;
  if (edns.version !== 0) return { ...formErr, refuse: rcodes.BADVERS, edns };
  const asksForCookie = edns.options.some(({ code }) => code === optionCodes.cookie);
  return { ...formErr, refuse: asksForCookie ? rcodes.NOERROR : rcodes.FORMERR, edns };
}

/** What this server does not do at all. */
function whyRefused({ edns, class: of, type }: Query): number | undefined {
  if (edns !== undefined && edns.version !== 0) return rcodes.BADVERS;
  if (of !== classIn && of !== classChaos) return rcodes.REFUSED;
  return refusalOfType(type);
}

/** Only an IXFR question has something in its authority section: the SOA of what the asker has (RFC 1995 3). */
function readAuthority(
  packet: Buffer,
  start: number,
  type: number,
): { readonly serial: number; readonly end: number } | undefined | 'malformed' {
  const count = packet.readUInt16BE(8);
  if (count === 0) return undefined;
  const owner = readName(packet, start);
  if (count > 1 || type !== typeNumbers.IXFR || owner === undefined || owner.end + 10 > packet.length)
    return 'malformed';
  const end = owner.end + 10 + packet.readUInt16BE(owner.end + 8);
  const isSoa = packet.readUInt16BE(owner.end) === typeNumbers.SOA && end <= packet.length && end >= owner.end + 32;
  return isSoa ? { serial: packet.readUInt32BE(end - 20), end } : 'malformed';
}

/** EDNS of the additional section. A TSIG may follow it; other records have no place in a question. */
function readAdditional(packet: Buffer, start: number, count: number): Edns | undefined | 'malformed' {
  if (count > 2) return 'malformed';
  let at = start;
  let edns: Edns | undefined;
  for (let i = 0; i < count; i += 1) {
    const owner = readName(packet, at);
    if (owner === undefined || owner.end + 10 > packet.length) return 'malformed';
    const type = packet.readUInt16BE(owner.end);
    const end = owner.end + 10 + packet.readUInt16BE(owner.end + 8);
    if (end > packet.length) return 'malformed';
    if (type === typeNumbers.OPT) {
      if (edns !== undefined || owner.name !== '\0') return 'malformed';
      const rdata = packet.subarray(owner.end + 10, end);
      edns = readEdns(packet.readUInt16BE(owner.end + 2), packet.readUInt32BE(owner.end + 4), rdata);
      if (edns === undefined) return 'malformed';
    }
    at = end;
  }
  return edns;
}
