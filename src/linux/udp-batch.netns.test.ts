import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { before, test } from 'node:test';
import { isolateNetwork } from './namespaces.ts';
import { openRoute } from './route.ts';
import { bindUdp, readUdp } from './udp-batch.ts';
import type { BoundUdp, OnDatagram, UdpOptions } from './udp-batch.ts';

before(() => isolateNetwork());

function openUdpBatch(options: UdpOptions, onDatagram: OnDatagram): BoundUdp {
  const socket = bindUdp(options);
  const reading = readUdp(socket.fd, onDatagram);
  return {
    ...socket,
    [Symbol.dispose]() {
      reading[Symbol.dispose]();
      socket[Symbol.dispose]();
    },
  };
}

for (const address of ['127.0.0.1', '::1']) {
  test(`datagrams are answered to their sender, many at a time (${address})`, async () => {
    using server = openUdpBatch({ address, port: 0, receiveBufferBytes: 4 << 20 }, (datagram) => {
      const text = datagram.packet().toString();
      return text.startsWith('quiet') ? 0 : datagram.bytes.write(`re: ${text}`, datagram.outAt);
    });
    const client = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    const answers = new Set<string>();
    const { promise, resolve } = Promise.withResolvers<void>();
    client.on('message', (packet) => {
      answers.add(packet.toString());
      if (answers.size === 100) resolve();
    });
    for (let i = 0; i < 100; i += 1) {
      client.send(`quiet ${i}`, server.port, address);
      client.send(`${i}`, server.port, address);
    }
    await promise;
    assert.ok(answers.has('re: 0') && answers.has('re: 99'));
    client.close();
  });
}

test('an answer may come later, to a copy of the address', async () => {
  const asked = Promise.withResolvers<Uint8Array>();
  using server = openUdpBatch({ address: '127.0.0.1', port: 0 }, (datagram) => {
    asked.resolve(datagram.peer());
    return 0;
  });
  const client = createSocket('udp4');
  client.send('hello', server.port, '127.0.0.1');
  server.send(await asked.promise, Buffer.from('late'));
  const [packet] = await once(client, 'message');
  assert.equal(String(packet), 'late');
  client.close();
});

test('promises that a datagram resolves go on at once, not at the next event', async () => {
  const before = Promise.withResolvers<number>();
  using server = openUdpBatch({ address: '127.0.0.1', port: 0 }, () => {
    const start = performance.now();
    void Promise.resolve().then(() => before.resolve(performance.now() - start));
    return 0;
  });
  const client = createSocket('udp4').unref();
  client.connect(server.port, '127.0.0.1', () => client.send('hello'));
  // The only other event comes much later.
  const late = setTimeout(() => undefined, 5000);
  assert.ok((await before.promise) < 2000);
  clearTimeout(late);
  client.close();
});

test('a datagram longer than any request is dropped, and those after it are answered', async () => {
  using server = openUdpBatch({ address: '127.0.0.1', port: 0 }, ({ bytes, length, outAt }) =>
    bytes.write(String(length), outAt),
  );
  const client = createSocket('udp4');
  client.send(Buffer.alloc(3000), server.port, '127.0.0.1');
  client.send(Buffer.alloc(2048), server.port, '127.0.0.1');
  const [packet] = await once(client, 'message');
  assert.equal(String(packet), '2048');
  client.close();
});

test('one asker that is gone does not keep the others from their answers', async () => {
  using server = openUdpBatch({ address: '127.0.0.1', port: 0 }, (datagram) =>
    datagram.packet().copy(datagram.bytes, datagram.outAt),
  );
  const gone = createSocket('udp4');
  const client = createSocket('udp4');
  await new Promise<void>((resolve) => gone.send('bye', server.port, '127.0.0.1', () => resolve()));
  gone.close();
  client.send('hello', server.port, '127.0.0.1');
  const [packet] = await once(client, 'message');
  assert.equal(String(packet), 'hello');
  client.close();
});

test('errors of the system say what was refused', () => {
  using server = openUdpBatch({ address: '127.0.0.1', port: 0 }, () => 0);
  assert.throws(() => openUdpBatch({ address: '127.0.0.1', port: server.port }, () => 0), { code: 'EADDRINUSE' });
  assert.throws(() => openUdpBatch({ address: '192.0.2.1', port: 0 }, () => 0), { code: 'EADDRNOTAVAIL' });
  assert.throws(() => openUdpBatch({ address: 'localhost', port: 0 }, () => 0), RangeError);
});

test('a socket whose address has left the machine may refuse what comes in', () => {
  using route = openRoute();
  route.addAddress('lo', '192.0.2.9/32');
  using socket = bindUdp({ address: '192.0.2.9', port: 0 });
  route.deleteAddress('lo', '192.0.2.9/32');
  socket.refuse();
});
