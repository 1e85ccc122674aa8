import { parseCidr } from '../../lib/cidr.ts';
import { familyOf } from '../../lib/ip.ts';
import type { SocketAddress } from '../config.ts';
import { nameKey, parseName } from '../wire/names.ts';
import { rcodes, typeNumber } from '../wire/types.ts';
import { isTranslationPrefix } from '../dns64.ts';
import { SettingsError } from './settings-error.ts';

/** A word of a settings file, with where it stands. */
export interface Word {
  readonly text: string;
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

/** Readers of single words. Each throws SettingsError that names the word and what it should be. */

export function wrong(word: Word, what: string): SettingsError {
  return new SettingsError(word.file, word.line, what);
}

export function readNumber(word: Word, least: number, most: number): number {
  const number = /^\d+$/.test(word.text) ? Number(word.text) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw wrong(word, `"${word.text}" is no whole number from ${least} to ${most}`);
}

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Seconds: as long as a TTL can be. */
const longestSeconds = 0x7fffffff;

/** `5s`, `1m30s`, `500ms`: whole milliseconds. A bare number counts seconds where `bareSeconds` allows it. */
export function readDuration(word: Word, bareSeconds = false): number {
  if (bareSeconds && /^\d+$/.test(word.text)) return readNumber(word, 0, longestSeconds) * 1000;
  const parts = [...word.text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== word.text) {
    throw wrong(word, `"${word.text}" is no duration like 5s or 1m30s`);
  }
  const ms = parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (units[unit ?? ''] ?? 0), 0);
  if (ms > longestSeconds * 1000) throw wrong(word, `"${word.text}" is longer than ${longestSeconds} seconds`);
  return Math.round(ms);
}

/** `:9153`, `localhost:8080`, `10.0.0.1`, `[fd00::1]:53`; without an address every IPv4 one. */
export function readAddress(word: Word, defaultPort: number): SocketAddress {
  const text = word.text.replace(/^localhost(?=:|$)/, '127.0.0.1');
  const [, bracketed, plain, portText] = /^(?:\[([^\]]+)\]|([^:]*|[^:]*:[^:]*:.*?))(?::(\d+))?$/.exec(text) ?? [];
  const address = bracketed ?? (plain === '' ? '0.0.0.0' : plain) ?? '';
  const port = portText === undefined ? defaultPort : Number(portText);
  if (familyOf(address) === undefined || port > 65_535) {
    throw wrong(word, `"${word.text}" is no address like 127.0.0.1:${defaultPort}`);
  }
  return { address, port };
}

/** A zone without its last dot; `.` stays. */
export function readZone(word: Word): string {
  const name = nameKey(word.text);
  if (parseName(name) === undefined) throw wrong(word, `"${word.text}" is no zone`);
  return name === '.' ? name : name.replace(/\.$/, '');
}

/** Zones, or those of the server when none are given. */
export function readZones(words: readonly Word[], ofServer: readonly string[]): readonly string[] {
  return words.length === 0 ? ofServer : words.map(readZone);
}

export function readCidr(word: Word): string {
  const text = word.text.includes('/') ? word.text : `${word.text}/${familyOf(word.text) === 'IPv6' ? 128 : 32}`;
  const cidr = parseCidr(text);
  if (cidr === undefined) throw wrong(word, `"${word.text}" is no range like 10.0.0.0/8`);
  return cidr.text;
}

/** A record type by its name, in upper case; `ANY` stands for all. */
export function readType(word: Word): string {
  if (typeNumber(word.text) === undefined) throw wrong(word, `"${word.text}" is no record type`);
  return word.text.toUpperCase();
}

/** A prefix that IPv4 addresses are put behind (RFC 6052 2.2). */
export function readPrefix(word: Word): string {
  const prefix = readCidr(word);
  if (!isTranslationPrefix(prefix))
    throw wrong(word, `"${word.text}" is no IPv6 prefix of 32, 40, 48, 56, 64 or 96 bits`);
  return prefix;
}

/** A response code by its name, in upper case. */
export function readRcode(word: Word): string {
  const name = word.text.toUpperCase();
  if (!Object.hasOwn(rcodes, name)) throw wrong(word, `"${word.text}" is no response code`);
  return name;
}

export function readChoice<C extends string>(word: Word, choices: readonly C[]): C {
  const found = choices.find((choice) => choice === word.text);
  if (found === undefined) throw wrong(word, `"${word.text}" is none of ${choices.join(', ')}`);
  return found;
}

/** Checks that an expression is one; Go's `(?P<name>` and a leading `(?i)` are taken too: names have no case here. */
export function readExpression(word: Word): string {
  const text = word.text.replace(/^\(\?i\)/, '').replaceAll('(?P<', '(?<');
  // Go has them, and here they would mean something else.
  const [foreign] = /\[\[:\^?\w+:\]|(?<!\\)(?:\\\\)*\\[AzQECpP]/.exec(text) ?? [];
  if (foreign !== undefined) throw wrong(word, `"${word.text}" has "${foreign}", which expressions do not know here`);
  try {
    return new RegExp(text).source;
  } catch {
    throw wrong(word, `"${word.text}" is no regular expression`);
  }
}
