import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { type IpvsSocket, openIpvs } from './ipvs.ts';
import type { VirtualServer, VirtualServerId } from './ipvs/servers.ts';
import { isolateNetwork } from './namespaces.ts';

isolateNetwork();

let ipvs: IpvsSocket;
before(() => {
  const opened = openIpvs();
  assert.ok(opened);
  ipvs = opened;
});
after(() => ipvs.close());

function ipvsadm(...args: string[]): string {
  return execFileSync('ipvsadm', args, { encoding: 'utf8' });
}

const tcp: VirtualServerId = { family: 'IPv4', protocol: 6, address: '10.96.0.1', port: 80 };
const udp6: VirtualServerId = { family: 'IPv6', protocol: 17, address: 'fd00::1', port: 53 };
const marked: VirtualServerId = { family: 'IPv4', mark: 7 };

function server(id: VirtualServerId, more: Partial<VirtualServer> = {}): VirtualServer {
  return { id, scheduler: 'rr', hasFallback: false, persistenceSeconds: undefined, ...more };
}

test('virtual servers by address and by mark are as ipvsadm sees them, and read back as they were given', () => {
  const servers = [
    server(tcp, { scheduler: 'wrr' }),
    server(udp6, { scheduler: 'sh', hasFallback: true }),
    server(marked, { persistenceSeconds: 60 }),
  ];
  const refused = ipvs.change([
    ...servers.map((each) => ({ kind: 'newServer', server: each }) as const),
    { kind: 'newReal', id: tcp, real: { address: '10.0.0.1', port: 8080, weight: 3 } },
    { kind: 'newReal', id: udp6, real: { address: 'fd00::2', port: 5353, weight: 1 } },
    { kind: 'newReal', id: marked, real: { address: '10.0.0.1', port: 0, weight: 1 } },
  ]);
  assert.deepEqual([...refused], []);
  assert.deepEqual(ipvsadm('-Sn').trim().split('\n').sort(), [
    '-A -f 7 -s rr -p 60',
    '-A -t 10.96.0.1:80 -s wrr',
    '-A -u [fd00::1]:53 -s sh -b sh-fallback',
    '-a -f 7 -r 10.0.0.1:0 -m -w 1',
    '-a -t 10.96.0.1:80 -r 10.0.0.1:8080 -m -w 3',
    '-a -u [fd00::1]:53 -r [fd00::2]:5353 -m -w 1',
  ]);
  const found = ipvs.servers().map(({ connections, ...rest }) => (assert.equal(connections, 0), rest));
  for (const each of servers) assert.ok(found.some((other) => JSON.stringify(other) === JSON.stringify(each)));
  assert.deepEqual(ipvs.realServers(tcp), [
    { address: '10.0.0.1', port: 8080, weight: 3, activeConnections: 0, inactiveConnections: 0 },
  ]);
  assert.equal(ipvs.realServers(udp6)[0]?.address, 'fd00::2');
});

test('settings and weights change in place, and what is deleted is gone', () => {
  const refused = ipvs.change([
    { kind: 'setServer', server: server(tcp, { scheduler: 'lc', persistenceSeconds: 120 }) },
    { kind: 'setReal', id: tcp, real: { address: '10.0.0.1', port: 8080, weight: 0 } },
    { kind: 'delServer', id: udp6 },
    { kind: 'delReal', id: marked, real: { address: '10.0.0.1', port: 0, weight: 0 } },
    { kind: 'delServer', id: marked },
  ]);
  assert.deepEqual([...refused], []);
  assert.deepEqual(ipvsadm('-Sn').trim().split('\n'), [
    '-A -t 10.96.0.1:80 -s lc -p 120',
    '-a -t 10.96.0.1:80 -r 10.0.0.1:8080 -m -w 0',
  ]);
});

test('what the kernel refuses is told by position, and the rest is done', () => {
  const other: VirtualServerId = { family: 'IPv4', protocol: 132, address: '10.96.0.1', port: 80 };
  const refused = ipvs.change([
    { kind: 'newServer', server: server(tcp) },
    { kind: 'newServer', server: server(other, { scheduler: 'nonsense' }) },
    { kind: 'newServer', server: server(other) },
    { kind: 'delServer', id: udp6 },
  ]);
  assert.deepEqual(
    [...refused].map(([at, { code }]) => [at, code]),
    [
      [0, 'EEXIST'],
      [1, 'ENOENT'],
      [3, 'ESRCH'],
    ],
  );
  assert.match(ipvsadm('-Sn'), /--sctp-service 10\.96\.0\.1:80 -s rr/);
});

test('thousands of changes in one call are all made', () => {
  const servers = Array.from({ length: 2000 }, (_, at) =>
    server({ family: 'IPv4', protocol: 6, address: `10.97.${at >> 8}.${at & 255}`, port: 80 }),
  );
  assert.equal(ipvs.change(servers.map((each) => ({ kind: 'newServer', server: each }) as const)).size, 0);
  assert.equal(ipvs.servers().filter(({ id }) => 'address' in id && id.address.startsWith('10.97.')).length, 2000);
});

test('time-outs are set one by one, and the version is that of ipvsadm', () => {
  ipvs.setTimeouts({ udp: 17 });
  ipvs.setTimeouts({ tcpFin: 19 });
  assert.deepEqual(ipvs.timeouts(), { tcp: 900, tcpFin: 19, udp: 17 });
  assert.match(
    ipvsadm('-Ln'),
    new RegExp(`IP Virtual Server version ${ipvs.version().replaceAll('.', String.raw`\.`)}`),
  );
});
