import type { Backend, Frontend, Target, Verdict } from '../../routing/frontend.ts';

/**
 * What every data plane must do with packets: frontends, calls, and what the caller must see. The rules come from
 * Kubernetes' Service API and kube-proxy's documented behaviour; no case says how a plane does it.
 */

/** Addresses of a plane's world. In the kernel's they are machines; on the userspace plane all are loopback. */
export interface World {
  readonly family: 'IPv4' | 'IPv6';
  /** Pods that serve. All are on this node but `pod3`. */
  readonly pods: { readonly pod1: string; readonly pod2: string; readonly pod3: string };
  /** Addresses of Services. */
  readonly services: readonly [string, string, string];
  /** Inside the service range, no Service. */
  readonly unallocated: string;
  /** Belongs to no machine: an external or load balancer address. */
  readonly external: string;
  /** The node's own. */
  readonly node: string;
  readonly sources: { readonly outside: string; readonly client: string };
}

/** Who can call: a Pod that serves, a Pod that does not, a machine outside the cluster, the node itself. */
export type Caller = 'pod1' | 'client' | 'outside' | 'node';

export interface Call {
  readonly from: Caller;
  readonly address: string;
  readonly port: number;
  readonly protocol?: 'TCP' | 'UDP';
  readonly times?: number;
  /** Servers that must all answer, and no others; or what happens instead. */
  readonly expect: readonly string[] | 'refused' | 'timeout';
  /** All answers come from the same server. */
  readonly isSticky?: boolean;
  /** What servers see as the caller's address: its own, or another. */
  readonly source?: 'kept' | 'masqueraded';
}

/** One case: frontends in force, then calls. With `after`, changes follow and more calls. */
export interface Case {
  readonly title: string;
  readonly frontends: readonly Frontend[];
  readonly calls: readonly Call[];
  readonly after?: { readonly frontends: readonly Frontend[]; readonly calls: readonly Call[] };
}

/** The port all servers listen on. */
export const targetPort = 8080;

/** Calls that make it all but certain that each of three servers was drawn: (2/3)^40 < 1e-7. */
const many = 40;

/** Builds frontends of a world. */
export class Frontends {
  readonly #world: World;
  /** The port of every Service. */
  readonly servicePort: number;

  constructor(world: World, servicePort = 80) {
    this.#world = world;
    this.servicePort = servicePort;
  }

