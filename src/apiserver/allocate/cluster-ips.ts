import type { ServiceSpec } from '../../api/core/service.ts';
import { Issues } from '../../api/issues.ts';
import { canonicalIp, type Family } from '../../lib/ip.ts';
import { isInRanges, pickAddress, type ClusterRanges } from './cluster-ranges.ts';
import type { DecidedSpec } from './ip-families.ts';

/** The addresses as one Service sees them. */
export interface AddressPool {
  readonly ranges: ClusterRanges;
  /** Does another Service, or anybody else, have it? */
  isTaken(ip: string): boolean;
  /** From 0 to below 1. */
  random(): number;
}

/**
 * Gives the Service one cluster address for each of its families; those that it had before or asks for stay. A headless
 * one gets none. What cannot be is noted in `issues`.
 */
export function assignClusterIps(
  spec: DecidedSpec,
  old: ServiceSpec | undefined,
  pool: AddressPool,
  issues: Issues,
): ServiceSpec {
  const { clusterIPs = [], ipFamilies } = spec;
  if (spec.clusterIP === 'None' || clusterIPs[0] === 'None')
    return { ...spec, clusterIP: 'None', clusterIPs: ['None'] };
  const held = new Set(old?.clusterIPs);
  for (const ip of clusterIPs) if (!held.has(ip)) checkRequested(ip, clusterIPs, pool, issues);
  const assigned = ipFamilies.map((family, index) => clusterIPs[index] ?? pickOne(family, pool, issues) ?? '');
  return { ...spec, clusterIP: assigned[0], clusterIPs: assigned };
}

function checkRequested(ip: string, clusterIPs: readonly string[], pool: AddressPool, issues: Issues): void {
  const reason = refusal(canonicalIp(ip) ?? ip, pool);
  if (reason !== undefined) issues.invalid('spec.clusterIPs', clusterIPs, `failed to allocate IP ${ip}: ${reason}`);
}

function refusal(ip: string, pool: AddressPool): string | undefined {
  if (!isInRanges(pool.ranges, ip)) return 'the provided network does not match the current range';
  return pool.isTaken(ip) ? 'provided IP is already allocated' : undefined;
}

function pickOne(family: Family, { ranges, isTaken, random }: AddressPool, issues: Issues): string | undefined {
  const ip = pickAddress(ranges, family, (each) => !isTaken(each), random);
  if (ip === undefined)
    issues.invalid('spec.clusterIPs', [], `failed to allocate a serviceIP: ${family} range is full`);
  return ip;
}
