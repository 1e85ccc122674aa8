import { parseIp } from '../lib/ip.ts';
import { sipHash24 } from './wire/siphash.ts';

/** Seconds: a server cookie is good for an hour, and for clocks five minutes apart (RFC 9018 4.3). */
const longestSeconds = 3600;
const clockSkewSeconds = 300;

/** What a query's COOKIE option is worth. */
export type CookieState =
  /** Neither 8 nor 16 to 40 bytes: FORMERR (RFC 7873 5.2.2). */
  | 'malformed'
  /** Only a client cookie, or a server cookie that is not ours or too old. */
  | 'unknown'
  /** A server cookie that we gave to this address. */
  | 'good';

/** Whether the asker showed a server cookie of ours; `address` is its canonical address. */
export function cookieState(cookie: Uint8Array, address: string, secret: Uint8Array, nowSeconds: number): CookieState {
  const { length } = cookie;
  if (length !== 8 && (length < 16 || length > 40)) return 'malformed';
  if (length !== 24 || cookie[8] !== 1) return 'unknown';
  const givenSeconds = new DataView(cookie.buffer, cookie.byteOffset).getUint32(12);
  // Times are 32 bits that wrap around (RFC 1982).
  const age = (nowSeconds - givenSeconds) | 0;
  if (age > longestSeconds || age < -clockSkewSeconds) return 'unknown';
  const expected = withHash(cookie.subarray(0, 16), address, secret);
  return Buffer.compare(expected, cookie) === 0 ? 'good' : 'unknown';
}

/**
 * The whole cookie for an answer (RFC 9018 4): client cookie 8 bytes, version 1, reserved 3, time 4, hash 8. Servers that
 * share the secret know each other's.
 */
export function serverCookie(cookie: Uint8Array, address: string, secret: Uint8Array, nowSeconds: number): Uint8Array {
  const head = Buffer.alloc(16);
  head.set(cookie.subarray(0, 8));
  head[8] = 1;
  head.writeUInt32BE(nowSeconds >>> 0, 12);
  return withHash(head, address, secret);
}

function withHash(head: Uint8Array, address: string, secret: Uint8Array): Uint8Array {
  const hash = sipHash24(secret, Buffer.concat([head, parseIp(address) ?? new Uint8Array(4)]));
  return Buffer.concat([head, hash]);
}
