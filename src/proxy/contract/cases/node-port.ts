import { affinity, type Case, clusterIp, many, nodePortService, sctp, tcp, udp } from '../case.ts';
import { nodePort } from '../world.ts';

const at = { port: nodePort } as const;

/** Node ports: where they answer, as what, and how they change. */
export const nodePortCases: readonly Case[] = [
  {
    title: 'a NodePort Service answers on every node from everywhere, masqueraded, and on its cluster address',
    steps: [
      {
        services: { web: nodePortService() },
        pods: { a1: 'web', b1: 'web', b2: 'web' },
        calls: [
          { from: 'outside', to: 'A', ...at, times: many, expect: ['a1', 'b1', 'b2'], source: 'masqueraded' },
          { from: 'outside', to: 'B', ...at, times: many, expect: ['a1', 'b1', 'b2'], source: 'masqueraded' },
          {
            from: 'a2',
            to: 'A',
            ...at,
            times: many,
            expect: ['a1', 'b1', 'b2'],
            source: 'masqueraded',
            sourceNeeds: ['node-port-masquerade'],
          },
          { from: 'a2', to: 'B', ...at, times: many, expect: ['a1', 'b1', 'b2'], needs: ['outside-callers'] },
          { from: 'A', to: 'A', ...at, times: many, expect: ['a1', 'b1', 'b2'] },
          { from: 'B', to: 'A', ...at, times: many, expect: ['a1', 'b1', 'b2'] },
          { from: 'a2', to: 'web', times: many, expect: ['a1', 'b1', 'b2'] },
          { from: 'outside', to: 'A', port: nodePort + 1, expect: 'refused' },
        ],
      },
    ],
  },
  {
    title: 'node ports over UDP',
    steps: [
      {
        services: { web: nodePortService({ ports: [udp({ nodePort })] }) },
        pods: { a1: 'web', b1: 'web', b2: 'web' },
        calls: [
          { from: 'outside', to: 'A', ...at, protocol: 'UDP', times: many, expect: ['a1', 'b1', 'b2'] },
          { from: 'outside', to: 'B', ...at, protocol: 'UDP', expect: ['a1', 'b1', 'b2'], source: 'masqueraded' },
          { from: 'A', to: 'A', ...at, protocol: 'UDP', times: many, expect: ['a1', 'b1', 'b2'] },
        ],
      },
    ],
  },
  {
    title: 'node ports do not answer on loopback unless asked to',
    steps: [
      {
        services: { web: nodePortService() },
        pods: { a1: 'web' },
        calls: [
          { from: 'A', to: 'localhost', ...at, expect: 'refused' },
          { from: 'A', to: 'A', ...at, expect: ['a1'] },
        ],
      },
    ],
  },
  {
    title: 'node ports answer on localhost of every node when asked to, also without local endpoints',
    network: { nodePortLocalhost: true },
    steps: [
      {
        services: { web: nodePortService() },
        pods: { b1: 'web' },
        calls: [
          { from: 'A', to: 'localhost', ...at, times: 5, expect: ['b1'] },
          { from: 'B', to: 'localhost', ...at, times: 5, expect: ['b1'] },
          { from: 'outside', to: 'A', ...at, expect: ['b1'] },
        ],
      },
    ],
  },
  {
    title: 'client affinity works for node ports on localhost',
    network: { nodePortLocalhost: true },
    steps: [
      {
        services: { web: nodePortService(affinity()) },
        pods: { a1: 'web', b1: 'web', b2: 'web' },
        calls: [
          {
            from: 'A',
            to: 'localhost',
            ...at,
            times: 12,
            expect: ['a1', 'b1', 'b2'],
            isSticky: true,
          },
        ],
      },
    ],
  },
  {
    title: 'node ports answer only on the addresses that were asked for',
    network: { nodePortAddresses: ['198.51.100.0/24', '2001:db8:ffff::/64'] },
    steps: [
      {
        services: { web: nodePortService() },
        pods: { a1: 'web' },
        calls: [
          { from: 'outside', to: 'A', ...at, expect: 'refused' },
          { from: 'outside', to: 'B', ...at, expect: 'refused' },
          { from: 'A', to: 'A', ...at, expect: 'refused' },
          { from: 'a2', to: 'web', expect: ['a1'] },
        ],
      },
    ],
  },
  {
    title: 'a Service changes its type to NodePort, listening on one number for two protocols',
    steps: [
      {
        services: { web: clusterIp() },
        pods: { a1: 'web' },
        calls: [
          { from: 'a2', to: 'web', expect: ['a1'] },
          { from: 'outside', to: 'A', ...at, expect: 'refused' },
        ],
      },
      {
        services: { web: nodePortService({ ports: [tcp({ nodePort }), udp({ nodePort })] }) },
        calls: [
          { from: 'outside', to: 'A', ...at, expect: ['a1'] },
          { from: 'outside', to: 'A', ...at, protocol: 'UDP', expect: ['a1'] },
          { from: 'A', to: 'A', ...at, expect: ['a1'] },
          { from: 'A', to: 'A', ...at, protocol: 'UDP', expect: ['a1'] },
          { from: 'a2', to: 'web', protocol: 'UDP', expect: ['a1'] },
        ],
      },
    ],
  },
  {
    title: 'the node port of a Service moves',
    steps: [
      {
        services: { web: nodePortService({ ports: [tcp({ nodePort }), udp({ nodePort })] }) },
        pods: { a1: 'web', b1: 'web' },
        calls: [{ from: 'A', to: 'A', ...at, times: many, expect: ['a1', 'b1'] }],
      },
      {
        services: { web: nodePortService({ ports: [tcp({ nodePort: nodePort + 1 }), udp({ nodePort })] }) },
        calls: [
          { from: 'A', to: 'A', ...at, expect: 'refused' },
          { from: 'A', to: 'A', port: nodePort + 1, times: many, expect: ['a1', 'b1'] },
          { from: 'outside', to: 'B', ...at, expect: 'refused' },
          { from: 'outside', to: 'B', port: nodePort + 1, times: many, expect: ['a1', 'b1'] },
          { from: 'A', to: 'A', ...at, protocol: 'UDP', times: many, expect: ['a1', 'b1'] },
        ],
      },
      {
        services: { web: clusterIp({ ports: [tcp(), udp()] }) },
        calls: [
          { from: 'A', to: 'A', port: nodePort + 1, expect: 'refused' },
          { from: 'outside', to: 'A', ...at, protocol: 'UDP', expect: 'refused' },
        ],
      },
    ],
  },
  {
    title: 'the type changes from ExternalName to NodePort and back',
    steps: [
      {
        services: { web: clusterIp({ type: 'ExternalName', externalName: 'example.com' }) },
        pods: { a1: 'web' },
        calls: [{ from: 'A', to: 'A', ...at, expect: 'refused' }],
      },
      {
        services: { web: nodePortService() },
        calls: [
          { from: 'A', to: 'A', ...at, expect: ['a1'] },
          { from: 'outside', to: 'B', ...at, expect: ['a1'] },
          { from: 'a2', to: 'web', expect: ['a1'] },
        ],
      },
      {
        services: { web: clusterIp({ type: 'ExternalName', externalName: 'example.com' }) },
        calls: [
          { from: 'A', to: 'A', ...at, expect: 'refused' },
          { from: 'outside', to: 'B', ...at, expect: 'refused' },
        ],
      },
    ],
  },
  {
    title: 'a node port without endpoints is refused',
    steps: [
      {
        services: { web: nodePortService({ ports: [tcp({ nodePort }), udp({ nodePort })] }) },
        calls: [
          { from: 'outside', to: 'A', ...at, expect: 'refused' },
          { from: 'outside', to: 'A', ...at, protocol: 'UDP', expect: 'refused' },
          { from: 'A', to: 'A', ...at, expect: 'refused' },
        ],
      },
    ],
  },
  {
    title: 'node ports lead to endpoints on the network of their hosts',
    steps: [
      {
        services: { web: nodePortService() },
        pods: { A: 'web', B: 'web' },
        calls: [
          { from: 'outside', to: 'A', ...at, times: many, expect: ['A', 'B'] },
          { from: 'A', to: 'A', ...at, times: many, expect: ['A', 'B'] },
        ],
      },
    ],
  },
  {
    title:
      'SCTP: a Service forwards associations on its cluster address and its node port, and refuses without endpoints',
    steps: [
      {
        services: { web: nodePortService({ ports: [sctp({ nodePort })] }) },
        pods: { a1: 'web', b1: 'web' },
        calls: [
          { from: 'a2', to: 'web', protocol: 'SCTP', times: many, expect: ['a1', 'b1'], source: 'kept' },
          { from: 'A', to: 'web', protocol: 'SCTP', times: many, expect: ['a1', 'b1'] },
          {
            from: 'outside',
            to: 'A',
            ...at,
            protocol: 'SCTP',
            times: many,
            expect: ['a1', 'b1'],
            source: 'masqueraded',
          },
          { from: 'a1', to: 'web', protocol: 'SCTP', times: 20, expect: ['a1', 'b1'] },
        ],
      },
      {
        pods: { a1: '', b1: '' },
        calls: [
          { from: 'a2', to: 'web', protocol: 'SCTP', expect: 'refused' },
          { from: 'outside', to: 'A', ...at, protocol: 'SCTP', expect: 'refused' },
        ],
      },
    ],
  },
];
