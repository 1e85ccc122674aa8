import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { deleteConnections, eachConnection, type TrackedConnection } from '../../linux/conntrack.ts';
import { isolateNetwork } from '../../linux/namespaces.ts';
import { openNetfilter } from '../../linux/nftables/dump.ts';
import { writeSysctl } from '../../linux/sysctl.ts';
import { HostNetwork } from '../contract/host-network.ts';
import { ipv4, network } from '../contract/worlds.ts';
import { createNftablesPlane } from './plane.ts';
import { nft, nftFile } from './testing.ts';

isolateNetwork();

const elsewhere = '192.0.2.200';
let hosts: HostNetwork;

before(async () => {
  const pods = ['10.244.0.1', 'fd00:244::1'] as const;
  const outside = [ipv4.node, '2001:db8::1'] as const;
  hosts = new HostNetwork([
    { name: 'pod1', addresses: [ipv4.pods.pod1], gateways: pods },
    { name: 'pod3', addresses: [ipv4.pods.pod3], gateways: pods },
    { name: 'client', addresses: [ipv4.sources.client], gateways: pods },
    { name: 'outside', addresses: [ipv4.sources.outside], gateways: outside },
    { name: 'elsewhere', addresses: [elsewhere], gateways: outside },
  ]);
  await hosts.host('pod1').serve(ipv4.pods.pod1, 8080);
  await hosts.host('pod3').serve(ipv4.pods.pod3, 8080);
  await hosts.host('client').serve(ipv4.sources.client, 8080);
  await hosts.host('elsewhere').serve(elsewhere, 8080);
});

after(() => hosts[Symbol.asyncDispose]());

/** What a connection says whose tracking was lost: the kernel calls its packets invalid. */
async function lostConnection(from: string, to: string): Promise<string> {
  writeSysctl('net.netfilter.nf_conntrack_tcp_loose', '0');
  assert.match(await hosts.host(from).hold(to, 8080, false), /^\w+ [\d.]+$/);
  using socket = openNetfilter();
  const found: TrackedConnection[] = [];
  eachConnection(socket, { family: 'IPv4', protocol: 6 }, (connection) => found.push(connection));
  assert.ok(deleteConnections(socket, found) > 0);
  return hosts.host(from).again();
}

test('packets that tracking calls invalid are dropped to and from Pods of any node, and nobody else', async () => {
  nftFile('table ip watch { chain forward { type filter hook forward priority 10; ct state new counter; }; }');
  assert.match(await lostConnection('client', ipv4.pods.pod1), /^pod1 /, 'without the plane they pass');
  const plane = createNftablesPlane({ network });
  await plane.adopt([]);
  assert.equal(await lostConnection('client', ipv4.pods.pod1), 'timeout');
  assert.equal(await lostConnection('outside', ipv4.pods.pod1), 'timeout', 'to a Pod');
  assert.equal(await lostConnection('pod3', elsewhere), 'timeout', 'from a Pod of another node');
  assert.match(await lostConnection('outside', elsewhere), /^elsewhere /, 'what is routed here for others');
  await plane.remove();
  nft('flush', 'ruleset');
});
