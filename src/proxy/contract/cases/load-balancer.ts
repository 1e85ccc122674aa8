import {
  affinity,
  type Case,
  clusterIp,
  type Connect,
  loadBalancer,
  many,
  nodePortService,
  tcp,
  udp,
} from '../case.ts';
import { nodePort, servicePort } from '../world.ts';

const localOutside = { externalTrafficPolicy: 'Local' } as const;
const overUdp = { protocol: 'UDP' } as const;
const healthPort = nodePort + 1;

/** Load balancer addresses, external addresses, and what comes from outside by way of them. */
export const loadBalancerCases: readonly Case[] = [
  {
    title: 'a load balancer changes its type and its ports, over TCP and UDP',
    steps: [
      {
        services: { web: clusterIp({ ports: [tcp(), udp()] }) },
        pods: { a1: 'web', b1: 'web' },
        calls: [{ from: 'a2', to: 'web', times: many, expect: ['a1', 'b1'] }],
      },
      {
        services: { web: loadBalancer({ ports: [tcp({ nodePort }), udp({ nodePort })] }) },
        calls: [
          { from: 'outside', to: 'balancer-A', times: many, expect: ['a1', 'b1'], source: 'masqueraded' },
          { from: 'outside', to: 'balancer-B', ...overUdp, times: many, expect: ['a1', 'b1'], source: 'masqueraded' },
          { from: 'outside', to: 'A', port: nodePort, times: many, expect: ['a1', 'b1'] },
          { from: 'outside', to: 'A', port: nodePort, ...overUdp, times: many, expect: ['a1', 'b1'] },
        ],
      },
      {
        services: { web: loadBalancer({ ports: [tcp({ port: 8190, nodePort: nodePort + 2 }), udp({ nodePort })] }) },
        calls: [
          { from: 'outside', to: 'balancer-A', port: 8190, times: many, expect: ['a1', 'b1'] },
          { from: 'outside', to: 'A', port: nodePort + 2, expect: ['a1', 'b1'] },
          { from: 'outside', to: 'A', port: nodePort, expect: 'refused' },
          { from: 'outside', to: 'balancer-A', ...overUdp, expect: ['a1', 'b1'] },
        ],
      },
      {
        services: { web: clusterIp() },
        calls: [
          { from: 'outside', to: 'A', port: nodePort + 2, expect: 'refused' },
          { from: 'a2', to: 'web', expect: ['a1', 'b1'] },
        ],
      },
    ],
  },
  {
    title: 'a load balancer without endpoints is refused',
    steps: [
      {
        services: { web: loadBalancer({ ports: [tcp({ nodePort }), udp({ nodePort })] }) },
        calls: [
          { from: 'outside', to: 'balancer-A', expect: 'refused' },
          { from: 'outside', to: 'balancer-A', ...overUdp, expect: 'refused' },
          { from: 'a2', to: 'balancer-A', expect: 'refused' },
        ],
      },
    ],
  },
  {
    title: 'Pods and nodes reach a load balancer address without leaving the cluster',
    steps: [
      {
        services: { web: loadBalancer() },
        pods: { a1: 'web', b1: 'web' },
        calls: [
          { from: 'a2', to: 'balancer-A', times: many, expect: ['a1', 'b1'] },
          { from: 'b2', to: 'balancer-B', times: many, expect: ['a1', 'b1'] },
          { from: 'A', to: 'balancer-B', times: many, expect: ['a1', 'b1'] },
        ],
      },
    ],
  },
  {
    title: 'endpoints on the same port and different protocols serve internal traffic of a load balancer',
    steps: [
      {
        services: { web: loadBalancer({ ports: [tcp({ nodePort }), udp({ nodePort })] }) },
        pods: { a1: 'web' },
        calls: [
          { from: 'a2', to: 'web', expect: ['a1'] },
          { from: 'a2', to: 'web', ...overUdp, expect: ['a1'] },
          { from: 'a2', to: 'balancer-A', expect: ['a1'] },
          { from: 'a2', to: 'balancer-A', ...overUdp, expect: ['a1'] },
        ],
      },
    ],
  },
  {
    title: 'source ranges let only their sources in to load balancer addresses, and not to node ports',
    steps: [
      {
        services: { web: loadBalancer({ loadBalancerSourceRanges: ['outside'] }) },
        pods: { a1: 'web' },
        calls: [
          { from: 'outside', to: 'balancer-A', expect: ['a1'] },
          { from: 'a2', to: 'balancer-A', expect: 'timeout' },
          { from: 'A', to: 'A', port: nodePort, expect: ['a1'] },
          { from: 'b2', to: 'A', port: nodePort, expect: ['a1'] },
        ],
      },
      {
        services: { web: loadBalancer({ loadBalancerSourceRanges: ['a2'] }) },
        calls: [
          { from: 'outside', to: 'balancer-A', expect: 'timeout' },
          { from: 'a2', to: 'balancer-A', expect: ['a1'] },
          { from: 'outside', to: 'A', port: nodePort, expect: ['a1'] },
        ],
      },
      { services: { web: loadBalancer() }, calls: [{ from: 'outside', to: 'balancer-A', expect: ['a1'] }] },
    ],
  },
  {
    title: 'a load balancer may have no node ports, and get them later',
    steps: [
      {
        services: { web: loadBalancer({ allocateLoadBalancerNodePorts: false, ports: [tcp()] }) },
        pods: { a1: 'web' },
        calls: [
          { from: 'outside', to: 'balancer-A', expect: ['a1'] },
          { from: 'outside', to: 'A', port: nodePort, expect: 'refused' },
        ],
      },
      {
        services: { web: loadBalancer() },
        calls: [
          { from: 'outside', to: 'balancer-A', expect: ['a1'] },
          { from: 'outside', to: 'A', port: nodePort, expect: ['a1'] },
        ],
      },
    ],
  },
  {
    title: 'a load balancer address of ipMode Proxy is not taken: packets go out to it',
    steps: [
      {
        services: { web: { ...loadBalancer(), ipMode: 'Proxy' } },
        pods: { a1: 'web' },
        calls: [
          { from: 'a2', to: 'balancer-A', expect: 'timeout', instead: 'refused' },
          { from: 'outside', to: 'A', port: nodePort, expect: ['a1'] },
        ],
      },
      {
        services: { web: { ...loadBalancer(), ipMode: 'VIP' } },
        calls: [{ from: 'a2', to: 'balancer-A', expect: ['a1'] }],
      },
    ],
  },
  {
    title: 'session affinity of a load balancer works, with and without Local, and may be switched',
    steps: [
      {
        services: { web: loadBalancer(affinity()) },
        pods: { a1: 'web', a2: 'web', b1: 'web' },
        calls: [{ from: 'outside', to: 'balancer-A', times: 12, expect: ['a1', 'a2', 'b1'], isSticky: true }],
      },
      {
        services: { web: loadBalancer() },
        calls: [{ from: 'outside', to: 'balancer-A', times: many, expect: ['a1', 'a2', 'b1'] }],
      },
      {
        services: { web: loadBalancer({ ...affinity(), ...localOutside }) },
        calls: [{ from: 'outside', to: 'balancer-A', times: 12, expect: ['a1', 'a2'], isSticky: true, source: 'kept' }],
      },
      {
        services: { web: loadBalancer(localOutside) },
        calls: [{ from: 'outside', to: 'balancer-A', times: many, expect: ['a1', 'a2'], source: 'kept' }],
      },
    ],
  },
  {
    title:
      'ESIPP: a load balancer of policy Local keeps the client address, and its health check counts local endpoints',
    steps: [
      {
        services: { web: loadBalancer({ ...localOutside, healthCheckNodePort: healthPort }) },
        pods: { a1: 'web', a2: 'web' },
        calls: [
          { from: 'outside', to: 'balancer-A', times: many, expect: ['a1', 'a2'], source: 'kept' },
          { from: 'outside', to: 'A', port: nodePort, times: many, expect: ['a1', 'a2'], source: 'kept' },
          { from: 'outside', health: 'A', port: healthPort, expect: 2 },
          { from: 'outside', health: 'B', port: healthPort, expect: 0 },
        ],
      },
    ],
  },
  {
    title: 'ESIPP: only nodes with local endpoints answer, as endpoints move',
    steps: [
      {
        services: { web: loadBalancer({ ...localOutside, healthCheckNodePort: healthPort }) },
        pods: { a1: 'web' },
        calls: onlyAt('A', 'a1'),
      },
      { pods: { a1: '', b1: 'web' }, calls: onlyAt('B', 'b1') },
    ],
  },
  {
    title: 'ESIPP: Pods reach a load balancer of policy Local from every node, with their own address',
    steps: [
      {
        services: { web: loadBalancer(localOutside) },
        pods: { b1: 'web' },
        calls: [
          { from: 'a2', to: 'balancer-A', times: 3, expect: ['b1'], source: 'kept' },
          { from: 'b2', to: 'balancer-B', times: 3, expect: ['b1'], source: 'kept' },
          { from: 'A', to: 'balancer-A', times: 3, expect: ['b1'] },
        ],
      },
    ],
  },
  {
    title: 'ESIPP: changes of the policy change who answers and what is seen, and back',
    steps: [
      {
        services: { web: loadBalancer({ ...localOutside, healthCheckNodePort: healthPort }) },
        pods: { a1: 'web' },
        calls: onlyAt('A', 'a1'),
      },
      {
        services: { web: loadBalancer() },
        calls: [
          { from: 'outside', to: 'balancer-A', expect: ['a1'], source: 'masqueraded' },
          { from: 'outside', to: 'balancer-B', expect: ['a1'], source: 'masqueraded' },
          { from: 'outside', health: 'A', port: healthPort, expect: 'refused' },
        ],
      },
      {
        services: { web: loadBalancer({ ...localOutside, healthCheckNodePort: healthPort }) },
        calls: onlyAt('A', 'a1'),
      },
    ],
  },
  {
    title: 'a UDP client of a load balancer is served on when its backend cycles on the same node',
    steps: cyclingUdp('a1', 'a2', 'balancer-A'),
  },
  {
    title: 'a UDP client of a load balancer is served on when its backend cycles to another node',
    steps: cyclingUdp('a1', 'b1', 'balancer-B'),
  },
  {
    title: 'a rolling update disturbs no client of a load balancer with policy Cluster',
    steps: rolling({}, 'outside', 'balancer-A'),
  },
  {
    title: 'a rolling update disturbs no client of a load balancer with policy Local',
    steps: [
      { services: { web: loadBalancer(localOutside) }, pods: { a1: 'web' } },
      { pods: { a2: 'web' }, meanwhile: [{ from: 'outside', to: 'balancer-A', times: 5, expect: ['a1', 'a2'] }] },
      {
        pods: { a1: 'web terminating' },
        meanwhile: [{ from: 'outside', to: 'balancer-A', times: 5, expect: ['a1', 'a2'] }],
      },
      { pods: { a1: '' }, meanwhile: [{ from: 'outside', to: 'balancer-A', times: 5, expect: ['a2'] }] },
    ],
  },
  {
    title: 'a rolling update disturbs no client of a cluster address',
    steps: rolling({}, 'a2', 'web'),
  },
  {
    title: 'external addresses are not served unless they are allowed',
    steps: [
      {
        services: { web: clusterIp({ externalIPs: ['external'] }) },
        pods: { a1: 'web' },
        calls: [
          { from: 'a2', to: 'external', expect: 'timeout', instead: 'refused' },
          { from: 'a2', to: 'web', expect: ['a1'] },
        ],
      },
    ],
  },
  {
    title: 'a Service is reached by an external address that no node has, when they are allowed',
    allowExternalIps: true,
    steps: [
      {
        services: { web: clusterIp({ externalIPs: ['external'], ports: [tcp(), udp()] }) },
        pods: { a1: 'web', b1: 'web' },
        calls: [
          { from: 'a2', to: 'external', times: many, expect: ['a1', 'b1'] },
          { from: 'A', to: 'external', times: many, expect: ['a1', 'b1'] },
          { from: 'outside', to: 'external', times: many, expect: ['a1', 'b1'], source: 'masqueraded' },
          { from: 'outside', to: 'external', ...overUdp, times: many, expect: ['a1', 'b1'] },
        ],
      },
      {
        services: { web: clusterIp({ externalIPs: ['external'], externalTrafficPolicy: 'Local' }) },
        calls: [{ from: 'outside', to: 'external', times: 12, expect: ['a1'], source: 'kept' }],
      },
    ],
  },
  {
    title: 'nobody takes over a cluster address by naming it as an external one',
    allowExternalIps: true,
    steps: [
      {
        services: {
          web: clusterIp(),
          db: nodePortService({ externalIPs: ['web'], ports: [tcp({ port: servicePort })] }),
        },
        pods: { a1: 'web', b1: 'db' },
        calls: [{ from: 'a2', to: 'web', times: 12, expect: ['a1'] }],
      },
    ],
  },
];

