import { formatIp } from '../lib/ip.ts';
import { extendedErrorsOf } from './wire/edns.ts';
import type { Edns } from './wire/edns.ts';
import type { Message, Question, ResourceRecord } from './wire/message.ts';
import { formatName } from './wire/names.ts';
import { partsOfRdata, soaNumbers } from './wire/rdata.ts';
import { className, flags, opcodeName, rcodeName, typeName, typeNumbers } from './wire/types.ts';

/** A record as in a zone file: `cart.shop.svc.cluster.local. 5 IN A 10.96.0.1`, columns separated by `separator`. */
export function formatRecord(record: ResourceRecord, separator = '\t'): string {
  const { name, ttl, type } = record;
  return [formatName(name), ttl, className(record.class), typeName(type), formatRdata(record)].join(separator);
}

/** RDATA in presentation format; `\# length hex` for types without one here (RFC 3597 5). */
export function formatRdata({ type, rdata }: Pick<ResourceRecord, 'type' | 'rdata'>): string {
  switch (type) {
    case typeNumbers.A:
      return rdata.length === 4 ? formatIp(rdata) : formatUnknown(rdata);
    case typeNumbers.AAAA:
      return rdata.length === 16 ? formatIp(rdata) : formatUnknown(rdata);
    case typeNumbers.TXT:
    case typeNumbers.SPF:
      return formatStrings(rdata, 1, rdata.length) ?? formatUnknown(rdata);
    case typeNumbers.HINFO:
      return formatStrings(rdata, 2, 2) ?? formatUnknown(rdata);
    case typeNumbers.SOA:
      return formatSoa(rdata);
    case typeNumbers.SRV:
    case typeNumbers.MX:
    case typeNumbers.NS:
    case typeNumbers.CNAME:
    case typeNumbers.PTR:
    case typeNumbers.DNAME:
    case typeNumbers.AFSDB:
    case typeNumbers.KX:
    case typeNumbers.RP:
      return formatNamesAndNumbers(type, rdata);
    default:
      return formatUnknown(rdata);
  }
}

function formatUnknown(rdata: Uint8Array): string {
  return `\\# ${rdata.length} ${Buffer.from(rdata).toString('hex')}`.trimEnd();
}

/** Names as they are, other bytes as 16-bit numbers. */
function formatNamesAndNumbers(type: number, rdata: Uint8Array): string {
  return partsOfRdata(type, rdata)
    .flatMap((part): (string | number)[] => ('name' in part ? [formatName(part.name)] : wordsOf(part.bytes)))
    .join(' ');
}

function wordsOf(bytes: Uint8Array): number[] {
  const words: number[] = [];
  for (let at = 0; at + 1 < bytes.length; at += 2) words.push(((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0));
  return words;
}

function formatSoa(rdata: Uint8Array): string {
  const names = partsOfRdata(typeNumbers.SOA, rdata).flatMap((part) => ('name' in part ? [formatName(part.name)] : []));
  if (names.length !== 2 || rdata.length < 22) return formatUnknown(rdata);
  const { serial, refresh, retry, expire, minimum } = soaNumbers(rdata);
  return [...names, serial, refresh, retry, expire, minimum].join(' ');
}

/** Character strings, if there are so many. */
function formatStrings(rdata: Uint8Array, least: number, most: number): string | undefined {
  const texts: string[] = [];
  for (let at = 0; at < rdata.length;) {
    const end = at + 1 + (rdata[at] ?? 0);
    if (end > rdata.length) return undefined;
    const text = Buffer.from(rdata.subarray(at + 1, end)).toString('latin1');
    texts.push(`"${text.replaceAll(/[^ -~]|["\\]/g, escapeByte)}"`);
    at = end;
  }
  return texts.length < least || texts.length > most ? undefined : texts.join(' ');
}

function escapeByte(char: string): string {
  return char === '"' || char === '\\' ? `\\${char}` : `\\${String(char.charCodeAt(0)).padStart(3, '0')}`;
}

/** A message as dig prints one, without the times and addresses of the query. */
export function formatMessage(message: Message): string[] {
  const { questions, answers, authorities, additionals, edns } = message;
  const extra = additionals.length + (edns === undefined ? 0 : 1);
  const opcode = opcodeName((message.flags >> 11) & 15);
  return [
    `;; ->>HEADER<<- opcode: ${opcode}, status: ${rcodeName(message.rcode)}, id: ${message.id}`,
    `;; flags: ${flagNames(message.flags).join(' ')}; QUERY: ${questions.length}, ANSWER: ${answers.length}, ` +
      `AUTHORITY: ${authorities.length}, ADDITIONAL: ${extra}`,
    ...(edns === undefined ? [] : ['', ';; OPT PSEUDOSECTION:', ...formatEdns(edns)]),
    ...section('QUESTION', questions.map(formatQuestion)),
    ...section(
      'ANSWER',
      answers.map((record) => formatRecord(record)),
    ),
    ...section(
      'AUTHORITY',
      authorities.map((record) => formatRecord(record)),
    ),
    ...section(
      'ADDITIONAL',
      additionals.map((record) => formatRecord(record)),
    ),
  ];
}

function section(name: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', `;; ${name} SECTION:`, ...lines];
}

function formatQuestion({ name, type, class: of }: Question): string {
  return `;${formatName(name)}\t\t${className(of)}\t${typeName(type)}`;
}

function flagNames(word: number): string[] {
  const names = ['QR', 'AA', 'TC', 'RD', 'RA', 'AD', 'CD'] as const;
  return names.filter((name) => (word & flags[name]) !== 0).map((name) => name.toLowerCase());
}

function formatEdns(edns: Edns): string[] {
  const errors = extendedErrorsOf(edns.options);
  return [
    `; EDNS: version: ${edns.version}, flags:${edns.dnssecOk ? ' do' : ''}; udp: ${edns.udpSize}`,
    ...errors.map(
      ({ code, text }) => `; EDE: ${code}${text === '' ? '' : `: (${text.replaceAll(/\p{Cc}/gu, escapeByte)})`}`,
    ),
  ];
}
