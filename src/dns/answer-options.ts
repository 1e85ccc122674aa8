import type { Client } from './client.ts';
import { cookieState, serverCookie } from './cookies.ts';
import { optionCodes } from './wire/edns.ts';
import type { Edns } from './wire/edns.ts';

/** What the options of every answer are made from. */
export interface Identity {
  /** Told to who asks for it (NSID, `id.server`); empty tells nobody. */
  readonly name: string;
  /** 16 bytes that all replicas share (RFC 9018). */
  readonly cookieSecret: Uint8Array;
  /** A stream without a question for this long is closed: told by TCP keepalive. */
  readonly idleMs: number;
  /** Unix milliseconds. */
  readonly now: () => number;
}

export interface AnswerOptions {
  /** Options in wire form; undefined for none, what nearly every answer has. */
  readonly bytes: Uint8Array | undefined;
  /** The asker wants the answer padded (RFC 7830), on a transport where that hides something. */
  readonly isPadded: boolean;
  /** The asker has shown a server cookie that is not ours, or too old. */
  readonly hasBadCookie: boolean;
}

/** No options at all. */
export const noAnswerOptions: AnswerOptions = { bytes: undefined, isPadded: false, hasBadCookie: false };

/** The options that the answer to a query carries; `malformed` when one of the query's is. */
export function answerOptions(edns: Edns | undefined, client: Client, identity: Identity): AnswerOptions | 'malformed' {
  if (edns === undefined || edns.options.length === 0) return noAnswerOptions;
  const { transport } = client;
  const pieces: Uint8Array[] = [];
  let isPadded = false;
  let hasBadCookie = false;
  const seen = new Set<number>();
  for (const { code, data } of edns.options) {
    // Only the first of a code counts (RFC 7873 5.2): else a question of many options would get a longer answer than fits.
    if (seen.has(code)) continue;
    seen.add(code);
    if (code === optionCodes.nsid && identity.name !== '')
      pieces.push(option(code, Buffer.from(identity.name, 'utf8')));
    if (code === optionCodes.keepalive && (transport === 'tcp' || transport === 'tls')) {
      pieces.push(option(code, tenthsOfSeconds(identity.idleMs)));
    }
    if (code === optionCodes.padding) isPadded = transport === 'tls' || transport === 'https';
    if (code !== optionCodes.cookie) continue;
    const seconds = Math.floor(identity.now() / 1000);
    const state = cookieState(data, client.address(), identity.cookieSecret, seconds);
    if (state === 'malformed') return 'malformed';
    hasBadCookie = state === 'unknown' && data.length > 8;
    pieces.push(option(code, serverCookie(data, client.address(), identity.cookieSecret, seconds)));
  }
  if (pieces.length === 0 && !isPadded) return noAnswerOptions;
  return { bytes: pieces.length === 0 ? undefined : Buffer.concat(pieces), isPadded, hasBadCookie };
}

function option(code: number, data: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(4 + data.length);
  bytes.writeUInt16BE(code, 0);
  bytes.writeUInt16BE(data.length, 2);
  bytes.set(data, 4);
  return bytes;
}

/** RFC 7828 3.1: units of 100 ms. */
function tenthsOfSeconds(ms: number): Uint8Array {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(Math.min(0xffff, Math.floor(ms / 100)));
  return bytes;
}
