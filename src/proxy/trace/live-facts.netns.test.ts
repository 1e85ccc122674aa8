import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, afterEach, before, test } from 'node:test';
import { isolateNetwork } from '../../linux/namespaces.ts';
import { writeSysctl } from '../../linux/sysctl.ts';
import type { Frontend } from '../../routing/frontend.ts';
import { Frontends, changesBetween } from '../contract/frontends.ts';
import { HostNetwork } from '../contract/host-network.ts';
import { ipv4, network } from '../contract/worlds.ts';
import type { Dataplane } from '../dataplane.ts';
import { createNftablesPlane } from '../nftables/plane.ts';
import { traceConnection } from '../trace.ts';
import { readLiveFacts } from './live-facts.ts';

isolateNetwork();
const make = new Frontends(ipv4);
const client = ipv4.sources.client;
const [vip] = ipv4.services;
let hosts: HostNetwork;
let plane: Dataplane;
let inForce: readonly Frontend[] = [];

before(async () => {
  const gateways = ['10.244.0.1', 'fd00:244::1'] as const;
  hosts = new HostNetwork([
    { name: 'pod1', addresses: [ipv4.pods.pod1], gateways },
    { name: 'pod2', addresses: [ipv4.pods.pod2], gateways },
    { name: 'client', addresses: [client], gateways },
  ]);
  for (const name of ['pod1', 'pod2'] as const) await hosts.host(name).serve(ipv4.pods[name], 8080);
  plane = createNftablesPlane({ network });
  await plane.adopt([]);
});

afterEach(() => writeSysctl('net.ipv4.ip_forward', '1'));

after(async () => {
  await plane.remove();
  await hosts[Symbol.asyncDispose]();
});

async function become(...next: Frontend[]): Promise<void> {
  await plane.apply(changesBetween(inForce, next));
  inForce = next;
}

/** The facts about a call of the client, problems marked. */
function facts(protocol: 'TCP' | 'UDP' = 'TCP'): string[] {
  const question = { source: client, destination: vip, port: 80, protocol };
  const trace = traceConnection({ frontends: inForce, network, nodeAddresses: ['10.244.0.1'] }, question);
  return readLiveFacts(trace, question, 'nftables').map(
    ({ title, detail, isProblem }) => `${isProblem ? '! ' : ''}${title}: ${detail}`,
  );
}

test('what a client is held on, and the connections it has', async () => {
  await become(make.clusterIp(make.forward('pod1', 'pod2'), { affinity: { timeoutSeconds: 60 } }));
  assert.ok(facts().includes(`memory: ${client} is not remembered: its next connection draws`));
  const [server = ''] = (await hosts.host('client').hold(vip, 80, false)).split(' ');
  const backend = `${ipv4.pods[server === 'pod1' ? 'pod1' : 'pod2']}:8080`;
  assert.ok(facts().includes(`memory: ${client} is held on ${backend}`), facts().join('\n'));
  assert.match(facts().join('\n'), new RegExp(`^tracked: 10\\.244\\.0\\.20:\\d+ → ${backend}$`, 'm'));
});

test('a UDP flow that leads to no backend is a problem, a TCP connection is let end', async () => {
  await become(make.clusterIp(make.forward('pod1')), make.clusterIp(make.forward('pod1'), { protocol: 'UDP' }));
  assert.match(await hosts.host('client').call(vip, 80, true), /^pod1/);
  assert.match(await hosts.host('client').call(vip, 80, false), /^pod1/);
  await become(make.clusterIp(make.forward('pod2')), make.clusterIp(make.forward('pod2'), { protocol: 'UDP' }));
  assert.match(facts('UDP').join('\n'), /^! tracked: .* → 10\.244\.0\.11:8080 \(no backend now\)$/m);
  const tcp = facts('TCP').join('\n');
  assert.match(tcp, / → 10\.244\.0\.11:8080 \(no backend now\)$/m);
  assert.doesNotMatch(tcp, /^! tracked/m);
});

test('routes to the backends, and those that have none', async () => {
  await become(make.clusterIp(make.forward('pod1', 'pod2', 'pod3')));
  const found = facts();
  assert.ok(found.includes(`route: ${ipv4.pods.pod1}: dev to-pod1`), found.join('\n'));
  assert.ok(found.includes(`! route: ${ipv4.pods.pod3}: no route (ENETUNREACH)`), found.join('\n'));
});

test('a machine that does not forward, and rules of others that drop', async () => {
  await become(make.clusterIp(make.forward('pod1')));
  assert.ok(!facts().some((fact) => /forwarding|other rules/.test(fact)));
  writeSysctl('net.ipv4.ip_forward', '0');
  execFileSync('nft', [
    'add table ip firewall; add chain ip firewall FORWARD { type filter hook forward priority 0; policy drop; }',
  ]);
  const found = facts();
  assert.ok(
    found.includes('! forwarding: net.ipv4.ip_forward is 0: this machine passes no packets on'),
    found.join('\n'),
  );
  assert.ok(found.includes('other rules: chain FORWARD of table ip firewall drops what its rules do not accept'));
  execFileSync('nft', ['delete', 'table', 'ip', 'firewall']);
});
