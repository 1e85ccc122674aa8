import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askRaw, dnsNamespace, dnsService, dnsSlice, headlessService, testResponder } from './fixtures.ts';
import { writeEdns } from './wire/edns.ts';
import { readMessage } from './wire/message.ts';
import { parseName } from './wire/names.ts';
import { flags } from './wire/types.ts';
import { writeMessage } from './wire/writer.ts';

/** A small generator with a seed: the same garbage every time. */
function garbage(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 8;
  };
}

const names = [
  'cart.shop.svc.cluster.local',
  'many.shop.svc.cluster.local',
  '_http._tcp.many.shop.svc.cluster.local',
  'nope.cluster.local',
  '1.0.96.10.in-addr.arpa',
  'example.com',
];

test('100,000 damaged requests get a well-formed answer to that request, small enough, or none', async () => {
  const next = garbage(42);
  const labels = { 'kubernetes.io/service-name': 'many' };
  const hosts = Array.from({ length: 150 }, (_, index) => `10.244.3.${index}`);
  const { responder } = testResponder({
    changes: [
      { type: 'namespace', new: dnsNamespace() },
      { type: 'service', new: dnsService() },
      { type: 'service', new: headlessService({}, 'many') },
      { type: 'slice', new: dnsSlice(hosts, { metadata: { name: 'many-1', namespace: 'shop', labels } }) },
    ],
  });
  const requests = names.flatMap((name) =>
    [1, 28, 33, 255, 12].map((type) =>
      writeMessage({
        id: 77,
        flags: flags.RD,
        questions: [{ name: parseName(name) ?? '\0', type, class: 1 }],
        opt: type === 28 ? undefined : writeEdns(0, type === 33),
      }),
    ),
  );
  let answered = 0;
  for (let i = 0; i < 100_000; i += 1) {
    const bytes = Buffer.from(requests[next() % requests.length] ?? []);
    for (let k = next() % 4; k > 0; k -= 1) bytes[next() % bytes.length] = next() & 255;
    const request = bytes.subarray(0, next() % 10 === 0 ? next() % (bytes.length + 1) : bytes.length);
    const reply = await askRaw(responder, request);
    if (reply.length === 0) continue;
    answered += 1;
    const message = readMessage(reply);
    assert.ok(!('malformed' in message), request.toString('hex'));
    assert.ok(reply.length <= 1232 && message.id === request.readUInt16BE(0) && (message.flags & flags.QR) !== 0);
  }
  assert.ok(answered > 80_000);
});