  backend(pod: keyof World['pods'], weight = 1): Backend {
    return { address: this.#world.pods[pod], port: targetPort, weight, local: pod !== 'pod3', pod: `test/${pod}` };
  }

  forward(...pods: (keyof World['pods'])[]): Target {
    return { verdict: 'forward', backends: pods.map((pod) => this.backend(pod)) };
  }

  make(
    kind: Frontend['kind'],
    address: string | undefined,
    port: number,
    target: Target,
    more: Partial<Frontend> = {},
  ) {
    const protocol = more.protocol ?? 'TCP';
    const { family } = this.#world;
    const host = address ?? '*';
    const frontend: Frontend = {
      key: `${family === 'IPv6' ? `[${host}]` : host}:${port}/${protocol}`,
      kind,
      family,
      address,
      port,
      protocol,
      service: 'test/web',
      portName: 'http',
      affinity: undefined,
      lastPort: undefined,
      scheduler: undefined,
      resetAfterSeconds: undefined,
      sourceRanges: undefined,
      internal: target,
      external: target,
      masquerade: kind === 'ClusterIP' ? 'off-cluster' : 'always',
      ...more,
    };
    return frontend;
  }

  clusterIp(target: Target, more: Partial<Frontend> = {}): Frontend {
    return this.make('ClusterIP', this.#world.services[0], this.servicePort, target, more);
  }
}

function nobody(verdict: Verdict): Target {
  return { verdict, backends: [] };
}

/** Cases that need nothing but calls from the node to service addresses: every plane. */
export function commonCases(world: World, make = new Frontends(world)): readonly Case[] {
  const { servicePort } = make;
  const web = { address: world.services[0], port: servicePort, from: 'node' } as const;
  const all = make.forward('pod1', 'pod2', 'pod3');
  return [
    {
      title: 'calls to a cluster address spread over all backends',
      frontends: [make.clusterIp(all)],
      calls: [{ ...web, times: many, expect: ['pod1', 'pod2', 'pod3'] }],
    },
    {
      title: 'UDP spreads as well, each socket its own draw',
      frontends: [make.clusterIp(all, { protocol: 'UDP' })],
      calls: [{ ...web, protocol: 'UDP', times: many, expect: ['pod1', 'pod2', 'pod3'] }],
    },
    {
      title: 'TCP and UDP on one port are two frontends',
      frontends: [make.clusterIp(make.forward('pod1')), make.clusterIp(make.forward('pod2'), { protocol: 'UDP' })],
      calls: [
        { ...web, times: 3, expect: ['pod1'] },
        { ...web, protocol: 'UDP', times: 3, expect: ['pod2'] },
      ],
    },
    {
      title: 'a backend of weight 0 gets no connection',
      frontends: [make.clusterIp({ verdict: 'forward', backends: [make.backend('pod1'), make.backend('pod2', 0)] })],
      calls: [{ ...web, times: 10, expect: ['pod1'] }],
    },
    {
      title: 'without endpoints a connection is refused at once',
      frontends: [make.clusterIp(nobody('reject'))],
      calls: [{ ...web, expect: 'refused' }],
      after: { frontends: [make.clusterIp(make.forward('pod1'))], calls: [{ ...web, expect: ['pod1'] }] },
    },
    {
      title: 'a removed backend gets nothing more, a new one its share',
      frontends: [make.clusterIp(make.forward('pod1', 'pod2'))],
      calls: [{ ...web, times: many, expect: ['pod1', 'pod2'] }],
      after: {
        frontends: [make.clusterIp(make.forward('pod2', 'pod3'))],
        calls: [{ ...web, times: many, expect: ['pod2', 'pod3'] }],
      },
    },
    {
      title: 'client affinity keeps a client on one backend, and moves it when that goes',
      frontends: [make.clusterIp(all, { affinity: { timeoutSeconds: 60 } })],
      calls: [{ ...web, times: 12, expect: ['pod1', 'pod2', 'pod3'], isSticky: true }],
      after: {
        frontends: [make.clusterIp(make.forward('pod2'), { affinity: { timeoutSeconds: 60 } })],
        calls: [{ ...web, times: 12, expect: ['pod2'] }],
      },
    },
    {
      title: 'a removed frontend is refused or ignored, never forwarded',
      frontends: [make.clusterIp(make.forward('pod1'))],
      calls: [{ ...web, expect: ['pod1'] }],
      after: {
        frontends: [make.make('ClusterIP', world.services[1], servicePort, make.forward('pod1'))],
        calls: [{ ...web, address: world.services[1], expect: ['pod1'] }],
      },
    },
  ];
}

/** Cases that need routed packets: the kernel's planes. */
export function routedCases(world: World): readonly Case[] {
  const make = new Frontends(world);
  const { servicePort } = make;
  const [first, second] = world.services;
  const web = { address: first, port: servicePort } as const;
  const udp = { ...web, protocol: 'UDP' } as const;
  const all = make.forward('pod1', 'pod2', 'pod3');
  const local = make.forward('pod1', 'pod2');
  const nodePort = { address: world.node, port: 30080 } as const;
  const balancer = { address: world.external, port: servicePort } as const;
  return [
    {
      title: 'a Pod of the cluster is seen with its own address, others are masqueraded',
      frontends: [make.clusterIp(all)],
      calls: [
        { ...web, from: 'client', times: many, expect: ['pod1', 'pod2', 'pod3'], source: 'kept' },
        { ...web, from: 'outside', times: many, expect: ['pod1', 'pod2', 'pod3'], source: 'masqueraded' },
      ],
    },
    {
      title: 'a Pod reaches itself through its Service',
      frontends: [make.clusterIp(make.forward('pod1')), make.clusterIp(make.forward('pod1'), { protocol: 'UDP' })],
      calls: [
        { ...web, from: 'pod1', times: 3, expect: ['pod1'], source: 'masqueraded' },
        { ...udp, from: 'pod1', expect: ['pod1'], source: 'masqueraded' },
      ],
    },
    {
      title: 'refusals reach Pods, the outside and the node, for TCP and UDP',
      frontends: [make.clusterIp(nobody('reject')), make.clusterIp(nobody('reject'), { protocol: 'UDP' })],
      calls: [
        { ...web, from: 'client', expect: 'refused' },
        { ...web, from: 'outside', expect: 'refused' },
        { ...web, from: 'node', expect: 'refused' },
        { ...udp, from: 'client', expect: 'refused' },
        { ...udp, from: 'node', expect: 'refused' },
      ],
    },
    {
      title: 'an unused port of a cluster address is refused, an unused address of the range ignored',
      frontends: [make.clusterIp(all)],
      calls: [
        { from: 'client', address: first, port: 81, expect: 'refused' },
        { from: 'node', address: first, port: 81, expect: 'refused' },
        { from: 'client', address: world.unallocated, port: 80, expect: 'timeout' },
        { from: 'client', address: second, port: 80, expect: 'timeout' },
      ],
    },
    {
      title: 'internalTrafficPolicy Local without a local endpoint is ignored',
      frontends: [make.clusterIp(nobody('drop'))],
      calls: [
        { ...web, from: 'client', expect: 'timeout' },
        { ...web, from: 'node', expect: 'timeout' },
      ],
    },
    {
      title: 'node ports answer on the node from everywhere, masqueraded, and never on loopback',
      frontends: [make.make('NodePort', undefined, 30080, all)],
      calls: [
        { ...nodePort, from: 'outside', times: many, expect: ['pod1', 'pod2', 'pod3'], source: 'masqueraded' },
        { ...nodePort, from: 'client', times: 5, expect: ['pod1', 'pod2', 'pod3'], source: 'masqueraded' },
        { ...nodePort, from: 'node', times: 5, expect: ['pod1', 'pod2', 'pod3'] },
        { ...nodePort, from: 'outside', port: 30081, expect: 'refused' },
        { from: 'node', address: world.family === 'IPv4' ? '127.0.0.1' : '::1', port: 30080, expect: 'refused' },
      ],
    },
    {
      title: 'node ports over UDP',
      frontends: [make.make('NodePort', undefined, 30080, make.forward('pod2'), { protocol: 'UDP' })],
      calls: [{ ...nodePort, protocol: 'UDP', from: 'outside', expect: ['pod2'], source: 'masqueraded' }],
    },
    {
      title: 'externalTrafficPolicy Local: outside gets local backends and keeps its address, inside gets all',
      frontends: [make.make('NodePort', undefined, 30080, all, { external: local, masquerade: 'never' })],
      calls: [
        { ...nodePort, from: 'outside', times: many, expect: ['pod1', 'pod2'], source: 'kept' },
        { ...nodePort, from: 'client', times: many, expect: ['pod1', 'pod2', 'pod3'], source: 'kept' },
        { ...nodePort, from: 'node', times: many, expect: ['pod1', 'pod2', 'pod3'] },
      ],
    },
    {
      title: 'externalTrafficPolicy Local without a local backend: outside is ignored, inside is served',
      frontends: [
        make.make('LoadBalancer', world.external, servicePort, make.forward('pod3'), {
          external: nobody('drop'),
          masquerade: 'never',
        }),
      ],
      calls: [
        { ...balancer, from: 'outside', expect: 'timeout' },
        { ...balancer, from: 'client', expect: ['pod3'] },
      ],
    },
    {
      title: 'an external address is caught on its way through the node',
      frontends: [make.make('ExternalIP', world.external, servicePort, all)],
      calls: [{ ...balancer, from: 'outside', times: many, expect: ['pod1', 'pod2', 'pod3'], source: 'masqueraded' }],
    },
    {
      title: 'load balancer source ranges let only their sources in',
      frontends: [
        make.make('LoadBalancer', world.external, servicePort, make.forward('pod1'), {
          sourceRanges: [`${world.sources.outside}/${world.family === 'IPv4' ? 32 : 128}`],
        }),
      ],
      calls: [
        { ...balancer, from: 'outside', expect: ['pod1'] },
        { ...balancer, from: 'client', expect: 'timeout' },
      ],
      after: {
        frontends: [
          make.make('LoadBalancer', world.external, servicePort, make.forward('pod1'), {
            sourceRanges: [`${world.sources.client}/${world.family === 'IPv4' ? 24 : 64}`],
          }),
        ],
        calls: [
          { ...balancer, from: 'outside', expect: 'timeout' },
          { ...balancer, from: 'client', expect: ['pod1'] },
        ],
      },
    },
    {
      title: 'client affinity is one memory a client, and works on node ports',
      frontends: [
        make.clusterIp(all, { affinity: { timeoutSeconds: 10_800 } }),
        make.make('NodePort', undefined, 30080, all, { affinity: { timeoutSeconds: 10_800 } }),
      ],
      calls: [
        { ...web, from: 'client', times: 12, expect: ['pod1', 'pod2', 'pod3'], isSticky: true },
        { ...web, from: 'outside', times: 12, expect: ['pod1', 'pod2', 'pod3'], isSticky: true },
        { ...nodePort, from: 'outside', times: 12, expect: ['pod1', 'pod2', 'pod3'], isSticky: true },
      ],
    },
    {
      title: 'a client remembered under Cluster goes to a local backend when the policy becomes Local',
      frontends: [make.make('NodePort', undefined, 30080, make.forward('pod3'), { affinity: { timeoutSeconds: 60 } })],
      calls: [{ ...nodePort, from: 'outside', times: 3, expect: ['pod3'] }],
      after: {
        frontends: [
          make.make('NodePort', undefined, 30080, make.forward('pod3'), {
            external: local,
            masquerade: 'never',
            affinity: { timeoutSeconds: 60 },
          }),
        ],
        calls: [{ ...nodePort, from: 'outside', times: 12, expect: ['pod1', 'pod2'], isSticky: true }],
      },
    },
    {
      title: 'affinity and externalTrafficPolicy Local together',
      frontends: [
        make.make('NodePort', undefined, 30080, make.forward('pod3'), {
          external: local,
          masquerade: 'never',
          affinity: { timeoutSeconds: 60 },
        }),
      ],
      calls: [
        { ...nodePort, from: 'outside', times: 12, expect: ['pod1', 'pod2'], isSticky: true, source: 'kept' },
        { ...nodePort, from: 'client', times: 5, expect: ['pod3'] },
      ],
    },
  ];
}
