import assert from 'node:assert/strict';
import { answerOptions } from '../../../src/dns/answer-options.ts';
import { testIdentity } from '../../../src/dns/fixtures.ts';
import { extendedErrorsOf, readEdns, writeEdns } from '../../../src/dns/wire/edns.ts';
import type { EdnsOption } from '../../../src/dns/wire/edns.ts';
import { mutateBytes } from '../byte-mutations.ts';
import { randomOptions } from '../dns-packets.ts';
import type { Target } from '../target.ts';

const transports = ['udp', 'tcp', 'tls', 'https'] as const;
/** More than name, cookie and time of this server need together. */
const longestAnswer = 64;

/** RDATA of OPT records, and the options that answer it. */
export const edns: Target = {
  name: 'edns',
  form: 'bytes',
  generate: randomOptions,
  mutate: mutateBytes,
  check(rdata) {
    const read = readEdns(1232, 0, rdata);
    if (read === undefined) return 'malformed';
    assert.deepEqual(written(read.options), rdata, 'options are all of the bytes');
    const again = readEdns(1232, 0, writeEdns(0, false, undefined, rdata.subarray(0, 65_535)).subarray(11));
    assert.deepEqual(again?.options, read.options, 'what is written reads as the same');
    for (const { code, text } of extendedErrorsOf(read.options)) assert.ok(code <= 65_535 && text.length <= 65_535);
    const kinds = transports.map((transport) => {
      const answer = answerOptions(read, { transport, address: () => '192.0.2.7' }, testIdentity);
      if (answer === 'malformed') return answer;
      const options = readEdns(1232, 0, answer.bytes ?? new Uint8Array())?.options;
      const codes = options?.map(({ code }) => code) ?? assert.fail('the options of an answer are malformed');
      assert.equal(new Set(codes).size, codes.length, 'an option is answered once');
      assert.ok((answer.bytes?.length ?? 0) <= longestAnswer, 'the answer is not as long as the question');
      return codes.join();
    });
    return kinds.join(' | ');
  },
};

function written(options: readonly EdnsOption[]): Buffer {
  const pieces = options.flatMap(({ code, data }) => {
    const head = Buffer.alloc(4);
    head.writeUInt16BE(code);
    head.writeUInt16BE(data.length, 2);
    return [head, data];
  });
  return Buffer.concat(pieces);
}
