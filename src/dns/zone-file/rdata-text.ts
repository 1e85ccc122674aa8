import { parseIp } from '../../lib/ip.ts';
import { parseName } from '../wire/names.ts';
import type { Name } from '../wire/names.ts';
import { isRdata } from '../wire/rdata.ts';
import { typeName, typeNumbers } from '../wire/types.ts';
import { serviceParameters } from './service-parameters.ts';
import { unescape } from './words.ts';
import type { Word } from './words.ts';

/**
 * How the words of a type's presentation format become bytes. `strings`, `hex`, `base64`, `text` and `parameters` take all
 * the words that are left; `text` is bytes without a length.
 */
type Field =
  | 'ip4'
  | 'ip6'
  | 'name'
  | 'u8'
  | 'u16'
  | 'u32'
  | 'time'
  | 'string'
  | 'strings'
  | 'hex'
  | 'base64'
  | 'text'
  | 'parameters';

const t = typeNumbers;

const layouts = new Map<number, readonly Field[]>([
  [t.A, ['ip4']],
  [t.AAAA, ['ip6']],
  ...[t.NS, t.CNAME, t.PTR, t.DNAME].map((type): [number, readonly Field[]] => [type, ['name']]),
  ...[t.MX, t.AFSDB, t.KX, t.RT].map((type): [number, readonly Field[]] => [type, ['u16', 'name']]),
  ...[t.TXT, t.SPF].map((type): [number, readonly Field[]] => [type, ['strings']]),
  ...[t.TLSA, t.SMIMEA].map((type): [number, readonly Field[]] => [type, ['u8', 'u8', 'u8', 'hex']]),
  ...[t.SVCB, t.HTTPS].map((type): [number, readonly Field[]] => [type, ['u16', 'name', 'parameters']]),
  [t.HINFO, ['string', 'string']],
  [t.RP, ['name', 'name']],
  [t.SRV, ['u16', 'u16', 'u16', 'name']],
  [t.SOA, ['name', 'name', 'u32', 'time', 'time', 'time', 'time']],
  [t.CAA, ['u8', 'string', 'text']],
  [t.NAPTR, ['u16', 'u16', 'string', 'string', 'string', 'name']],
  [t.SSHFP, ['u8', 'u8', 'hex']],
  [t.DS, ['u16', 'u8', 'u8', 'hex']],
  [t.DNSKEY, ['u16', 'u8', 'u8', 'base64']],
  [t.URI, ['u16', 'u16', 'text']],
]);

/** Why words are no RDATA. */
export interface Mistake {
  readonly mistake: string;
}

/** RDATA from presentation format; every type also in the form `\# length hex` (RFC 3597 5). */
export function rdataFromText(type: number, words: readonly Word[], origin: Name): Uint8Array | Mistake {
  if (words[0]?.text === '\\#') return unknownRdata(type, words.slice(1));
  const layout = layouts.get(type);
  if (layout === undefined) return { mistake: 'this type is only taken in the form \\# LENGTH HEX' };
  const pieces: Uint8Array[] = [];
  const left = [...words];
  for (const field of layout) {
    const piece = isRest(field) ? restOf(field, left.splice(0)) : fieldFrom(field, left.shift(), origin);
    if ('mistake' in piece) return piece;
    pieces.push(piece);
  }
  return left.length > 0 ? { mistake: `"${left[0]?.text}" is one word too many` } : Buffer.concat(pieces);
}

function isRest(field: Field): boolean {
  return field === 'strings' || field === 'hex' || field === 'base64' || field === 'text' || field === 'parameters';
}

/** A name as written: relative to the origin unless it ends with a dot; `@` is the origin. */
export function nameFromText(text: string, origin: Name): Name | undefined {
  if (text === '@') return origin;
  const name = parseName(Buffer.from(text, 'latin1').toString('utf8'));
  if (name === undefined || text === '.' || /(?:^|[^\\])(?:\\\\)*\.$/.test(text)) return name;
  const whole = name.slice(0, -1) + origin;
  return whole.length > 255 ? undefined : whole;
}

