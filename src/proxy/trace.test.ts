import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Frontends } from './contract/frontends.ts';
import { ipv4, network } from './contract/worlds.ts';
import { type TraceContext, traceConnection, type TraceQuestion } from './trace.ts';

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

/** What a question adds to the explanation under other settings: the steps that are not in the plain one. */
function added(more: Partial<TraceContext>, question: Partial<TraceQuestion> = {}): string[] {
  const asked = {
    source: ipv4.sources.client,
    destination: '10.96.0.10',
    port: 80,
    protocol: 'TCP',
    ...question,
  } as const;
  const lines = (given: TraceContext) =>
    traceConnection(given, asked).steps.map((step) => `${step.title}: ${step.detail}`);
  const plain = new Set(lines({ ...context, frontends: [make.clusterIp(all)] }));
  return lines({ ...context, frontends: [make.clusterIp(all)], ...more }).filter((line) => !plain.has(line));
}

const byPlane: [string, Partial<TraceContext>, string, string][] = [
  [
    'nftables',
    { plane: 'nftables' },
    ipv4.sources.client,
    'nftables translates the first packet, and the kernel the rest of the connection alike',
  ],
  ['ipvs', { plane: 'ipvs' }, ipv4.sources.client, 'IPVS forwards every packet by its table of connections'],
  [
    'ebpf, a Pod of this node',
    { plane: 'ebpf' },
    ipv4.sources.client,
    'eBPF rewrites the address when the socket connects: no packet is translated',
  ],
];
for (const [title, more, source, way] of byPlane) {
  test(`trace: how ${title} brings it there`, () => assert.deepEqual(added(more, { source }), [`way: ${way}`]));
}

test('trace: what eBPF does not see goes through nftables', () => {
  assert.match(
    added({ plane: 'ebpf' }, { source: ipv4.sources.outside }).join(),
    /nftables.*callers on this node only/,
  );
});

test('trace: a scheduler that the plane lacks is said, one that it has is explained', () => {
  const frontends = (scheduler: 'lc' | 'rr') => [make.clusterIp(all, { scheduler })];
  assert.deepEqual(added({ frontends: frontends('rr') }), ['choice: rr: in turn']);
  assert.match(
    added({ frontends: frontends('lc'), plane: 'nftables' }).join(),
    /choice: lc: asked for, but nftables does not/,
  );
  assert.match(
    added({ frontends: frontends('lc'), plane: 'ipvs' }).join(),
    /choice: lc: the one with the fewest connections/,
  );
});

test('trace: masquerading of everything, resets, links of Pods, and a Pod that calls itself', () => {
  const masqueraded = added({ network: { ...network, masqueradeAll: true } });
  assert.deepEqual(masqueraded, ["source address: backends see the node's address"]);
  assert.deepEqual(added({ frontends: [make.clusterIp(all, { resetAfterSeconds: 30 })] }), [
    'removed backends: their connections are reset after 30 s',
  ]);
  assert.match(
    added({ network: { ...network, podLinks: ['cni*'] } }).join(),
    /told by the link they come through: cni\*/,
  );
  assert.match(
    traceConnection(context, { source: ipv4.pods.pod1, destination: '10.96.0.10', port: 80, protocol: 'TCP' })
      .steps.map(({ detail }) => detail)
      .join(),
    /kept, but for the caller's connections to itself/,
  );
});

test('trace: a range keeps the port that was called, and a port of its own comes before it', () => {
  const backends = all.backends.map((backend) => ({ ...backend, port: 8000 }));
  const range = make.make('ClusterIP', '10.96.0.11', 8000, { verdict: 'forward', backends }, { lastPort: 8999 });
  const single = make.make('ClusterIP', '10.96.0.11', 8100, make.forward('pod1'));
  const trace = (port: number) =>
    traceConnection(
      { ...context, frontends: [range, single] },
      { source: undefined, destination: '10.96.0.11', port, protocol: 'TCP' },
    );
  assert.match(trace(8500).steps[1]?.detail ?? '', /, ports 8000-8999$/);
  const { outcome } = trace(8500);
  assert.ok(outcome.kind === 'forwarded' && outcome.backends.every(({ backend }) => backend.port === 8500));
  assert.equal(trace(8100).frontend, single);
  assert.equal(trace(9000).outcome.kind, 'refused');
});

test('trace: node ports answer where they are asked to, and on loopback when that is on', () => {
  const at = (destination: string, more: Partial<typeof network>) =>
    traceConnection(
      { ...context, frontends: [nodePort], network: { ...network, ...more } },
      { source: undefined, destination, port: 30080, protocol: 'TCP' },
    );
  assert.equal(at('127.0.0.1', { nodePortLocalhost: true }).outcome.kind, 'forwarded');
  const elsewhere = at('192.0.2.1', { nodePortAddresses: ['198.51.100.0/24'] });
  assert.equal(elsewhere.outcome.kind, 'untouched');
  assert.match(elsewhere.steps[1]?.detail ?? '', /node ports answer on 198\.51\.100\.0\/24 only/);
});
