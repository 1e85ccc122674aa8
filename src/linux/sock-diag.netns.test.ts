import assert from 'node:assert/strict';
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { test } from 'node:test';
import { isolateNetwork } from './namespaces.ts';
import { destroySockets, findSockets, openSockDiag, type SocketAddress } from './sock-diag.ts';

isolateNetwork();

interface Pair extends AsyncDisposable {
  readonly client: Socket;
  readonly server: Socket;
  readonly remote: SocketAddress;
}

/** A connection to a server of its own, `host` as the client calls it. */
async function tcpPair(host: string, listen = host): Promise<Pair> {
  const listener: Server = createServer();
  listener.listen(0, listen);
  await once(listener, 'listening');
  const bound = listener.address();
  const port = typeof bound === 'object' ? (bound?.port ?? 0) : 0;
  const accepted = once(listener, 'connection') as Promise<[Socket]>;
  const client = connect({ host, port });
  const [[server]] = await Promise.all([accepted, once(client, 'connect')]);
  return {
    client,
    server,
    remote: { address: host.replace(/^::ffff:/, ''), port },
    async [Symbol.asyncDispose]() {
      for (const each of [client, server]) each.destroy();
      listener.close();
      await once(listener, 'close');
    },
  };
}

async function udpClient(host: string, port: number): Promise<UdpSocket> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  socket.connect(port, host);
  await once(socket, 'connect');
  return socket;
}

async function errorOf(socket: Socket | UdpSocket): Promise<string> {
  const [error] = (await once(socket, 'error', { signal: AbortSignal.timeout(5000) }).catch((failure: unknown) => [
    failure,
  ])) as [NodeJS.ErrnoException];
  return error.code ?? error.name;
}

for (const host of ['127.0.0.1', '::1', '::ffff:127.0.0.1']) {
  test(`a TCP socket connected to ${host} is found by its remote end alone, and ended`, async () => {
    await using pair = await tcpPair(host);
    await using other = await tcpPair(host);
    using diag = openSockDiag();
    const found = findSockets(diag, 'TCP', [pair.remote]);
    assert.deepEqual(
      found.map(({ local, remote }) => ({ local, remote })),
      [{ local: { address: pair.remote.address, port: pair.client.localPort }, remote: pair.remote }],
    );
    const [ended, reset] = [errorOf(pair.client), errorOf(pair.server)];
    pair.client.resume();
    pair.server.resume();
    assert.equal(destroySockets(diag, 'TCP', [pair.remote]), 1);
    assert.equal(await ended, 'ECONNABORTED');
    assert.equal(await reset, 'ECONNRESET');
    assert.equal(findSockets(diag, 'TCP', [other.remote]).length, 1, 'the other connection stays');
  });
}

for (const host of ['127.0.0.1', '::1', '::ffff:127.0.0.1']) {
  test(`a connected UDP socket to ${host} is ended, an unconnected one stays`, async () => {
    const address = host.replace(/^::ffff:/, '');
    const remote = { address, port: 4000 };
    const connected = await udpClient(host, 4000);
    const loose = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    loose.bind(0, host);
    await once(loose, 'listening');
    using diag = openSockDiag();
    assert.equal(findSockets(diag, 'UDP', [remote, { address, port: 4001 }]).length, 1);
    assert.equal(destroySockets(diag, 'UDP', [remote]), 1);
    assert.equal(findSockets(diag, 'UDP', [remote]).length, 0);
    const ended = errorOf(connected);
    connected.send('?', () => undefined);
    assert.match(await ended, /ECONNABORTED|EDESTADDRREQ/);
    assert.ok(loose.address().port > 0);
    connected.close();
    loose.close();
  });
}

test('only the sockets that are meant are ended, however many ends are asked for', async () => {
  await using first = await tcpPair('127.0.0.1');
  await using second = await tcpPair('127.0.0.1');
  await using third = await tcpPair('::1');
  using diag = openSockDiag();
  const remotes = [
    ...Array.from({ length: 300 }, (_, at) => ({ address: `127.0.1.${at % 250}`, port: 1 + at })),
    ...Array.from({ length: 100 }, (_, at) => ({ address: `fd00::${at + 1}`, port: 1 + at })),
    first.remote,
    second.remote,
    third.remote,
  ];
  assert.equal(findSockets(diag, 'TCP', remotes).length, 3);
  const ended = errorOf(second.client);
  second.client.resume();
  const isMeant = ({ remote }: { remote: SocketAddress }) => remote.port === second.remote.port;
  assert.equal(destroySockets(diag, 'TCP', remotes, isMeant), 1);
  assert.equal(await ended, 'ECONNABORTED');
  assert.equal(destroySockets(diag, 'TCP', remotes, isMeant), 0);
  assert.equal(findSockets(diag, 'TCP', [first.remote, third.remote]).length, 2);
});

test('a listener and a socket that was never connected are no remote ends', async () => {
  const listener = createServer();
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  using diag = openSockDiag();
  assert.deepEqual(findSockets(diag, 'TCP', [{ address: '0.0.0.0', port: 0 }]), []);
  listener.close();
});
