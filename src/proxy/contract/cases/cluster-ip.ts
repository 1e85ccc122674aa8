import { affinity, type Case, clusterIp, type Connect, many, tcp, udp } from '../case.ts';
import { families, otherTargetPort } from '../world.ts';

/** Cluster addresses: spreading, refusing, ports and protocols, and how Services come and go. */
export const clusterIpCases: readonly Case[] = [
  {
    title: 'a Service serves a basic endpoint from Pods, as they come and go',
    steps: [
      { services: { web: clusterIp() }, calls: [{ from: 'a2', to: 'web', expect: 'refused' }] },
      {
        pods: { a1: 'web', b1: 'web', b2: 'web' },
        calls: [
          { from: 'a2', to: 'web', times: many, expect: ['a1', 'b1', 'b2'] },
          { from: 'A', to: 'web', times: many, expect: ['a1', 'b1', 'b2'] },
          { from: 'B', to: 'web', times: many, expect: ['a1', 'b1', 'b2'] },
          { from: 'outside', to: 'web', times: many, expect: ['a1', 'b1', 'b2'] },
        ],
      },
      { pods: { b1: '' }, calls: [{ from: 'a2', to: 'web', times: many, expect: ['a1', 'b2'] }] },
      { pods: { a1: '', b2: '' }, calls: [{ from: 'a2', to: 'web', expect: 'refused' }] },
    ],
  },
  {
    title: 'UDP spreads as well, each socket its own draw',
    steps: [
      {
        services: { web: clusterIp({ ports: [udp()] }) },
        pods: { a1: 'web', b1: 'web', b2: 'web' },
        calls: [
          { from: 'a2', to: 'web', protocol: 'UDP', times: many, expect: ['a1', 'b1', 'b2'] },
          { from: 'A', to: 'web', protocol: 'UDP', times: many, expect: ['a1', 'b1', 'b2'] },
          { from: 'B', to: 'web', protocol: 'UDP', times: many, expect: ['a1', 'b1', 'b2'] },
        ],
      },
    ],
  },
  {
    title: 'a Service serves multiport endpoints from Pods',
    steps: [
      {
        services: {
          web: clusterIp({
            ports: [tcp({ name: 'one' }), tcp({ name: 'two', port: 8181, targetPort: otherTargetPort })],
          }),
        },
        pods: { a1: 'web', b1: 'web' },
        calls: [
          { from: 'a2', to: 'web', times: many, expect: ['a1', 'b1'] },
          { from: 'a2', to: 'web', port: 8181, times: many, expect: ['a1:8081', 'b1:8081'] },
        ],
      },
    ],
  },
  {
    title: 'a Service is updated after adding or deleting ports',
    steps: [
      {
        services: { web: clusterIp() },
        pods: { a1: 'web' },
        calls: [
          { from: 'a2', to: 'web', expect: ['a1'] },
          { from: 'a2', to: 'web', port: 8181, expect: 'refused' },
        ],
      },
      {
        services: { web: clusterIp({ ports: [tcp(), tcp({ name: 'more', port: 8181 })] }) },
        calls: [
          { from: 'a2', to: 'web', expect: ['a1'] },
          { from: 'a2', to: 'web', port: 8181, expect: ['a1'] },
        ],
      },
      {
        services: { web: clusterIp({ ports: [tcp({ name: 'more', port: 8181 })] }) },
        calls: [
          { from: 'a2', to: 'web', expect: 'refused' },
          { from: 'a2', to: 'web', port: 8181, expect: ['a1'] },
        ],
      },
    ],
  },
  {
    title: 'the address of a Pod is preserved through a cluster address, that of others is not',
    steps: [
      {
        services: { web: clusterIp() },
        pods: { a1: 'web', b1: 'web' },
        calls: [
          { from: 'a2', to: 'web', times: many, expect: ['a1', 'b1'], source: 'kept' },
          { from: 'b2', to: 'web', times: many, expect: ['a1', 'b1'], source: 'kept' },
          { from: 'outside', to: 'web', times: many, expect: ['a1', 'b1'], source: 'masqueraded' },
        ],
      },
    ],
  },
  {
    title: 'a Pod hairpins back to itself through its Service, as its node',
    steps: [
      {
        services: { web: clusterIp({ ports: [tcp(), udp()] }) },
        pods: { a1: 'web' },
        calls: (['TCP', 'UDP'] as const).map((protocol): Connect => {
          const call = { from: 'a1', to: 'web', protocol, times: 3, expect: ['a1'] } as const;
          return { ...call, source: 'masqueraded', sourceNeeds: ['hairpin-masquerade'] };
        }),
      },
    ],
  },
  {
    title: 'Services go up and down without disturbing others',
    steps: [
      {
        services: { web: clusterIp(), db: clusterIp() },
        pods: { a1: 'web', b1: 'db' },
        calls: [
          { from: 'a2', to: 'web', expect: ['a1'] },
          { from: 'a2', to: 'db', expect: ['b1'] },
        ],
      },
      {
        services: { web: null, cache: clusterIp({ selector: { app: 'db' } }) },
        calls: [
          { from: 'a2', to: 'web', expect: 'timeout', instead: 'refused' },
          { from: 'a2', to: 'db', expect: ['b1'] },
          { from: 'a2', to: 'cache', expect: ['b1'] },
        ],
      },
    ],
  },
  {
    title: 'a Service works after it has been recreated',
    steps: [
      { services: { web: clusterIp() }, pods: { a1: 'web' }, calls: [{ from: 'a2', to: 'web', expect: ['a1'] }] },
      { services: { web: null }, calls: [{ from: 'a2', to: 'web', expect: 'timeout', instead: 'refused' }] },
      { services: { web: clusterIp() }, calls: [{ from: 'a2', to: 'web', expect: ['a1'] }] },
    ],
  },
  {
    title: 'a connection is refused when no endpoints exist, from everywhere, over TCP and UDP',
    steps: [
      {
        services: { web: clusterIp({ ports: [tcp(), udp()] }) },
        calls: (['a2', 'b2', 'A', 'B', 'outside'] as const).flatMap((from) => [
          { from, to: 'web', expect: 'refused' as const },
          { from, to: 'web', protocol: 'UDP' as const, expect: 'refused' as const },
        ]),
      },
    ],
  },
  {
    title: 'a connection is refused for evicted Pods (no endpoints exist)',
    steps: [
      {
        services: { web: clusterIp() },
        pods: { a1: 'web failed', b1: 'web failed' },
        calls: [
          { from: 'a2', to: 'web', expect: 'refused' },
          { from: 'B', to: 'web', expect: 'refused' },
        ],
      },
    ],
  },
  {
    title: 'an unused port of a cluster address is refused, an unused address of the range ignored',
    steps: [
      {
        services: { web: clusterIp() },
        pods: { a1: 'web' },
        calls: [
          { from: 'a2', to: 'web', port: 8199, expect: 'refused' },
          { from: 'A', to: 'web', port: 8199, expect: 'refused' },
          { from: 'a2', to: 'unallocated', expect: 'timeout', instead: 'refused' },
          { from: 'a2', to: 'db', expect: 'timeout', instead: 'refused' },
        ],
      },
    ],
  },
  {
    title: 'endpoints on the same port and different protocols are two frontends',
    steps: [
      {
        services: { web: clusterIp({ selector: {}, ports: [tcp(), udp()] }) },
        slices: {
          tcp: { service: 'web', endpoints: { a1: {} } },
          udp: { service: 'web', ports: [{ name: 'udp', port: 8080, protocol: 'UDP' }], endpoints: { a2: {} } },
          tcp6: { service: 'web', family: 'IPv6', endpoints: { a1: {} } },
          udp6: {
            service: 'web',
            family: 'IPv6',
            ports: [{ name: 'udp', port: 8080, protocol: 'UDP' }],
            endpoints: { a2: {} },
          },
        },
        calls: [
          { from: 'b1', to: 'web', times: 3, expect: ['a1'] },
          { from: 'b1', to: 'web', protocol: 'UDP', times: 3, expect: ['a2'] },
          { from: 'A', to: 'web', times: 3, expect: ['a1'] },
          { from: 'A', to: 'web', protocol: 'UDP', times: 3, expect: ['a2'] },
        ],
      },
    ],
  },
  {
    title: 'named targetPorts may resolve to different ports on different endpoints',
    steps: [
      {
        services: { web: clusterIp({ ports: [tcp({ targetPort: 'http' })] }) },
        pods: { a1: 'web http=8080', b1: 'web http=8081', b2: 'web other=8080' },
        calls: [
          { from: 'a2', to: 'web', times: many, expect: ['a1', 'b1:8081'] },
          { from: 'B', to: 'web', times: many, expect: ['a1', 'b1:8081'] },
        ],
      },
    ],
  },
  {
    title: 'several Services may have the same selector',
    steps: [
      {
        services: { web: clusterIp(), db: clusterIp({ selector: { app: 'web' } }) },
        pods: { a1: 'web', b1: 'web' },
        calls: [
          { from: 'a2', to: 'web', times: many, expect: ['a1', 'b1'] },
          { from: 'a2', to: 'db', times: many, expect: ['a1', 'b1'] },
        ],
      },
      { services: { web: null }, calls: [{ from: 'a2', to: 'db', times: many, expect: ['a1', 'b1'] }] },
    ],
  },
  {
    title: 'endpoints may be on the network of their hosts',
    steps: [
      {
        services: { web: clusterIp({ ports: [tcp(), udp()] }) },
        pods: { A: 'web', B: 'web' },
        calls: [
          { from: 'a1', to: 'web', times: many, expect: ['A', 'B'] },
          { from: 'a1', to: 'web', protocol: 'UDP', times: many, expect: ['A', 'B'] },
          { from: 'A', to: 'web', times: many, expect: ['A', 'B'] },
          { from: 'B', to: 'web', times: many, expect: ['A', 'B'] },
        ],
      },
    ],
  },
  {
    title: 'large requests arrive whole, over TCP and UDP',
    steps: [
      {
        services: { web: clusterIp({ ports: [tcp(), udp()] }) },
        pods: { a1: 'web', b1: 'web' },
        calls: [
          { from: 'a2', to: 'web', size: 20_000, times: 10, expect: ['a1', 'b1'] },
          { from: 'a2', to: 'web', protocol: 'UDP', size: 2000, times: 20, expect: ['a1', 'b1'] },
        ],
      },
    ],
  },
  {
    title: 'Pods answer on their own addresses, whatever their Services do',
    steps: [
      {
        services: { web: clusterIp() },
        pods: { a1: 'web', b1: 'web' },
        calls: [
          { from: 'a2', to: 'a1', port: 8080, expect: ['a1'] },
          { from: 'a2', to: 'b1', port: 8080, expect: ['b1'] },
          { from: 'A', to: 'b1', port: 8080, protocol: 'UDP', expect: ['b1'] },
          { from: 'a1', to: 'b1', port: 8080, protocol: 'SCTP', expect: ['b1'] },
        ],
      },
    ],
  },
  {
    title: 'the type changes from ExternalName to ClusterIP and back',
    steps: [
      {
        services: { web: clusterIp({ type: 'ExternalName', externalName: 'example.com' }) },
        pods: { a1: 'web' },
        calls: [{ from: 'a2', to: 'web', expect: 'timeout', instead: 'refused' }],
      },
      { services: { web: clusterIp() }, calls: [{ from: 'a2', to: 'web', expect: ['a1'] }] },
      {
        services: { web: clusterIp({ type: 'ExternalName', externalName: 'example.com' }) },
        calls: [{ from: 'a2', to: 'web', expect: 'timeout', instead: 'refused' }],
      },
    ],
  },
  {
    title: 'a Service with the label service-proxy-name is left to another proxy, until it loses it',
    steps: labelled('service.kubernetes.io/service-proxy-name'),
  },
  {
    title: 'a Service with the label headless is left alone, until it loses it',
    steps: labelled('service.kubernetes.io/headless'),
  },
  {
    title: 'endpoints of one Service may be in several slices, with several addresses and ports',
    steps: [
      {
        services: {
          web: clusterIp({
            selector: {},
            ports: [tcp({ name: 'one' }), tcp({ name: 'two', port: 8181, targetPort: otherTargetPort })],
          }),
        },
        slices: Object.fromEntries(
          families.flatMap((family) => [
            [`${family}-1`, { service: 'web', family, ports: [named('one', 8080)], endpoints: { a1: {}, b1: {} } }],
            [`${family}-2`, { service: 'web', family, ports: [named('one', 8080)], endpoints: { b1: {}, b2: {} } }],
            [`${family}-3`, { service: 'web', family, ports: [named('two', 8081)], endpoints: { a1: {} } }],
          ]),
        ),
        calls: [
          { from: 'a2', to: 'web', times: many, expect: ['a1', 'b1', 'b2'] },
          { from: 'a2', to: 'web', port: 8181, times: 5, expect: ['a1:8081'] },
        ],
      },
    ],
  },
  {
    title: 'a Service of another address is untouched by affinity elsewhere',
    steps: [
      {
        services: { web: clusterIp(affinity()), db: clusterIp({ selector: { app: 'web' } }) },
        pods: { a1: 'web', b1: 'web' },
        calls: [
          { from: 'a2', to: 'web', times: 12, expect: ['a1', 'b1'], isSticky: true },
          { from: 'a2', to: 'db', times: many, expect: ['a1', 'b1'] },
        ],
      },
    ],
  },
];

function named(name: string, port: number) {
  return { name, port, protocol: 'TCP' } as const;
}

function labelled(label: string): Case['steps'] {
  const other = clusterIp({}, { labels: { [label]: 'another' } });
  return [
    {
      services: { web: other, db: clusterIp({ selector: { app: 'web' } }) },
      pods: { a1: 'web' },
      calls: [
        { from: 'a2', to: 'web', expect: 'timeout', instead: 'refused' },
        { from: 'a2', to: 'db', expect: ['a1'] },
      ],
    },
    { services: { web: clusterIp() }, calls: [{ from: 'a2', to: 'web', expect: ['a1'] }] },
    { services: { web: other }, calls: [{ from: 'a2', to: 'web', expect: 'timeout', instead: 'refused' }] },
  ];
}
