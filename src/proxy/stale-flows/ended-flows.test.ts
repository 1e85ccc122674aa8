import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TrackedConnection } from '../../linux/conntrack.ts';
import type { Frontend } from '../../routing/frontend.ts';
import { Frontends } from '../contract/frontends.ts';
import { ipv4, ipv6 } from '../contract/worlds.ts';
import { parseBackendName } from '../backend-name.ts';
import { endedByChange, type EndedFlows, EndedFlowsIndex } from './ended-flows.ts';

const make = new Frontends(ipv4);
const [address] = ipv4.services;
const { pod1, pod2, pod3 } = ipv4.pods;
const udp = (...pods: ('pod1' | 'pod2' | 'pod3')[]) => make.clusterIp(make.forward(...pods), { protocol: 'UDP' });
const refused = make.clusterIp({ verdict: 'reject', backends: [] }, { protocol: 'UDP' });

interface Row {
  readonly title: string;
  readonly old: Frontend | undefined;
  readonly next: Frontend | undefined;
  /** Where flows to the frontend lead, and which of them end; undefined: none is looked for. */
  readonly ends: readonly string[] | undefined;
}

const untouched = `${address}:80`;
const everywhere = [`${pod1}:8080`, `${pod2}:8080`, `${pod3}:8080`, untouched];
const rows: readonly Row[] = [
  { title: 'a backend that comes ends nothing', old: udp('pod1'), next: udp('pod1', 'pod2'), ends: undefined },
  {
    title: 'a backend that goes ends what leads to none that stays',
    old: udp('pod1', 'pod2'),
    next: udp('pod2'),
    ends: [`${pod1}:8080`, `${pod3}:8080`, untouched],
  },
  {
    title: 'the first backend ends what went elsewhere or nowhere',
    old: refused,
    next: udp('pod1'),
    ends: [`${pod2}:8080`, `${pod3}:8080`, untouched],
  },
  {
    title: 'a new frontend ends what was sent before it was there',
    old: undefined,
    next: udp('pod1', 'pod2', 'pod3'),
    ends: [untouched],
  },
  {
    title: 'the last backend to go ends its own flows only',
    old: udp('pod1'),
    next: refused,
    ends: [`${pod1}:8080`],
  },
  {
    title: 'a removed frontend ends the flows to its backends only',
    old: udp('pod1', 'pod2'),
    next: undefined,
    ends: [`${pod1}:8080`, `${pod2}:8080`],
  },
  { title: 'refused before and after ends nothing', old: refused, next: refused, ends: undefined },
  { title: 'a removed frontend that had no backend ends nothing', old: refused, next: undefined, ends: undefined },
  {
    title: 'a backend of weight 0 keeps its flows',
    old: udp('pod1', 'pod2'),
    next: {
      ...udp('pod1', 'pod2'),
      internal: { verdict: 'forward', backends: [make.backend('pod1', 0), make.backend('pod2')] },
    },
    ends: undefined,
  },
  {
    title: 'a backend that only outside callers keep is kept',
    old: udp('pod1', 'pod2'),
    next: { ...udp('pod1'), external: make.forward('pod2') },
    ends: undefined,
  },
  {
    title: 'TCP is never ended by the change itself',
    old: make.clusterIp(make.forward('pod1')),
    next: make.clusterIp(make.forward('pod2')),
    ends: undefined,
  },
  {
    title: 'nor is SCTP, whose ends watch each other',
    old: make.clusterIp(make.forward('pod1'), { protocol: 'SCTP' }),
    next: undefined,
    ends: undefined,
  },
];

for (const { title, old, next, ends } of rows) {
  test(title, () => {
    const ended = endedByChange(old, next);
    if (ended === undefined) return assert.equal(ends, undefined);
    const index = new EndedFlowsIndex([ended], new Set());
    assert.deepEqual(
      everywhere.filter((target) => index.endOf(flow(address, 80, target)) !== undefined),
      ends,
    );
  });
}

test('a node port is called on the addresses of this node, whatever it was translated to', () => {
  const nodePort = make.make('NodePort', undefined, 30053, make.forward('pod1'), { protocol: 'UDP' });
  const ended = endedByChange(nodePort, {
    ...nodePort,
    internal: make.forward('pod2'),
    external: make.forward('pod2'),
  });
  const index = new EndedFlowsIndex(present(ended), new Set([ipv4.node, '127.0.0.1']));
  const ends = (to: string, port: number, target: string) => index.endOf(flow(to, port, target)) !== undefined;
  assert.ok(ends(ipv4.node, 30053, `${pod1}:8080`));
  assert.ok(ends('127.0.0.1', 30053, '127.0.0.1:30053'), 'sent before anyone translated it');
  assert.ok(!ends(ipv4.node, 30053, `${pod2}:8080`));
  assert.ok(!ends(ipv4.node, 30054, `${pod1}:8080`));
  assert.ok(!ends('198.51.100.9', 30053, '198.51.100.9:30053'), 'on the way through to another machine');
});

test('flows of a range of ports lead to the port that was called', () => {
  const range = (...pods: ('pod1' | 'pod2')[]): Frontend => {
    const backends = make.forward(...pods).backends.map((backend) => ({ ...backend, port: 7000 }));
    const target = { verdict: 'forward', backends } as const;
    return make.make('ClusterIP', address, 7000, target, { protocol: 'UDP', lastPort: 7010 });
  };
  const index = new EndedFlowsIndex(present(endedByChange(range('pod1', 'pod2'), range('pod2'))), new Set());
  const ends = (port: number, target: string) => index.endOf(flow(address, port, target)) !== undefined;
  assert.ok(ends(7005, `${pod1}:7005`));
  assert.ok(ends(7010, `${address}:7010`));
  assert.ok(!ends(7005, `${pod2}:7005`));
  assert.ok(ends(7005, `${pod2}:7006`), 'not by this frontend');
  assert.ok(!ends(7011, `${pod1}:7011`));
});

test('IPv6 flows are told apart as well', () => {
  const six = new Frontends(ipv6);
  const old = six.clusterIp(six.forward('pod1'), { protocol: 'UDP' });
  const index = new EndedFlowsIndex(present(endedByChange(old, undefined)), new Set());
  assert.ok(index.endOf(flow(ipv6.services[0], 80, `[${ipv6.pods.pod1}]:8080`)));
  assert.ok(!index.endOf(flow(ipv6.services[0], 80, `[${ipv6.pods.pod2}]:8080`)));
});

function present(ended: EndedFlows | undefined): EndedFlows[] {
  assert.ok(ended);
  return [ended];
}

/** A flow to an address that answers from `target`. */
function flow(destination: string, destinationPort: number, target: string): TrackedConnection {
  const from = parseBackendName(target);
  return {
    family: destination.includes(':') ? 'IPv6' : 'IPv4',
    original: { source: ipv4.sources.client, sourcePort: 40_000, destination, destinationPort },
    reply: {
      source: from.address,
      sourcePort: from.port,
      destination: ipv4.sources.client,
      destinationPort: 40_000,
    },
    identity: Buffer.alloc(0),
  };
}
