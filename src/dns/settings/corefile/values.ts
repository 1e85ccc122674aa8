import { parseCidr } from '../../../lib/cidr.ts';
import { familyOf } from '../../../lib/ip.ts';
import type { SocketAddress } from '../../config.ts';
import { parseName } from '../../wire/names.ts';
import { typeNumber } from '../../wire/types.ts';
import { SettingsError } from '../settings-error.ts';
import type { Directive } from './blocks.ts';
import type { Token } from './tokens.ts';

/** Readers of single words. Each throws SettingsError that names the word and what it should be. */

export function wrong(token: Token, what: string): SettingsError {
  return new SettingsError(token.file, token.line, what);
}

/** The one argument of a directive. */
export function onlyArgument({ name, args }: Directive): Token {
  const [only, more] = args;
  if (only === undefined || more !== undefined) throw wrong(name, `${name.text} takes one value`);
  return only;
}

export function readNumber(token: Token, least: number, most: number): number {
  const number = /^\d+$/.test(token.text) ? Number(token.text) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw wrong(token, `"${token.text}" is no whole number from ${least} to ${most}`);
}

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** `5s`, `1m30s`, `500ms`: milliseconds. A bare number counts seconds where `bareSeconds` allows it. */
export function readDuration(token: Token, bareSeconds = false): number {
  if (bareSeconds && /^\d+$/.test(token.text)) return Number(token.text) * 1000;
  const parts = [...token.text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== token.text) {
    throw wrong(token, `"${token.text}" is no duration like 5s or 1m30s`);
  }
  return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (units[unit ?? ''] ?? 0), 0);
}

/** `:9153`, `localhost:8080`, `10.0.0.1`, `[fd00::1]:53`; without an address every IPv4 one. */
export function readAddress(token: Token, defaultPort: number): SocketAddress {
  const text = token.text.replace(/^localhost(?=:|$)/, '127.0.0.1');
  const [, bracketed, plain, portText] = /^(?:\[([^\]]+)\]|([^:]*|[^:]*:[^:]*:.*?))(?::(\d+))?$/.exec(text) ?? [];
  const address = bracketed ?? (plain === '' ? '0.0.0.0' : plain) ?? '';
  const port = portText === undefined ? defaultPort : Number(portText);
  if (familyOf(address) === undefined || port > 65_535) {
    throw wrong(token, `"${token.text}" is no address like 127.0.0.1:${defaultPort}`);
  }
  return { address, port };
}

/** A zone without its last dot; `.` stays. */
export function readZone(token: Token): string {
  const name = token.text.toLowerCase();
  if (parseName(name) === undefined) throw wrong(token, `"${token.text}" is no zone`);
  return name === '.' ? name : name.replace(/\.$/, '');
}

/** Zones, or those of the server when none are given. */
export function readZones(tokens: readonly Token[], ofServer: readonly string[]): readonly string[] {
  return tokens.length === 0 ? ofServer : tokens.map(readZone);
}

export function readCidr(token: Token): string {
  const text = token.text.includes('/') ? token.text : `${token.text}/${familyOf(token.text) === 'IPv6' ? 128 : 32}`;
  const cidr = parseCidr(text);
  if (cidr === undefined) throw wrong(token, `"${token.text}" is no range like 10.0.0.0/8`);
  return cidr.text;
}

/** A record type by its name, in upper case; `ANY` stands for all. */
export function readType(token: Token): string {
  if (typeNumber(token.text) === undefined) throw wrong(token, `"${token.text}" is no record type`);
  return token.text.toUpperCase();
}

export function readChoice<C extends string>(token: Token, choices: readonly C[]): C {
  const found = choices.find((choice) => choice === token.text);
  if (found === undefined) throw wrong(token, `"${token.text}" is none of ${choices.join(', ')}`);
  return found;
}

/** Checks that an expression is one; Go's `(?P<name>` and a leading `(?i)` are taken too: names have no case here. */
export function readExpression(token: Token): string {
  const text = token.text.replace(/^\(\?i\)/, '').replaceAll('(?P<', '(?<');
  try {
    return new RegExp(text).source;
  } catch {
    throw wrong(token, `"${token.text}" is no regular expression`);
  }
}

/** The options of a directive's block, each handled by the reader of its name. */
export function readOptions(
  directive: Directive,
  readers: Readonly<Record<string, (option: Directive) => void>>,
): void {
  for (const option of directive.block) {
    const read = Object.hasOwn(readers, option.name.text) ? readers[option.name.text] : undefined;
    if (read === undefined) {
      const known = Object.keys(readers).join(', ') || 'none';
      throw wrong(
        option.name,
        `${directive.name.text}: the option "${option.name.text}" is not supported (supported: ${known})`,
      );
    }
    read(option);
  }
}
