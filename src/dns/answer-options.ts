import type { Client } from './client.ts';
import { cookieState, serverCookie } from './cookies.ts';
import type { Edns } from './wire/edns.ts';

/** Options that are answered (IANA "DNS EDNS0 Option Codes"). All others are left out, as RFC 6891 6.1.2 wants. */
const codes = { nsid: 3, cookie: 10, keepalive: 11, padding: 12 } as const;

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
  /** The asker has shown that its address is its own. */
  readonly hasGoodCookie: boolean;
}

const none: AnswerOptions = { bytes: undefined, isPadded: false, hasGoodCookie: false };

/** The options that the answer to a query carries; `malformed` when one of the query's is. */
export function answerOptions(edns: Edns | undefined, client: Client, identity: Identity): AnswerOptions | 'malformed' {
  if (edns === undefined || edns.options.length === 0) return none;
  const { transport } = client;
  const pieces: Uint8Array[] = [];
  let isPadded = false;
  let hasGoodCookie = false;
  const seen = new Set<number>();
  for (const { code, data } of edns.options) {
    // Only the first of a code counts (RFC 7873 5.2): else a question of many options would get a longer answer than fits.
    if (seen.has(code)) continue;
    seen.add(code);
    if (code === codes.nsid && identity.name !== '') pieces.push(option(code, Buffer.from(identity.name, 'utf8')));
    if (code === codes.keepalive && (transport === 'tcp' || transport === 'tls')) {
      pieces.push(option(code, tenthsOfSeconds(identity.idleMs)));
    }
    if (code === codes.padding) isPadded = transport === 'tls' || transport === 'https';
    if (code !== codes.cookie) continue;
    const seconds = Math.floor(identity.now() / 1000);
    const state = cookieState(data, client.address(), identity.cookieSecret, seconds);
    if (state === 'malformed') return 'malformed';
    hasGoodCookie = state === 'good';
    pieces.push(option(code, serverCookie(data, client.address(), identity.cookieSecret, seconds)));
  }
  if (pieces.length === 0 && !isPadded) return none;
  return { bytes: pieces.length === 0 ? undefined : Buffer.concat(pieces), isPadded, hasGoodCookie };
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