function onlyAt(node: 'A' | 'B', server: string): Case['steps'][number]['calls'] {
  const other = node === 'A' ? 'B' : 'A';
  return [
    { from: 'outside', to: `balancer-${node}`, times: 3, expect: [server], source: 'kept' },
    { from: 'outside', to: node, port: nodePort, times: 3, expect: [server], source: 'kept' },
    { from: 'outside', to: `balancer-${other}`, expect: 'timeout' },
    { from: 'outside', to: other, port: nodePort, expect: 'timeout' },
    { from: 'outside', health: node, port: healthPort, expect: 1 },
    { from: 'outside', health: other, port: healthPort, expect: 0 },
  ];
}

function cyclingUdp(first: 'a1', second: 'a2' | 'b1', to: Connect['to']): Case['steps'] {
  return [
    {
      services: { web: loadBalancer({ ports: [udp({ nodePort })] }) },
      pods: { [first]: 'web' },
      calls: [{ from: 'outside', to, ...overUdp, expect: [first], hold: 'flow' }],
    },
    { pods: { [first]: '', [second]: 'web' }, calls: [{ from: 'outside', again: 'flow', expect: [second] }] },
    { pods: { [first]: 'web', [second]: '' }, calls: [{ from: 'outside', again: 'flow', expect: [first] }] },
  ];
}

/** Each Pod is replaced by one on the other node: the new one comes, the old one drains, then goes. */
function rolling(spec: Parameters<typeof loadBalancer>[0], from: Connect['from'], to: Connect['to']): Case['steps'] {
  const among = (...expect: string[]): readonly Connect[] => [{ from, to, times: 5, expect }];
  return [
    { services: { web: loadBalancer(spec) }, pods: { a1: 'web', b1: 'web' } },
    { pods: { b2: 'web' }, meanwhile: among('a1', 'b1', 'b2') },
    { pods: { a1: 'web terminating' }, meanwhile: among('a1', 'b1', 'b2') },
    { pods: { a1: '', b1: 'web terminating' }, meanwhile: among('b1', 'b2') },
    { pods: { b1: '' }, meanwhile: among('b2') },
  ];
}
