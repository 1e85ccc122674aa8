import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isolateNetwork } from '../../src/linux/namespaces.ts';
import { succeed } from '../support/commands.ts';
import { up } from '../support/fairlead.ts';
import type { System } from '../support/fairlead.ts';
import { applyObjects, clusterIp, lookUp, pods, readyPods } from '../support/objects.ts';
import { serverDeployment, serverPodSpec, service } from '../support/server-pod.ts';
import { request, tally } from '../support/traffic.ts';
import { waitFor } from '../support/wait.ts';

let system: System;

const peer = (name: string): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: { app: 'peers' } },
  spec: serverPodSpec({ port: 8080, spec: { hostname: name, subdomain: 'peers' } }),
});

const objects = [
  serverDeployment('web', 3, { port: 8080 }),
  service('web', { ports: [{ name: 'http', port: 80, targetPort: 'http' }] }),
  {
    ...service('web-node', {}),
    spec: { type: 'NodePort', selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080, nodePort: 30080 }] },
  },
  {
    ...service('web-sticky', {}),
    spec: { sessionAffinity: 'ClientIP', selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] },
  },
  { ...service('elsewhere', {}), spec: { type: 'ExternalName', externalName: 'web.default.svc.cluster.local' } },
  peer('one'),
  peer('two'),
  service('peers', { clusterIP: 'None', ports: [{ name: 'http', port: 8080 }] }),
];

before(async () => {
  isolateNetwork();
  system = await up();
  await applyObjects(system, objects);
  await readyPods(system, 'app=web', 3);
  await readyPods(system, 'app=peers', 2);
});

after(async () => {
  await succeed('sh', ['-c', 'ip netns del outside-fairlead-test 2>/dev/null; true']);
  await system[Symbol.asyncDispose]();
});

test('a node port answers from another network namespace', async () => {
  const script = `
    ip netns add outside-fairlead-test
    ip link add wan0 type veth peer name wan1 netns outside-fairlead-test
    ip addr add 192.0.2.1/24 dev wan0 && ip link set wan0 up
    ip -n outside-fairlead-test addr add 192.0.2.2/24 dev wan1
    ip -n outside-fairlead-test link set wan1 up && ip -n outside-fairlead-test link set lo up`;
  await succeed('sh', ['-ec', script]);
  const answer = await waitFor(
    () => succeed('ip', ['netns', 'exec', 'outside-fairlead-test', 'curl', '-sf', '-m', '2', 'http://192.0.2.1:30080']),
    { what: 'an answer on the node port' },
  );
  assert.match(answer, /^web-/);
});

test('session affinity holds a client on one Pod and moves it when that Pod goes', async () => {
  const target = { host: await clusterIp(system, 'web-sticky'), port: 80 };
  const first = await tally(target, 40);
  assert.equal(first.size, 1, `spread over ${[...first.keys()].join(', ')}`);
  const [pod = ''] = first.keys();
  await system.kubectl(['delete', 'pod', pod, '--wait=false']);
  const [moved = ''] = await waitFor(
    async () => {
      const counts = await tally(target, 20);
      return counts.size === 1 && !counts.has(pod) && [...counts.keys()];
    },
    { what: 'the client moving to another Pod' },
  );
  assert.notEqual(moved, pod);
});

test('an ExternalName is a CNAME that leads to the target', async () => {
  const answer = await lookUp(system, 'elsewhere.default.svc.cluster.local', 'A');
  assert.deepEqual(answer, ['web.default.svc.cluster.local.', await clusterIp(system, 'web')]);
});

test('headless Pods have names of their own', async () => {
  const found = await pods(system, 'app=peers');
  for (const { name, ip } of found) {
    assert.deepEqual(await lookUp(system, `${name}.peers.default.svc.cluster.local`, 'A'), [ip]);
    const body = await system.run(['exec', '--', 'curl', '-sf', `http://${name}.peers:8080/`]);
    assert.equal(body, name);
  }
  const all = await lookUp(system, 'peers.default.svc.cluster.local', 'A');
  assert.deepEqual(all.toSorted(), found.map((pod) => pod.ip).toSorted());
});

test('named ports have SRV records and addresses have PTR records', async () => {
  const ip = await clusterIp(system, 'web');
  const srv = await lookUp(system, '_http._tcp.web.default.svc.cluster.local', 'SRV');
  assert.equal(srv.length, 1);
  assert.match(srv[0] ?? '', /^\d+ \d+ 80 web\.default\.svc\.cluster\.local\.$/);
  const reverse = `${ip.split('.').toReversed().join('.')}.in-addr.arpa`;
  assert.deepEqual(await lookUp(system, reverse, 'PTR'), ['web.default.svc.cluster.local.']);
  const peers = await lookUp(system, '_http._tcp.peers.default.svc.cluster.local', 'SRV');
  assert.deepEqual(peers.map((line) => line.split(' ').slice(2).join(' ')).toSorted(), [
    '8080 one.peers.default.svc.cluster.local.',
    '8080 two.peers.default.svc.cluster.local.',
  ]);
});

test('a Service without endpoints refuses at once', async () => {
  await system.kubectl(['create', 'service', 'clusterip', 'nobody', '--tcp=80:80']);
  const host = await clusterIp(system, 'nobody');
  await waitFor(
    async () => {
      const error = await request({ host, port: 80 }, 1000).then(() => undefined, String);
      return error?.includes('ECONNREFUSED');
    },
    { what: 'the refusal' },
  );
});
