import {
  portRangesAnnotation,
  resetRemovedAnnotation,
  schedulerAnnotation,
  slowStartAnnotation,
} from '../../../api/fairlead-annotations.ts';
import { type Case, clusterIp, type Connect, many, nodePortService, tcp, udp } from '../case.ts';
import { nodePort, rangePorts } from '../world.ts';

const [firstOfRange, middleOfRange, lastOfRange] = rangePorts;

/** What Kubernetes does not have: weights, schedulers, ranges of ports, resets, and settings of the node. */
export const beyondCases: readonly Case[] = [
  {
    title: 'weights of Pods decide how many connections they get, and weight 0 gets none',
    steps: [
      {
        services: { web: clusterIp() },
        pods: { a1: 'web', b1: 'web weight=3', b2: 'web weight=0' },
        calls: [
          { from: 'a2', to: 'web', times: 150, expect: ['a1', 'b1'], shares: { a1: 0.25, b1: 0.75 } },
          { from: 'A', to: 'web', times: 150, expect: ['a1', 'b1'], shares: { a1: 0.25, b1: 0.75 } },
        ],
      },
      { pods: { a1: 'web weight=0', b1: 'web' }, calls: [{ from: 'a2', to: 'web', times: 20, expect: ['b1'] }] },
    ],
  },
  {
    title: 'consistent hashing keeps each client with one server, and moves no other when one goes',
    steps: [
      {
        services: { web: clusterIp({}, { annotations: { [schedulerAnnotation]: 'mh' } }) },
        pods: { a1: 'web', b1: 'web', b2: 'web' },
        calls: hashedCalls(['a1', 'b1', 'b2']),
      },
      { pods: { b2: '' }, calls: hashedCalls(['a1', 'b1'], 'before') },
    ],
  },
  {
    title: 'a new server starts slowly and grows to its full share',
    steps: [
      {
        services: { web: clusterIp({}, { annotations: { [slowStartAnnotation]: '60s' } }) },
        pods: { a1: 'web' },
        calls: [{ from: 'a2', to: 'web', times: 5, expect: ['a1'] }],
      },
      { pods: { b1: 'web' }, calls: sharedCalls(10 / 11) },
      { afterSeconds: 31, calls: sharedCalls(10 / 16) },
      { afterSeconds: 30, calls: sharedCalls(1 / 2) },
    ],
  },
  {
    title: 'least connections: new connections go to the server that has the fewest',
    steps: [
      {
        services: { web: clusterIp({}, { annotations: { [schedulerAnnotation]: 'lc' } }) },
        pods: { b1: 'web' },
        calls: [{ from: 'a2', to: 'web', times: 20, expect: ['b1'], hold: 'first' }],
      },
      {
        pods: { b2: 'web' },
        calls: [{ from: 'a2', to: 'web', times: 18, expect: ['b2'], hold: 'second', needs: ['least-connections'] }],
      },
    ],
  },
  {
    title: 'a port range forwards each port to the same port of a server',
    steps: [
      {
        services: {
          web: clusterIp(
            { ports: [tcp({ name: 'range', port: firstOfRange, targetPort: firstOfRange }), udp({ port: 8180 })] },
            { annotations: { [portRangesAnnotation]: `range=${firstOfRange}-${lastOfRange}` } },
          ),
        },
        pods: { a1: 'web', b1: 'web' },
        calls: [
          { from: 'a2', to: 'web', port: firstOfRange, times: many, expect: at(firstOfRange) },
          {
            from: 'a2',
            to: 'web',
            port: middleOfRange,
            times: many,
            expect: at(middleOfRange),
            needs: ['port-ranges'],
          },
          { from: 'A', to: 'web', port: lastOfRange, times: many, expect: at(lastOfRange), needs: ['port-ranges'] },
          { from: 'a2', to: 'web', port: lastOfRange + 1, expect: 'refused' },
        ],
      },
    ],
  },
  {
    title: 'TCP connections to a removed backend are reset after its drain time, others live on',
    steps: [
      {
        services: {
          web: clusterIp({}, { annotations: { [resetRemovedAnnotation]: '1s' } }),
          db: clusterIp({ selector: { app: 'web' } }),
        },
        pods: { b1: 'web' },
        calls: [
          { from: 'a2', to: 'web', expect: ['b1'], hold: 'reset' },
          { from: 'a2', to: 'db', expect: ['b1'], hold: 'kept' },
        ],
      },
      {
        pods: { b1: '', b2: 'web' },
        calls: [
          { from: 'a2', again: 'reset', expect: 'reset', isEventual: true },
          { from: 'a2', again: 'kept', expect: ['b1'] },
          { from: 'a2', to: 'web', times: 3, expect: ['b2'] },
        ],
      },
    ],
  },
  {
    title: 'with masquerade-all every server sees a node as the caller',
    network: { masqueradeAll: true },
    steps: [
      {
        services: { web: nodePortService() },
        pods: { a1: 'web', b1: 'web' },
        calls: [
          { from: 'a2', to: 'web', expect: ['a1', 'b1'], source: 'masqueraded', sourceNeeds: ['masquerade-all'] },
          { from: 'outside', to: 'A', port: nodePort, times: 12, expect: ['a1', 'b1'], source: 'masqueraded' },
        ],
      },
    ],
  },
];

function at(port: number): readonly string[] {
  return [`a1:${port}`, `b1:${port}`];
}

/** Every client stays with one server. */
function hashedCalls(expect: readonly string[], staysWith?: string): readonly Connect[] {
  const needs = ['consistent-hashing'] as const;
  return (['a2', 'A', 'B', 'outside'] as const).map((from) => {
    const call = { from, to: 'web', times: 12, expect, isSticky: true, needs } as const;
    return staysWith === undefined ? { ...call, hold: 'before' } : { ...call, staysWith };
  });
}

/** The share of a1, and the rest for b1. */
function sharedCalls(share: number): readonly Connect[] {
  return [{ from: 'a2', to: 'web', times: 150, expect: ['a1', 'b1'], shares: { a1: share, b1: 1 - share } }];
}
