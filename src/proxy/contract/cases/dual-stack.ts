import { type Case, type Connect, clusterIp, many, nodePortService, tcp } from '../case.ts';
import { type Family, nodePort } from '../world.ts';

/** Address families: Services of one and of both, in either order. */
export const dualStackCases: readonly Case[] = [
  singleFamily('IPv4', 'IPv6'),
  singleFamily('IPv6', 'IPv4'),
  ...(
    [
      ['IPv4', 'IPv6'],
      ['IPv6', 'IPv4'],
    ] as const
  ).map((ipFamilies): Case => {
    return {
      title: `a Service of ${ipFamilies.join(' and ')} answers in both families with endpoints of the same`,
      steps: [
        {
          services: { web: clusterIp({ ipFamilies: [...ipFamilies], ipFamilyPolicy: 'RequireDualStack' }) },
          pods: { a1: 'web', b1: 'web' },
          calls: [...inEach(ipFamilies, { from: 'a2', to: 'web', times: many, expect: ['a1', 'b1'] })],
        },
      ],
    };
  }),
  {
    title: 'the second family of a Service comes and goes',
    steps: [
      {
        services: { web: clusterIp({ ipFamilies: ['IPv4'] }) },
        pods: { a1: 'web' },
        calls: [
          { from: 'a2', to: 'web', expect: ['a1'], families: ['IPv4'] },
          { from: 'a2', to: 'web', expect: 'timeout', families: ['IPv6'] },
        ],
      },
      {
        services: { web: clusterIp({ ipFamilies: ['IPv4', 'IPv6'] }) },
        calls: [...inEach(['IPv4', 'IPv6'], { from: 'a2', to: 'web', expect: ['a1'] })],
      },
      {
        services: { web: clusterIp({ ipFamilies: ['IPv4'] }) },
        calls: [
          { from: 'a2', to: 'web', expect: ['a1'], families: ['IPv4'] },
          { from: 'a2', to: 'web', expect: 'timeout', families: ['IPv6'] },
        ],
      },
    ],
  },
  {
    title: 'one family may have endpoints while the other has none',
    steps: [
      {
        services: { web: nodePortService() },
        slices: { web4: { service: 'web', endpoints: { a1: {}, b1: {} } } },
        calls: [
          { from: 'a2', to: 'web', times: many, expect: ['a1', 'b1'], families: ['IPv4'] },
          { from: 'a2', to: 'web', expect: 'refused', families: ['IPv6'] },
          { from: 'outside', to: 'A', port: nodePort, expect: 'refused', families: ['IPv6'] },
        ],
      },
    ],
  },
];

function singleFamily(family: Family, other: Family): Case {
  return {
    title: `a Service of ${family} alone answers in that family, on its address and its node port`,
    steps: [
      {
        services: { web: nodePortService({ ipFamilies: [family], ports: [tcp({ nodePort })] }) },
        pods: { a1: 'web', b1: 'web' },
        calls: [
          { from: 'a2', to: 'web', times: many, expect: ['a1', 'b1'], families: [family] },
          { from: 'outside', to: 'A', port: nodePort, times: many, expect: ['a1', 'b1'], families: [family] },
          { from: 'A', to: 'A', port: nodePort, expect: 'refused', families: [other] },
          { from: 'a2', to: 'web', expect: 'timeout', families: [other] },
        ],
      },
    ],
  };
}

function inEach(families: readonly Family[], call: Connect): readonly Connect[] {
  return families.map((family) => ({ ...call, families: [family] }));
}
