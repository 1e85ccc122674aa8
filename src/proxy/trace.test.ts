import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Frontend } from '../routing/frontend.ts';
import { Frontends } from './contract/cases.ts';
import { ipv4, network } from './contract/worlds.ts';
import { compareWithPlane, traceConnection, type TraceQuestion } from './trace.ts';

const make = new Frontends(ipv4);
const all = make.forward('pod1', 'pod2', 'pod3');
const web = make.clusterIp(all, { affinity: { timeoutSeconds: 60 } });
const nodePort = make.make('NodePort', undefined, 30080, all, {
  external: make.forward('pod1'),
  masquerade: 'never',
});
const balancer = make.make('LoadBalancer', ipv4.external, 80, all, { sourceRanges: ['192.0.2.0/30'] });
const context = { frontends: [web, nodePort, balancer], network, nodeAddresses: ['192.0.2.1', '127.0.0.1'] };

const cases: { title: string; question: Partial<TraceQuestion>; steps: string[]; outcome: string }[] = [
  {
    title: 'a Pod calls a cluster address',
    question: { source: ipv4.sources.client, destination: '10.96.0.10', port: 80 },
    steps: [
      'caller: 10.244.0.20: a Pod of this node',
      'frontend: 10.96.0.10:80/TCP is the ClusterIP of test/web, port http',
      'policy: cluster address: the same backends for every caller',
      'backends: 10.244.0.11:8080 (test/pod1) 33.3 %, 10.244.0.12:8080 (test/pod2) 33.3 %, 10.244.1.13:8080 (test/pod3) 33.3 %',
      'affinity: a client stays with its backend until it was silent for 60 s',
      'source address: kept',
    ],
    outcome: 'forwarded',
  },
  {
    title: 'outside calls a node port of a Local Service',
    question: { source: ipv4.sources.outside, destination: '192.0.2.1', port: 30080 },
    steps: [
      'caller: 192.0.2.100: outside the cluster',
      'frontend: *:30080/TCP is the NodePort of test/web, port http',
      'policy: externalTrafficPolicy Local: 1 of 3 backends are on this node',
      'backends: 10.244.0.11:8080 (test/pod1) 100 %',
      'source address: kept',
    ],
    outcome: 'forwarded',
  },
  {
    title: 'a caller that source ranges shut out',
    question: { source: ipv4.sources.outside, destination: ipv4.external, port: 80 },
    steps: [
      'caller: 192.0.2.100: outside the cluster',
      'frontend: 203.0.113.80:80/TCP is the LoadBalancer of test/web, port http',
      'policy: externalTrafficPolicy Cluster: backends of every node',
      'source ranges: only 192.0.2.0/30 may call: ignored',
    ],
    outcome: 'ignored',
  },
  {
    title: 'a port the Service does not have',
    question: { destination: '10.96.0.10', port: 81 },
    steps: [
      'caller: a process of this node',
      'frontend: 10.96.0.10 is test/web, which has no port 81/TCP, only 80/TCP',
    ],
    outcome: 'refused',
  },
  {
    title: 'an address no Service has',
    question: { destination: '10.96.9.9', port: 80 },
    steps: ['caller: a process of this node', 'frontend: 10.96.9.9 is in the Service range, but no Service has it'],
    outcome: 'ignored',
  },
  {
    title: "a Pod's own address, as headless Services give",
    question: { destination: '10.244.0.11', port: 8080 },
    steps: [
      'caller: a process of this node',
      "frontend: 10.244.0.11 is a Pod's own address (it serves test/web): called directly, as headless Services do; no Service takes part",
    ],
    outcome: 'untouched',
  },
  {
    title: 'a node port on loopback',
    question: { destination: '127.0.0.1', port: 30080 },
    steps: [
      'caller: a process of this node',
      'frontend: port 30080 is a node port, but node ports do not answer on loopback',
    ],
    outcome: 'untouched',
  },
];

for (const { title, question, steps, outcome } of cases) {
  test(`trace: ${title}`, () => {
    const trace = traceConnection(context, {
      source: undefined,
      destination: '',
      port: 0,
      protocol: 'TCP',
      ...question,
    });
    assert.deepEqual(
      trace.steps.map((step) => `${step.title}: ${step.detail}`),
      steps,
    );
    assert.equal(trace.outcome.kind, outcome);
  });
}

test('the check against the kernel says what differs', () => {
  const old: Frontend = make.clusterIp(make.forward('pod1', 'pod2'));
  assert.equal(compareWithPlane(web, [web]).detail, 'in force exactly so');
  assert.equal(compareWithPlane(web, []).detail, '10.96.0.10:80/TCP is not in force here');
  assert.equal(compareWithPlane(web, [old]).detail, 'not in force: 10.244.1.13:8080');
  assert.equal(compareWithPlane(old, [web]).detail, 'still in force: 10.244.1.13:8080');
});
