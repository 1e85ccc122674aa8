import assert from 'node:assert/strict';
import { test } from 'node:test';
import { questionOf } from '../dig.ts';
import { parseName } from '../wire/names.ts';
import type { Name } from '../wire/names.ts';
import { writeMessage } from '../wire/writer.ts';
import { OwnNames } from './own-names.ts';

function zone(text: string): Name {
  return parseName(text) ?? assert.fail(text);
}

const own = new OwnNames(['cluster.local', '96.10.in-addr.arpa', 'corp.example'].map(zone));

for (const [name, isOwn] of [
  ['cart.shop.svc.cluster.local', true],
  ['cluster.local', true],
  ['CART.shop.svc.CLUSTER.Local', true],
  ['1.0.96.10.in-addr.arpa', true],
  ['www.corp.example', true],
  ['1.0.97.10.in-addr.arpa', false],
  ['notcluster.local', false],
  ['xcluster.local.example', false],
  ['www.example.com', false],
  ['.', false],
] as const) {
  test(`${name} is ${isOwn ? 'one of our names' : 'a name of others'}`, () => {
    const packet = writeMessage({ id: 1, flags: 0, questions: [questionOf(name, 'A')] });
    const padded = Buffer.concat([Buffer.alloc(7, 3), packet, Buffer.alloc(9, 5)]);
    assert.equal(own.has(padded, 7, packet.length), isOwn);
  });
}

test('what cannot be read is answered by ourselves', () => {
  const packet = writeMessage({ id: 1, flags: 0, questions: [questionOf('www.example.com', 'A')] });
  for (let length = 0; length < 28; length += 1) assert.equal(own.has(packet, 0, length), true);
  const pointer = Buffer.concat([packet.subarray(0, 12), Buffer.from([0xc0, 0x0c, 0, 1, 0, 1])]);
  assert.equal(own.has(pointer, 0, pointer.length), true);
});
