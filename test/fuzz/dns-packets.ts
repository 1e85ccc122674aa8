import type { ResourceRecord } from '../../src/dns/wire/message.ts';
import { nameFromLabels, nameKey } from '../../src/dns/wire/names.ts';
import type { Name } from '../../src/dns/wire/names.ts';
import { partsOfRdata, soaRdata, srvRdata } from '../../src/dns/wire/rdata.ts';
import { typeNumbers } from '../../src/dns/wire/types.ts';
import { mutateBytes } from './byte-mutations.ts';
import type { Random } from './random.ts';

const labels = ['www', 'cart', 'shop', 'svc', 'cluster', 'local', 'example', 'com', '_http', '_tcp', '*', 'A-b', 'x'];
const types = Object.values(typeNumbers);

/** A name: ordinary labels mostly, else with any bytes, or as long as it can be. */
export function randomName(random: Random): Name {
  const label = (): string => {
    if (!random.oneIn(8)) return random.pick(labels);
    const length = random.oneIn(4) ? 63 : 1 + random.below(12);
    return random.oneIn(2) ? 'l'.repeat(length) : random.bytes(length).toString('latin1');
  };
  const name = nameFromLabels(random.many(0, random.oneIn(16) ? 12 : 5, label));
  return name ?? '\0';
}

function text(random: Random): Buffer {
  const bytes = random.oneIn(8) ? random.bytes(random.below(256)) : Buffer.from(random.pick(labels));
  return Buffer.concat([Buffer.of(bytes.length), bytes]);
}

/** RDATA as a type wants it. */
function randomRdata(random: Random, type: number): Uint8Array {
  const name = (): Buffer => Buffer.from(randomName(random), 'latin1');
  const number = (): number => random.next() & 0xffff;
  const { A, AAAA, NS, CNAME, PTR, DNAME, SOA, MX, AFSDB, KX, SRV, TXT, SPF, HINFO, RP, NAPTR } = typeNumbers;
  switch (type) {
    case A:
      return random.bytes(4);
    case AAAA:
      return random.bytes(16);
    case NS:
    case CNAME:
    case PTR:
    case DNAME:
      return name();
    case SOA: {
      const [serial, refresh, retry, expire, minimum] = [0, 1, 2, 3, 4].map(() => random.next() & 0x7fffffff);
      return soaRdata(randomName(random), randomName(random), {
        serial: serial ?? 0,
        refresh: refresh ?? 0,
        retry: retry ?? 0,
        expire: expire ?? 0,
        minimum: minimum ?? 0,
      });
    }
    case MX:
    case AFSDB:
    case KX:
      return Buffer.concat([random.bytes(2), name()]);
    case SRV:
      return srvRdata(number(), number(), number(), randomName(random));
    case TXT:
    case SPF:
      return Buffer.concat(random.many(1, 3, () => text(random)));
    case HINFO:
      return Buffer.concat([text(random), text(random)]);
    case RP:
      return Buffer.concat([name(), name()]);
    case NAPTR:
      return Buffer.concat([random.bytes(4), text(random), text(random), text(random), name()]);
    default:
      return random.bytes(random.below(24));
  }
}

const common = [1, 1, 28, 33, 5, 6, 2, 12, 16, 15, 17, 13, 35, 39];

/** A record of any type but OPT. */
export function randomRecord(random: Random): ResourceRecord {
  const any = random.oneIn(8) ? random.pick(types) : random.pick(common);
  const type = any === typeNumbers.OPT ? typeNumbers.A : any;
  const ttl = random.oneIn(8) ? 0x7fffffff : random.below(86_400);
  return { name: randomName(random), type, class: 1, ttl, rdata: randomRdata(random, type) };
}

/** A record as text to compare: compressing may change the case of names, nothing else. */
export function withoutCase({ name, type, class: of, ttl, rdata }: ResourceRecord): string {
  const parts = partsOfRdata(type, rdata).map((part) =>
    'name' in part ? nameKey(part.name) : Buffer.from(part.bytes).toString('hex'),
  );
  return `${nameKey(name)} ${type} ${of} ${ttl} ${parts.join(' ')}`;
}

const optionCodes = [3, 5, 6, 7, 8, 9, 10, 10, 11, 12, 13, 14, 15, 20];
const optionLengths = [0, 2, 4, 7, 8, 8, 11, 12, 15, 16, 24, 24, 40, 41, 255, 600];

