import type { Service } from '../api/core/service.ts';
import { parseCidr } from '../lib/cidr.ts';

const annotation = 'service.beta.kubernetes.io/load-balancer-source-ranges';

/**
 * CIDRs of one family that may call the Service's load-balancer addresses; undefined for everyone. The field wins over
 * the annotation. White space and malformed ranges are tolerated; a range of length 0 is everyone, and so is a family
 * that no range names.
 */
export function sourceRangesOf(service: Service, family: 'IPv4' | 'IPv6'): readonly string[] | undefined {
  const ranges = new Set<string>();
  for (const text of rangeTexts(service)) {
    const cidr = parseCidr(text.trim());
    if (cidr?.family !== family) continue;
    if (cidr.prefix === 0) return undefined;
    ranges.add(cidr.text);
  }
  return ranges.size > 0 ? [...ranges].sort() : undefined;
}

function rangeTexts(service: Service): readonly string[] {
  const field = service.spec?.loadBalancerSourceRanges ?? [];
  return field.length > 0 ? field : (service.metadata.annotations?.[annotation] ?? '').split(',');
}
