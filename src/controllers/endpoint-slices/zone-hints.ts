import type { Node } from '../../api/core/node.ts';
import type { Service } from '../../api/core/service.ts';
import type { Endpoint } from '../../api/discovery/endpoint-slice.ts';
import { quantityInNano } from '../../api/quantity.ts';

/**
 * Topology mode `Auto` (KEP-2433): every ready endpoint is meant for one zone, and zones have endpoints in proportion to
 * the CPU of their nodes, so that traffic stays in its zone and no endpoint gets much more of it than others. Pure.
 */

const modeAnnotation = 'service.kubernetes.io/topology-mode';
const olderModeAnnotation = 'service.kubernetes.io/topology-aware-hints';

/** An endpoint may get up to this much more than its even share. */
const overload = 0.2;

/** Does the Service ask for it? Then `trafficDistribution` does not count. */
export function hasTopologyMode({ metadata: { annotations = {} } }: Service): boolean {
  const mode = annotations[modeAnnotation] ?? annotations[olderModeAnnotation];
  return mode === 'Auto' || mode === 'auto';
}

/** A result, or why there is none: a sentence for an event. */
export type OrProblem<T> = T | { readonly problem: string };

/** Each zone's share of the CPU of all ready nodes; the shares sum to 1. */
export type ZoneShares = ReadonlyMap<string, number>;

/** Control plane nodes do not count: usually nothing calls from there. */
export function zoneSharesOf(nodes: Iterable<Node>): OrProblem<ZoneShares> {
  const cpus = new Map<string, number>();
  for (const node of nodes) {
    if (!countsForZones(node)) continue;
    const { zone, cpu } = zoneFacts(node);
    if (zone === undefined || cpu === 0) {
      return { problem: 'Insufficient Node information: allocatable CPU or zone not specified on one or more nodes' };
    }
    cpus.set(zone, (cpus.get(zone) ?? 0) + cpu);
  }
  if (cpus.size < 2) return { problem: 'Nodes only ready in one zone' };
  const total = [...cpus.values()].reduce((sum, cpu) => sum + cpu, 0);
  return new Map([...cpus].sort().map(([zone, cpu]) => [zone, cpu / total]));
}

/** What of a Node matters here, as text: another text means other shares. */
export function zoneFactsText(node: Node): string {
  return countsForZones(node) ? JSON.stringify(zoneFacts(node)) : '';
}

function zoneFacts({ metadata, status }: Node): { readonly zone: string | undefined; readonly cpu: number } {
  const zone = metadata.labels?.['topology.kubernetes.io/zone'] || undefined;
  return { zone, cpu: Number(quantityInNano(status?.allocatable?.['cpu'] ?? '0') ?? 0n) };
}

function countsForZones({ metadata: { labels = {} }, status }: Node): boolean {
  if ('node-role.kubernetes.io/control-plane' in labels || 'node-role.kubernetes.io/master' in labels) return false;
  return status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false;
}

/** A zone with the endpoints that are meant for it so far. */
interface Zone {
  readonly name: string;
  /** What its share would be exactly. */
  readonly desired: number;
  /** Fewer would overload them. */
  readonly minimum: number;
  readonly endpoints: Endpoint[];
}

/** The zone that each of these endpoints is meant for: its own, unless another would have too few. */
export function spreadOverZones(
  endpoints: readonly Endpoint[],
  shares: ZoneShares,
): OrProblem<ReadonlyMap<Endpoint, string>> {
  const count = endpoints.length;
  if (shares.size > count)
    return { problem: `Insufficient number of endpoints (${count} endpoints, ${shares.size} zones)` };
  if (endpoints.some(({ zone }) => !zone)) return { problem: 'One or more endpoints do not have a zone specified' };
  const zones = [...shares].map(([name, share]): Zone => {
    const desired = share * count;
    return { name, desired, minimum: Math.ceil(desired / (1 + overload)), endpoints: [] };
  });
  if (zones.reduce((sum, { minimum }) => sum + minimum, 0) > count) {
    return {
      problem:
        'Unable to allocate minimum required endpoints to each zone without exceeding overload threshold' +
        ` (${count} endpoints, ${shares.size} zones)`,
    };
  }
  fill(zones, endpoints);
  return new Map(zones.flatMap(({ name, endpoints: own }) => own.map((endpoint) => [endpoint, name])));
}

function fill(zones: readonly Zone[], endpoints: readonly Endpoint[]): void {
  // Endpoints of zones without nodes of their own.
  const free: Endpoint[] = [];
  for (const endpoint of endpoints.toSorted(byAddress)) {
    (zones.find(({ name }) => name === endpoint.zone)?.endpoints ?? free).push(endpoint);
  }
  for (let poor = poorest(zones); free.length > 0 || isShort(poor); poor = poorest(zones)) {
    const moved = free.pop() ?? richest(zones)?.endpoints.pop();
    if (moved === undefined || poor === undefined) return;
    poor.endpoints.push(moved);
  }
}

function byAddress({ addresses: [a = ''] }: Endpoint, { addresses: [b = ''] }: Endpoint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function isShort(zone: Zone | undefined): boolean {
  return zone !== undefined && zone.endpoints.length < zone.minimum;
}

/** Those below their minimum come first, so that every minimum is met before anything else is. */
function poorest(zones: readonly Zone[]): Zone | undefined {
  const needs = ({ endpoints, desired }: Zone): number => endpoints.length / desired;
  const [first] = zones.toSorted((a, b) => Number(isShort(b)) - Number(isShort(a)) || needs(a) - needs(b));
  return first;
}

/** The zone that can give most easily; none gives what it needs itself. */
function richest(zones: readonly Zone[]): Zone | undefined {
  const surplus = ({ endpoints, desired }: Zone): number => endpoints.length - desired;
  const [first] = zones
    .filter(({ endpoints, minimum }) => endpoints.length > minimum)
    .sort((a, b) => surplus(b) - surplus(a));
  return first;
}
