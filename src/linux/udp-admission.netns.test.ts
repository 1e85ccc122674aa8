import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { before, test } from 'node:test';
import { parseIp } from '../lib/ip.ts';
import { isolateNetwork } from './namespaces.ts';
import { admit, queueOf } from './udp-admission.ts';
import type { Admission } from './udp-admission.ts';
import { bindUdp, readUdp } from './udp-batch.ts';
import type { BoundUdp } from './udp-batch.ts';

before(() => {
  isolateNetwork();
  for (const address of ['fd00::1', 'fd00::2', 'fd00::3', 'fd00::4']) {
    execFileSync('ip', ['addr', 'add', `${address}/128`, 'dev', 'lo', 'nodad']);
  }
});

const datagrams = 1000;

/** The socket address of a bound socket. */
function peerOf({ address, port }: BoundUdp): Buffer {
  const bytes = parseIp(address) ?? assert.fail(address);
  const peer = Buffer.alloc(bytes.length === 4 ? 16 : 28);
  peer.writeUInt16LE(bytes.length === 4 ? 2 : 10, 0);
  peer.writeUInt16BE(port, 2);
  peer.set(bytes, bytes.length === 4 ? 4 : 8);
  return peer;
}

/** How many of a thousand datagrams of each sender get in. */
function letIn(server: BoundUdp, senders: readonly string[]): number[] {
  return senders.map((address) => {
    let received = 0;
    using reading = readUdp(server.fd, () => {
      received += 1;
      return 0;
    });
    using sender = bindUdp({ address, port: 0 });
    for (let number = 0; number < datagrams; number += 1) {
      sender.send(peerOf(server), Buffer.from('x'));
      if (number % 100 === 99) reading.drain();
    }
    return received;
  });
}

for (const [family, server, ...senders] of [
  ['IPv4', '127.0.0.1', '127.0.0.2', '127.0.0.3', '127.0.0.4'],
  ['IPv6', 'fd00::1', 'fd00::2', 'fd00::3', 'fd00::4'],
] as const) {
  test(`the kernel lets in the share of each sender that it is told (${family})`, () => {
    using socket = bindUdp({ address: server, port: 0, receiveBufferBytes: 1 << 20 });
    const rule = (at: number, share: number): Admission => ({
      address: parseIp(senders[at] ?? '') ?? assert.fail(),
      share,
    });
    admit(socket.fd, [rule(0, 0), rule(1, 0.25)]);
    const [none, quarter = 0, all] = letIn(socket, senders);
    assert.deepEqual([none, all], [0, datagrams]);
    // Eight standard deviations.
    assert.ok(Math.abs(quarter - 250) < 110, String(quarter));
    admit(socket.fd, [rule(2, 0)]);
    assert.deepEqual(letIn(socket, senders), [datagrams, datagrams, 0]);
    admit(socket.fd, []);
    assert.deepEqual(letIn(socket, senders), [datagrams, datagrams, datagrams]);
  });
}

test('a queue that nobody reads gets full', () => {
  using socket = bindUdp({ address: '127.0.0.1', port: 0, receiveBufferBytes: 100_000 });
  assert.equal(queueOf(socket.fd).bytes, 0);
  using sender = bindUdp({ address: '127.0.0.2', port: 0 });
  for (let number = 0; number < datagrams; number += 1) sender.send(peerOf(socket), Buffer.alloc(100));
  const { bytes, mostBytes } = queueOf(socket.fd);
  assert.ok(bytes > 0.9 * mostBytes, `${bytes} of ${mostBytes}`);
});
