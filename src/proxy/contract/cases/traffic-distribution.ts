import { type Case, clusterIp, type Connect, many, type Step } from '../case.ts';
import type { Family } from '../world.ts';

const twoZones = { A: 'east', B: 'west' } as const;
const oneZone = { A: 'east', B: 'east' } as const;
const all = { a1: 'web', a2: 'web', b1: 'web' } as const;

/** Nearness: traffic distribution and topology hints. */
export const trafficDistributionCases: readonly Case[] = [
  ...(['PreferClose', 'PreferSameZone'] as const).map((trafficDistribution): Case => {
    return {
      title: `${trafficDistribution}: endpoints of the own zone while there are any, else all`,
      steps: [
        {
          zones: twoZones,
          services: { web: clusterIp({ trafficDistribution }) },
          pods: all,
          calls: [...from(['a1', 'A'], ['a1', 'a2']), ...from(['b2', 'B'], ['b1'])],
        },
        { pods: { b1: '' }, calls: from(['b2', 'B', 'a1'], ['a1', 'a2']) },
        { zones: oneZone, pods: { b1: 'web' }, calls: from(['b2', 'A'], ['a1', 'a2', 'b1']) },
      ],
    };
  }),
  {
    title: 'PreferSameNode: endpoints of the own node while there are any, else of the zone, else all',
    steps: [
      {
        zones: oneZone,
        services: { web: clusterIp({ trafficDistribution: 'PreferSameNode' }) },
        pods: all,
        calls: [...from(['a1', 'A'], ['a1', 'a2']), ...from(['b2', 'B'], ['b1'])],
      },
      { pods: { a1: '', a2: '' }, calls: from(['a1', 'A', 'b2'], ['b1']) },
      { zones: twoZones, pods: { a1: 'web' }, calls: [...from(['a2'], ['a1']), ...from(['b2'], ['b1'])] },
      { pods: { b1: 'web unready' }, calls: from(['a2', 'b2'], ['a1']) },
    ],
  },
  {
    title: 'trafficDistribution gives way to internalTrafficPolicy Local',
    steps: [
      {
        zones: oneZone,
        services: { web: clusterIp({ trafficDistribution: 'PreferSameZone', internalTrafficPolicy: 'Local' }) },
        pods: all,
        calls: [...from(['a1', 'A'], ['a1', 'a2']), ...from(['b2'], ['b1'])],
      },
    ],
  },
  {
    title: 'topology hints distribute endpoints to the zones that they name',
    steps: [
      hinted({ a1: ['east'], b1: ['west'], b2: ['east', 'west'] }, [
        ...from(['a2', 'A'], ['a1', 'b2']),
        ...from(['B'], ['b1', 'b2']),
      ]),
      hinted({ a1: ['east'], b1: [], b2: ['west'] }, from(['a2', 'B'], ['a1', 'b1', 'b2'])),
      hinted({ a1: ['north'], b1: ['north'], b2: ['north'] }, from(['a2', 'B'], ['a1', 'b1', 'b2'])),
    ],
  },
];

function from(callers: readonly Connect['from'][], expect: readonly string[]): readonly Connect[] {
  return callers.map((caller) => ({ from: caller, to: 'web', times: many, expect }));
}

/** Slices of both families whose endpoints carry these zones as hints. */
function hinted(
  zones: Readonly<Partial<Record<'a1' | 'b1' | 'b2', readonly string[]>>>,
  calls: readonly Connect[],
): Step {
  const hints = Object.entries(zones).map(([host, names]) => [host, names.length > 0 ? { forZones: names } : {}]);
  const slice = (family: Family) => ({ service: 'web' as const, family, endpoints: Object.fromEntries(hints) });
  return {
    zones: twoZones,
    services: { web: clusterIp() },
    slices: { four: slice('IPv4'), six: slice('IPv6') },
    calls,
  };
}
