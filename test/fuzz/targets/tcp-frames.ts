import assert from 'node:assert/strict';
import { createFrames } from '../../../src/dns/listen/tcp-frames.ts';
import { mutateBytes } from '../byte-mutations.ts';
import { chunksOf, withCuts } from '../chunks.ts';
import type { Random } from '../random.ts';
import type { Target } from '../target.ts';

/** Messages behind their lengths, pipelined, in chunks cut anywhere. */
export const tcpFrames: Target = {
  name: 'tcp-frames',
  form: 'bytes',
  generate: (random) => withCuts(random, randomStream(random)),
  mutate: mutateBytes,
  check(input) {
    const { chunks, whole } = chunksOf(input);
    const messages: Buffer[] = [];
    const frames = createFrames((message) => messages.push(Buffer.from(message)));
    let given = 0;
    for (const chunk of chunks) {
      frames(chunk);
      given += chunk.length;
      const expected = messagesIn(whole.subarray(0, given));
      assert.equal(messages.length, expected.length, 'every message is handed out as soon as it is whole');
    }
    assert.deepEqual(messages, messagesIn(whole), 'messages are those of the stream');
    return `${Math.min(messages.length, 5)} messages in ${Math.min(chunks.length, 5)} chunks`;
  },
};

function randomStream(random: Random): Buffer {
  const message = (): Buffer => {
    const length = random.oneIn(64) ? random.below(70_000) % 65_536 : random.below(random.oneIn(4) ? 300 : 20);
    const bytes = Buffer.alloc(2 + length, random.next());
    bytes.writeUInt16BE(length);
    return bytes;
  };
  return Buffer.concat(random.many(0, 6, message));
}

function messagesIn(stream: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  let at = 0;
  while (at + 2 <= stream.length && at + 2 + stream.readUInt16BE(at) <= stream.length) {
    const end = at + 2 + stream.readUInt16BE(at);
    messages.push(stream.subarray(at + 2, end));
    at = end;
  }
  return messages;
}
