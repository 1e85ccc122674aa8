import type { TsigKey } from '../settings/settings.ts';
import { readTsig, Signer, tsigErrors, unsigned, verify } from './tsig.ts';

/** How a question was signed, and the signatures of its answer. */
export interface Signature {
  /** Undefined when the question is not to be believed. */
  readonly key: TsigKey | undefined;
  /** Most bytes it adds to a message. */
  readonly space: number;
  /** A message of the answer with its signature; one after the other. */
  readonly append: (message: Buffer, nowSeconds: number) => Buffer;
}

/** Longest MAC, fixed fields of the record and its RDATA, and the time of BADTIME. */
const fixedSpace = 64 + 10 + 16 + 6;

/** Reads and checks the signature of a question (RFC 8945 5.2); undefined without one. */
export function readSignature(
  packet: Buffer,
  keys: readonly TsigKey[],
  nowSeconds: number,
): Signature | undefined | 'malformed' {
  const tsig = readTsig(packet);
  if (tsig === undefined || tsig === 'malformed') return tsig;
  const space = tsig.keyName.length + tsig.algorithm.length + fixedSpace;
  const { error, key } = verify(packet, tsig, keys, nowSeconds);
  if (key === undefined || error === tsigErrors.BADSIG) {
    return { key: undefined, space, append: (message, now) => unsigned(message, tsig, error, now) };
  }
  const signer = new Signer(key, tsig.mac);
  if (error === 0) return { key, space, append: (message, now) => signer.sign(message, now) };
  // The asker's clock may be wrong: it gets its own time back, and ours beside it (RFC 8945 5.2.3).
  const append = (message: Buffer, now: number): Buffer => signer.sign(message, tsig.signedAt, { error, now });
  return { key: undefined, space, append };
}
