import assert from 'node:assert/strict';
import { test } from 'node:test';
import { questionOf } from '../dig.ts';
import type { TsigKey } from '../settings/settings.ts';
import { writeMessage } from '../wire/writer.ts';
import { readTsig, Signer, type Tsig, tsigErrors, verify } from './tsig.ts';

const key: TsigKey = { name: 'Transfer.Example', algorithm: 'hmac-sha256', secret: 'c2VjcmV0IHNlY3JldCBzZWNyZXQ=' };
const question = writeMessage({ id: 99, flags: 0, questions: [questionOf('example.com', 'AXFR')] });

/** The question with its signature. */
function signed(at: number): { packet: Buffer; tsig: Tsig } {
  const packet = new Signer(key).sign(Buffer.from(question), at);
  const tsig = readTsig(packet);
  assert.ok(tsig !== undefined && tsig !== 'malformed');
  return { packet, tsig };
}

test('a signature is read back', () => {
  const { tsig } = signed(1_700_000_000);
  assert.equal(tsig.keyName, '\x08transfer\x07example\0');
  assert.equal(tsig.signedAt, 1_700_000_000);
  assert.equal(tsig.mac.length, 32);
  assert.equal(tsig.start, question.length);
  assert.equal(readTsig(Buffer.from(question)), undefined);
});

test('an unknown key, another secret and an old signature are told apart', () => {
  const { packet, tsig } = signed(1_700_000_000);
  const error = (keys: readonly TsigKey[], at = 1_700_000_000) => verify(packet, tsig, keys, at).error;
  assert.equal(error([key]), 0);
  assert.equal(error([key], 1_700_000_301), tsigErrors.BADTIME);
  assert.equal(error([key], 1_699_999_699), tsigErrors.BADTIME);
  assert.equal(error([]), tsigErrors.BADKEY);
  assert.equal(error([{ ...key, algorithm: 'hmac-sha512' }]), tsigErrors.BADKEY);
  assert.equal(error([{ ...key, secret: 'b3RoZXI=' }]), tsigErrors.BADSIG);
});

test('garbage behind a message is malformed or no signature, never thrown at', () => {
  const { packet } = signed(1_700_000_000);
  for (let at = 0; at < packet.length; at += 1) {
    for (const byte of [0, 0x7f, 0xc0, 0xff]) {
      const damaged = Buffer.from(packet);
      damaged[at] = byte;
      readTsig(damaged);
      readTsig(damaged.subarray(0, at));
    }
  }
});
