import { affinity, type Case, clusterIp, loadBalancer, many, nodePortService, tcp, udp } from '../case.ts';
import { nodePort } from '../world.ts';

const at = { port: nodePort } as const;
const localInside = { internalTrafficPolicy: 'Local' } as const;
const localOutside = { externalTrafficPolicy: 'Local' } as const;

/** Internal and external traffic policy. */
export const trafficPolicyCases: readonly Case[] = [
  {
    title: 'internalTrafficPolicy Local: Pods reach endpoints of their node only, others are ignored',
    steps: [
      {
        services: { web: clusterIp({ ...localInside, ports: [tcp(), udp()] }) },
        pods: { a1: 'web', b1: 'web' },
        calls: [
          { from: 'a2', to: 'web', times: 12, expect: ['a1'] },
          { from: 'b2', to: 'web', times: 12, expect: ['b1'] },
          { from: 'a2', to: 'web', protocol: 'UDP', times: 12, expect: ['a1'] },
        ],
      },
      {
        pods: { a1: '' },
        calls: [
          { from: 'a2', to: 'web', expect: 'timeout', instead: 'refused' },
          { from: 'a2', to: 'web', protocol: 'UDP', expect: 'timeout', instead: 'refused' },
          { from: 'b2', to: 'web', times: 12, expect: ['b1'] },
        ],
      },
      {
        pods: { b1: '' },
        calls: [
          { from: 'a2', to: 'web', expect: 'refused' },
          { from: 'b2', to: 'web', expect: 'refused' },
        ],
      },
    ],
  },
  {
    title: 'internalTrafficPolicy Local: host-network Pods and the node reach endpoints of their node only',
    steps: [
      {
        services: { web: clusterIp(localInside) },
        pods: { a1: 'web', b1: 'web' },
        calls: [
          { from: 'A', to: 'web', times: 12, expect: ['a1'] },
          { from: 'B', to: 'web', times: 12, expect: ['b1'] },
        ],
      },
      {
        pods: { a1: '' },
        calls: [
          { from: 'A', to: 'web', expect: 'timeout', instead: 'refused' },
          { from: 'B', to: 'web', times: 12, expect: ['b1'] },
        ],
      },
    ],
  },
  {
    title: 'internalTrafficPolicy Local: endpoints on the network of the node',
    steps: [
      {
        services: { web: clusterIp(localInside) },
        pods: { A: 'web' },
        calls: [
          { from: 'a2', to: 'web', times: 12, expect: ['A'] },
          { from: 'A', to: 'web', times: 12, expect: ['A'] },
          { from: 'b2', to: 'web', expect: 'timeout' },
          { from: 'B', to: 'web', expect: 'timeout' },
        ],
      },
    ],
  },
  {
    title: 'externalTrafficPolicy Local: outside reaches local endpoints with its own address, inside reaches all',
    steps: [
      {
        services: { web: nodePortService(localOutside) },
        pods: { a1: 'web', a2: 'web', b1: 'web' },
        calls: [
          { from: 'outside', to: 'A', ...at, times: many, expect: ['a1', 'a2'], source: 'kept' },
          { from: 'outside', to: 'B', ...at, times: 12, expect: ['b1'], source: 'kept' },
          { from: 'a1', to: 'A', ...at, times: many, expect: ['a1', 'a2', 'b1'] },
          { from: 'A', to: 'A', ...at, times: many, expect: ['a1', 'a2', 'b1'] },
          { from: 'b2', to: 'web', times: many, expect: ['a1', 'a2', 'b1'] },
        ],
      },
    ],
  },
  {
    title: 'externalTrafficPolicy Local without local endpoints: outside is ignored, inside is served',
    steps: [
      {
        services: { web: nodePortService({ ...localOutside, ports: [tcp({ nodePort }), udp({ nodePort })] }) },
        pods: { b1: 'web' },
        calls: [
          { from: 'outside', to: 'A', ...at, expect: 'timeout' },
          { from: 'outside', to: 'A', ...at, protocol: 'UDP', expect: 'timeout' },
          { from: 'outside', to: 'B', ...at, times: 3, expect: ['b1'], source: 'kept' },
          { from: 'a1', to: 'A', ...at, times: 3, expect: ['b1'] },
          { from: 'A', to: 'A', ...at, times: 3, expect: ['b1'] },
        ],
      },
      { pods: { b1: '' }, calls: [{ from: 'outside', to: 'A', ...at, expect: 'refused' }] },
    ],
  },
  {
    title: 'NodePort and HealthCheckNodePort follow changes of externalTrafficPolicy',
    steps: [
      {
        services: { web: loadBalancer({ ...localOutside, healthCheckNodePort: nodePort + 1 }) },
        pods: { a1: 'web' },
        calls: [
          { from: 'A', health: 'A', port: nodePort + 1, expect: 1 },
          { from: 'outside', health: 'B', port: nodePort + 1, expect: 0 },
          { from: 'outside', to: 'A', ...at, expect: ['a1'], source: 'kept' },
          { from: 'outside', to: 'B', ...at, expect: 'timeout' },
        ],
      },
      {
        services: { web: loadBalancer() },
        calls: [
          { from: 'A', health: 'A', port: nodePort + 1, expect: 'refused' },
          { from: 'outside', health: 'B', port: nodePort + 1, expect: 'refused' },
          { from: 'outside', to: 'A', ...at, expect: ['a1'], source: 'masqueraded' },
          { from: 'outside', to: 'B', ...at, expect: ['a1'], source: 'masqueraded' },
        ],
      },
      {
        services: { web: loadBalancer({ ...localOutside, healthCheckNodePort: nodePort + 1 }) },
        calls: [
          { from: 'A', health: 'A', port: nodePort + 1, expect: 1 },
          { from: 'outside', to: 'B', ...at, expect: 'timeout' },
        ],
      },
    ],
  },
  {
    title: 'a client remembered under Cluster goes to a local endpoint when the policy becomes Local',
    steps: [
      {
        services: { web: nodePortService(affinity()) },
        pods: { b1: 'web' },
        calls: [{ from: 'outside', to: 'A', ...at, times: 3, expect: ['b1'] }],
      },
      {
        services: { web: nodePortService({ ...affinity(), ...localOutside }) },
        pods: { a1: 'web', a2: 'web' },
        calls: [{ from: 'outside', to: 'A', ...at, times: 12, expect: ['a1', 'a2'], isSticky: true, source: 'kept' }],
      },
    ],
  },
];