/** Options of EDNS, most of lengths that mean something. */
export function randomOptions(random: Random): Buffer {
  const one = (): Buffer => {
    const data = random.bytes(random.pick(optionLengths));
    const head = Buffer.alloc(4);
    head.writeUInt16BE(random.oneIn(16) ? random.next() & 0xffff : random.pick(optionCodes));
    head.writeUInt16BE(data.length, 2);
    return Buffer.concat([head, data]);
  };
  if (!random.oneIn(32)) return Buffer.concat(random.many(0, 3, one));
  const again = one();
  return Buffer.concat(Array<Buffer>(random.below(Math.min(250, 60_000 / again.length))).fill(again));
}

const sizes = [0, 511, 512, 513, 1232, 1233, 4096, 65_535];

/** A whole OPT record. */
export function randomOpt(random: Random): Buffer {
  const options = randomOptions(random);
  const head = Buffer.alloc(11);
  head.writeUInt16BE(typeNumbers.OPT, 1);
  head.writeUInt16BE(random.pick(sizes), 3);
  if (random.oneIn(16)) head.writeUInt16BE(random.next() & 0xffff, 5);
  if (random.oneIn(2)) head[7] = random.oneIn(4) ? random.next() : 0x80;
  head.writeUInt16BE(options.length, 9);
  return Buffer.concat([head, options]);
}

type Mutation = (random: Random, packet: Buffer, other: Buffer) => Buffer;

const mutations: readonly Mutation[] = [setCount, setFlags, setPointer, addOption, moveRecords];

/** Damages what makes a packet a message: counts, flags, pointers, options; or any bytes. */
export function mutatePacket(random: Random, packet: Buffer, other: Buffer): Buffer {
  return packet.length > 14 && random.oneIn(2)
    ? random.pick(mutations)(random, packet, other)
    : mutateBytes(random, packet, other);
}

function setCount(random: Random, packet: Buffer): Buffer {
  const copy = Buffer.from(packet);
  copy.writeUInt16BE(random.pick([0, 1, 1, 2, 3, 255, 65_535]), 4 + 2 * random.below(4));
  return copy;
}

function setFlags(random: Random, packet: Buffer): Buffer {
  const copy = Buffer.from(packet);
  copy.writeUInt16BE(copy.readUInt16BE(2) ^ (1 << random.below(16)), 2);
  return copy;
}

/** Puts a compression pointer somewhere: backwards, to itself, to before itself, forwards, or into the header. */
function setPointer(random: Random, packet: Buffer): Buffer {
  const copy = Buffer.from(packet);
  const at = 12 + random.below(copy.length - 13);
  const target = random.pick([12, 0, at, at - 2, at - 1, at + 2, 0x3fff, random.below(copy.length), random.below(at)]);
  copy.writeUInt16BE(0xc000 | (target & 0x3fff), at);
  if (!random.oneIn(8)) return copy;
  // A chain of pointers, each to the one before.
  const chain = Buffer.alloc(2 * (2 + random.below(random.oneIn(16) ? 8000 : 100)));
  for (let index = 0; index < chain.length; index += 2) {
    chain.writeUInt16BE(0xc000 | ((copy.length + Math.max(0, index - 2)) & 0x3fff), index);
  }
  return Buffer.concat([copy, chain]);
}

/** Adds an option to what looks like an OPT record, at its end. */
function addOption(random: Random, packet: Buffer): Buffer {
  const at = packet.lastIndexOf('\0\0\x29', packet.length, 'latin1');
  const options = randomOptions(random);
  if (at < 12 || at + 11 > packet.length) return Buffer.concat([packet, randomOpt(random)]);
  const length = packet.readUInt16BE(at + 9);
  const end = Math.min(packet.length, at + 11 + length);
  const copy = Buffer.concat([packet.subarray(0, end), options, packet.subarray(end)]);
  copy.writeUInt16BE((length + options.length + (random.oneIn(4) ? random.below(5) - 2 : 0)) & 0xffff, at + 9);
  return copy;
}

/** Takes records of another message, and their counts. */
function moveRecords(random: Random, packet: Buffer, other: Buffer): Buffer {
  if (other.length < 14) return packet;
  const at = 12 + random.below(other.length - 12);
  const copy = Buffer.concat([packet, other.subarray(at)]);
  copy.writeUInt16BE(Math.min(65_535, copy.readUInt16BE(10) + other.readUInt16BE(10)), 10);
  return copy;
}
