import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { isolateNetwork } from './namespaces.ts';
import { callSctp, readSctp, serveSctp, writeSctp } from './sctp.ts';

isolateNetwork();

const stops: (() => void)[] = [];
after(() => {
  for (const stop of stops) stop();
});

test('a packet is read as it was written, and not when a bit of it is wrong', () => {
  const packet = {
    type: 'init-ack',
    sourcePort: 80,
    destinationPort: 4000,
    verificationTag: 7,
    initiateTag: 0xfedcba98,
    cookie: 'pod1 10.0.0.1',
  } as const;
  const bytes = writeSctp(packet);
  assert.deepEqual(readSctp(bytes), packet);
  bytes[5] = 1;
  assert.equal(readSctp(bytes), undefined);
});

for (const address of ['127.0.0.1', '::1']) {
  test(`an association with ${address} is answered by its server, and by nobody on another port`, async () => {
    stops.push(serveSctp(address, 80, 'server'));
    assert.equal(await callSctp(address, 80, 4000, 1000), `server ${address}`);
    assert.equal(await callSctp(address, 81, 4001, 50), 'timeout');
  });
}