/** `3600` or `1h30m`: seconds, at most `most`; undefined for anything else. A TTL has 31 bits (RFC 2181 8). */
export function secondsFromText(text: string, most = 0x7fffffff): number | undefined {
  if (/^\d+$/.test(text)) return Number(text) <= most ? Number(text) : undefined;
  if (!/^(\d+[wdhms])+$/i.test(text)) return undefined;
  const units: Readonly<Record<string, number>> = { w: 604_800, d: 86_400, h: 3600, m: 60, s: 1 };
  const parts = [...text.toLowerCase().matchAll(/(\d+)([wdhms])/g)];
  const seconds = parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (units[unit ?? ''] ?? 0), 0);
  return seconds <= most ? seconds : undefined;
}

function fieldFrom(field: Field, word: Word | undefined, origin: Name): Uint8Array | Mistake {
  if (word === undefined) return { mistake: `a value is missing (${describe(field)})` };
  const bytes = bytesOf(field, word, origin);
  return bytes ?? { mistake: `"${word.text}" is no ${describe(field)}` };
}

const descriptions: Readonly<Partial<Record<Field, string>>> = {
  ip4: 'IPv4 address',
  ip6: 'IPv6 address',
  u8: 'number from 0 to 255',
  u16: 'number from 0 to 65535',
  u32: 'number of 32 bits',
  time: 'time in seconds',
  string: 'text of at most 255 bytes',
};

function describe(field: Field): string {
  return descriptions[field] ?? field;
}

function bytesOf(field: Field, word: Word, origin: Name): Uint8Array | undefined {
  switch (field) {
    case 'ip4':
    case 'ip6': {
      const bytes = parseIp(word.text);
      return bytes?.length === (field === 'ip4' ? 4 : 16) ? bytes : undefined;
    }
    case 'name': {
      const name = nameFromText(word.text, origin);
      return name === undefined ? undefined : Buffer.from(name, 'latin1');
    }
    case 'time': {
      const seconds = secondsFromText(word.text, 0xffffffff);
      return seconds === undefined ? undefined : numberBytes(seconds, 4);
    }
    case 'string':
      return characterString(word);
    default:
      return readNumber(word.text, { u8: 1, u16: 2, u32: 4 }[field as 'u8' | 'u16' | 'u32']);
  }
}

function readNumber(text: string, width: number): Uint8Array | undefined {
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return number < 2 ** (8 * width) ? numberBytes(number, width) : undefined;
}

function numberBytes(number: number, width: number): Uint8Array {
  const bytes = Buffer.alloc(width);
  bytes.writeUIntBE(number, 0, width);
  return bytes;
}

function characterString(word: Word): Uint8Array | undefined {
  const text = unescape(word.text);
  if (text === undefined || text.length > 255) return undefined;
  return Buffer.from(String.fromCharCode(text.length) + text, 'latin1');
}

function restOf(field: Field, words: readonly Word[]): Uint8Array | Mistake {
  if (field === 'parameters') return serviceParameters(words.map(({ text }) => unescape(text) ?? ''));
  if (words.length === 0) return { mistake: 'a value is missing' };
  if (field === 'strings') {
    const strings = words.map(characterString);
    const wrong = strings.indexOf(undefined);
    if (wrong >= 0) return { mistake: `"${words[wrong]?.text}" is no ${describe('string')}` };
    return Buffer.concat(strings.filter((each) => each !== undefined));
  }
  const joined = words.map(({ text }) => text).join('');
  if (field === 'text') return Buffer.from(unescape(joined) ?? '', 'latin1');
  const isValid = field === 'hex' ? /^([0-9a-f]{2})+$/i.test(joined) : /^[A-Za-z0-9+/]+={0,2}$/.test(joined);
  return isValid ? Buffer.from(joined, field === 'hex' ? 'hex' : 'base64') : { mistake: `"${joined}" is no ${field}` };
}

function unknownRdata(type: number, words: readonly Word[]): Uint8Array | Mistake {
  const [length, ...hex] = words.map(({ text }) => text);
  const bytes = Buffer.from(hex.join(''), 'hex');
  const isWhole =
    /^\d+$/.test(length ?? '') && Number(length) === bytes.length && hex.join('').length === bytes.length * 2;
  if (!isWhole) return { mistake: '\\# needs the length and as many bytes in hex' };
  return isRdata(type, bytes) ? bytes : { mistake: `${typeName(type)} has no such data` };
}
