import { affinity, type Case, clusterIp, type Connect, many, nodePortService, tcp, udp } from '../case.ts';
import { nodePort } from '../world.ts';

const at = { port: nodePort } as const;
const three = { a1: 'web', b1: 'web', b2: 'web' } as const;
/** None of the clients that are forgotten is a server. */
const threeFar = { B: 'web', b1: 'web', b2: 'web' } as const;
const clients = ['A', 'a2'] as const;
const sixPorts = [8180, 8181, 8182, 8183, 8184, 8185] as const;
const servers = ['a1', 'b1', 'b2'];

/** Session affinity by client address. */
export const affinityCases: readonly Case[] = [
  {
    title: 'session affinity works for a cluster address, over TCP and UDP, and moves when the backend goes',
    steps: [
      {
        services: { web: clusterIp({ ...affinity(), ports: [tcp(), udp()] }) },
        pods: three,
        calls: [
          { from: 'a2', to: 'web', times: 12, expect: servers, isSticky: true },
          { from: 'outside', to: 'web', times: 12, expect: servers, isSticky: true },
          { from: 'A', to: 'web', times: 12, expect: servers, isSticky: true },
          { from: 'a2', to: 'web', protocol: 'UDP', times: 12, expect: servers, isSticky: true },
        ],
      },
      {
        pods: { a1: '', b1: '' },
        calls: [
          { from: 'a2', to: 'web', times: 5, expect: ['b2'] },
          { from: 'outside', to: 'web', times: 5, expect: ['b2'] },
          { from: 'a2', to: 'web', protocol: 'UDP', times: 5, expect: ['b2'] },
        ],
      },
      { pods: three, calls: [{ from: 'a2', to: 'web', times: 12, expect: ['b2'], isSticky: true }] },
    ],
  },
  {
    title: 'affinity leaves a backend at once when it is no longer ready',
    steps: [
      {
        services: { web: clusterIp(affinity()) },
        pods: { a1: 'web' },
        calls: [{ from: 'a2', to: 'web', times: 5, expect: ['a1'] }],
      },
      { pods: { a1: 'web unready', b1: 'web' }, calls: [{ from: 'a2', to: 'web', times: 12, expect: ['b1'] }] },
    ],
  },
  {
    title: 'session affinity of a cluster address is forgotten after its timeout',
    steps: [
      {
        services: {
          web: clusterIp({ ...affinity(1), ports: sixPorts.map((port) => tcp({ name: `p${port}`, port })) }),
        },
        pods: threeFar,
        calls: [
          {
            forgotten: sixPorts.flatMap((port) => clients.map((from) => sticky({ from, to: 'web', port }))),
            afterMs: 1400,
          },
        ],
      },
    ],
  },
  {
    title: 'session affinity may be switched on and off for a cluster address',
    steps: [
      {
        services: { web: clusterIp(affinity()) },
        pods: three,
        calls: [{ from: 'a2', to: 'web', times: 12, expect: servers, isSticky: true }],
      },
      { services: { web: clusterIp() }, calls: [{ from: 'a2', to: 'web', times: many, expect: servers }] },
      {
        services: { web: clusterIp(affinity()) },
        calls: [{ from: 'a2', to: 'web', times: 12, expect: servers, isSticky: true }],
      },
    ],
  },
  {
    title: 'session affinity works for a node port, over TCP and UDP',
    steps: [
      {
        services: { web: nodePortService({ ...affinity(), ports: [tcp({ nodePort }), udp({ nodePort })] }) },
        pods: three,
        calls: [
          { from: 'outside', to: 'A', ...at, times: 12, expect: servers, isSticky: true },
          { from: 'outside', to: 'A', ...at, protocol: 'UDP', times: 12, expect: servers, isSticky: true },
          { from: 'A', to: 'A', ...at, times: 12, expect: servers, isSticky: true },
          { from: 'a2', to: 'A', ...at, times: 12, expect: servers, isSticky: true },
        ],
      },
    ],
  },
  {
    title: 'session affinity of node ports is forgotten after its timeout',
    steps: [
      {
        services: {
          web: nodePortService({
            ...affinity(1),
            ports: sixPorts.map((port, index) => tcp({ name: `p${port}`, port, nodePort: nodePort + index })),
          }),
        },
        pods: threeFar,
        calls: [
          {
            forgotten: sixPorts.flatMap((_, index) =>
              clients.map((from) => sticky({ from, to: 'A', port: nodePort + index })),
            ),
            afterMs: 1400,
          },
        ],
      },
    ],
  },
  {
    title: 'session affinity may be switched on and off for a node port',
    steps: [
      {
        services: { web: nodePortService(affinity()) },
        pods: three,
        calls: [
          { from: 'outside', to: 'A', ...at, times: 12, expect: servers, isSticky: true },
          { from: 'A', to: 'A', ...at, times: 12, expect: servers, isSticky: true },
        ],
      },
      {
        services: { web: nodePortService() },
        calls: [
          { from: 'outside', to: 'A', ...at, times: many, expect: servers },
          { from: 'A', to: 'A', ...at, times: many, expect: servers },
        ],
      },
      {
        services: { web: nodePortService(affinity()) },
        calls: [
          { from: 'outside', to: 'A', ...at, times: 12, expect: servers, isSticky: true },
          { from: 'A', to: 'A', ...at, times: 12, expect: servers, isSticky: true },
        ],
      },
    ],
  },
  {
    title: 'session affinity and externalTrafficPolicy Local hold together',
    steps: [
      {
        services: { web: nodePortService({ ...affinity(), externalTrafficPolicy: 'Local' }) },
        pods: { a1: 'web', a2: 'web', b1: 'web' },
        calls: [
          { from: 'outside', to: 'A', ...at, times: 12, expect: ['a1', 'a2'], isSticky: true, source: 'kept' },
          { from: 'outside', to: 'B', ...at, times: 12, expect: ['b1'] },
          { from: 'A', to: 'A', ...at, times: 12, expect: ['a1', 'a2', 'b1'], isSticky: true },
        ],
      },
    ],
  },
];

function sticky(call: Pick<Connect, 'from' | 'to' | 'port'>): Connect {
  return { ...call, times: 3, expect: ['B', 'b1', 'b2'], isSticky: true };
}
