import type { ServiceCIDR } from '../../api/networking/service-cidr.ts';
import { cidrAddress, cidrContains, cidrSize, parseCidr, type Cidr } from '../../lib/cidr.ts';
import type { Family } from '../../lib/ip.ts';
import { clusterIpBand, pickFree } from './bands.ts';

/** Larger ranges are used in part. */
const LARGEST_RANGE = 2 ** 32;
const DEFAULT_RANGE = 'kubernetes';

/** The ranges that cluster addresses come from. */
export interface ClusterRanges {
  /** In order: that of the default ServiceCIDR first. */
  readonly ranges: readonly Cidr[];
  /** Families of the ranges; the first is that of Services which do not say. */
  readonly families: readonly Family[];
}

/** What the ServiceCIDRs allow now: those that are ready and not on their way out (KEP-1880). */
export function clusterRanges(objects: Iterable<ServiceCIDR>): ClusterRanges {
  const usable = [...objects].filter(isUsable).toSorted(compareObjects);
  const ranges = usable.flatMap(({ spec }) => (spec.cidrs ?? []).map(parseCidr)).filter((range) => range !== undefined);
  return { ranges, families: [...new Set(ranges.map(({ family }) => family))] };
}

/** Is the address one that a Service may have? Not the first of a range, nor the last of an IPv4 one. */
export function isInRanges({ ranges }: ClusterRanges, ip: string): boolean {
  return ranges.some((range) => cidrContains(range, ip) && isHost(range, ip));
}

/** A free address of the family; undefined when there is none. */
export function pickAddress(
  { ranges }: ClusterRanges,
  family: Family,
  isFree: (ip: string) => boolean,
  random: () => number,
): string | undefined {
  for (const range of ranges) {
    if (range.family !== family) continue;
    const size = hostCount(range);
    const index = pickFree(size, clusterIpBand(size), (at) => isFree(cidrAddress(range, at + 1)), random);
    if (index !== undefined) return cidrAddress(range, index + 1);
  }
  return undefined;
}

function hostCount(range: Cidr): number {
  const size = Math.min(Number(cidrSize(range)), LARGEST_RANGE);
  return Math.max(0, range.family === 'IPv4' ? size - 2 : size - 1);
}

function isHost(range: Cidr, ip: string): boolean {
  if (ip === cidrAddress(range, 0)) return false;
  return range.family === 'IPv6' || ip !== cidrAddress(range, cidrSize(range) - 1n);
}

function isUsable({ metadata, status }: ServiceCIDR): boolean {
  const isUnready = (status?.conditions ?? []).some((each) => each.type === 'Ready' && each.status === 'False');
  return metadata.deletionTimestamp === undefined && !isUnready;
}

function compareObjects(
  { metadata: { name: left = '' } }: ServiceCIDR,
  { metadata: { name: right = '' } }: ServiceCIDR,
): number {
  const rank = (name: string): number => (name === DEFAULT_RANGE ? 0 : 1);
  return rank(left) - rank(right) || (left < right ? -1 : 1);
}
