import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { after, test } from 'node:test';
import {
  type ConnectionFilter,
  connectionTable,
  deleteConnections,
  eachConnection,
  type TrackedConnection,
  type Tuple,
} from './conntrack.ts';
import { isolateNetwork } from './namespaces.ts';
import { openNetfilter } from './nftables/dump.ts';

isolateNetwork();
const socket = openNetfilter();
// The kernel tracks connections where a rule asks about them.
execFileSync('nft', [
  'table inet tracking { chain output { type filter hook output priority 0; ct state invalid accept; }; }',
]);
after(() => socket.close());

/** Sends one datagram to a server and returns the client's port. */
async function send(address: string, port: number): Promise<number> {
  const type = address.includes(':') ? 'udp6' : 'udp4';
  const server = createSocket(type);
  server.bind(port, address);
  await once(server, 'listening');
  const client = createSocket(type);
  const arrived = once(server, 'message');
  client.send('x', port, address);
  await arrived;
  const { port: clientPort } = client.address();
  client.close();
  server.close();
  return clientPort;
}

function list(filter: ConnectionFilter): TrackedConnection[] {
  const found: TrackedConnection[] = [];
  eachConnection(socket, filter, (connection) => found.push(connection));
  return found;
}

test('the kernel chooses connections by protocol, address and port of either direction', async () => {
  const first = await send('127.0.0.1', 5353);
  await send('127.0.0.2', 5353);
  await send('127.0.0.1', 5454);
  await send('::1', 5353);
  const udp = { family: 'IPv4', protocol: 17 } as const;
  const destinations = (filter: Omit<ConnectionFilter, 'family' | 'protocol'>) =>
    list({ ...udp, ...filter })
      .map(({ original }) => `${original.destination}:${original.destinationPort}`)
      .sort();
  assert.deepEqual(destinations({}), ['127.0.0.1:5353', '127.0.0.1:5454', '127.0.0.2:5353']);
  assert.deepEqual(destinations({ original: { destinationPort: 5353 } }), ['127.0.0.1:5353', '127.0.0.2:5353']);
  assert.deepEqual(destinations({ original: { destination: '127.0.0.2' } }), ['127.0.0.2:5353']);
  assert.deepEqual(destinations({ original: { sourcePort: first } }), ['127.0.0.1:5353']);
  assert.deepEqual(destinations({ reply: { source: '127.0.0.1', sourcePort: 5454 } }), ['127.0.0.1:5454']);
  assert.deepEqual(destinations({ original: { source: '127.0.0.9' } }), []);
  const six = (original: Partial<Tuple>) => list({ family: 'IPv6', protocol: 17, original }).length;
  assert.deepEqual([six({ destination: '::1' }), six({ destination: '::2' }), six({ destinationPort: 1 })], [1, 0, 0]);
  assert.deepEqual(list({ family: 'IPv4', protocol: 6 }), []);
  assert.equal(connectionTable()?.count, 4);
});

test('connections are forgotten, and those that are gone already do not count', async () => {
  await send('127.0.0.1', 6363);
  const filter: ConnectionFilter = { family: 'IPv4', protocol: 17, original: { destinationPort: 6363 } };
  const found = list(filter);
  assert.equal(found[0]?.reply.source, '127.0.0.1');
  assert.equal(deleteConnections(socket, found), 1);
  assert.equal(deleteConnections(socket, found), 0);
  assert.deepEqual(list(filter), []);
});
