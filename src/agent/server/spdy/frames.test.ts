import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dataFrame, pingFrame, readFrame, rstStreamFrame, synReplyFrame, synStreamFrame } from './frames.ts';
import { createHeaderCodec } from './headers.ts';

const block = Buffer.from('block');
const frames = [
  [synStreamFrame(1, block), { type: 'syn-stream', stream: 1, fin: false, headers: block }],
  [
    synStreamFrame(0x7f_ff_ff_ff, block, true),
    { type: 'syn-stream', stream: 0x7f_ff_ff_ff, fin: true, headers: block },
  ],
  [synReplyFrame(3, block), { type: 'syn-reply', stream: 3, fin: false, headers: block }],
  [rstStreamFrame(5), { type: 'rst-stream', stream: 5, status: 5 }],
  [pingFrame(7), { type: 'ping', id: 7 }],
  [dataFrame(9, Buffer.from('hello'), true), { type: 'data', stream: 9, fin: true, data: Buffer.from('hello') }],
] as const;

for (const [bytes, frame] of frames) {
  test(`a ${frame.type} frame is read as it was written, however it is cut`, () => {
    for (let cut = 0; cut < bytes.length; cut += 1) assert.equal(readFrame(bytes.subarray(0, cut)), undefined);
    assert.deepEqual(readFrame(Buffer.concat([bytes, Buffer.from('more')])), { frame, length: bytes.length });
  });
}

test('garbage is refused', () => {
  assert.throws(() => readFrame(Buffer.alloc(8, 0xff)), RangeError);
  assert.throws(() => readFrame(Buffer.from('GET / HTTP/1.1\r\n')), RangeError);
});

test('headers pass one after another through one compression context', async () => {
  using sender = createHeaderCodec();
  using receiver = createHeaderCodec();
  const blocks: readonly Readonly<Record<string, string>>[] = [
    { streamtype: 'error', port: '80' },
    {},
    { streamtype: 'data', port: '80', requestid: '0' },
  ];
  for (const headers of blocks) {
    assert.deepEqual(await receiver.decode(await sender.encode(headers)), headers);
  }
  await assert.rejects(receiver.decode(Buffer.from('not compressed at all')));
});
