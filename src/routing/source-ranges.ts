import type { Service } from '../api/core/service.ts';
import { cidrContains, parseCidr } from '../lib/cidr.ts';
import type { Cidr } from '../lib/cidr.ts';
import type { ServiceAddress } from './addresses.ts';
import type { Note } from './notice.ts';

const annotation = 'service.beta.kubernetes.io/load-balancer-source-ranges';

/** The ranges of a Service, read once for all its addresses; the field wins over the annotation. */
export function readSourceRanges(service: Service, note: Note): readonly Cidr[] {
  const ranges: Cidr[] = [];
  for (const text of rangeTexts(service).map((each) => each.trim())) {
    const cidr = parseCidr(text);
    if (cidr !== undefined) ranges.push(cidr);
    else if (text !== '') note('InvalidSourceRange', `source range "${text}" is no CIDR; ignored`);
  }
  return ranges;
}

/**
 * CIDRs that may call a load-balancer address, sorted; undefined for everyone: when a range has length 0, or none is of
 * the address's family. Where a range contains an address of this node, the load-balancer address may call itself: a
 * node that has it on a link calls with it as its source (kube-proxy's rule).
 */
export function sourceRangesOf(
  ranges: readonly Cidr[],
  { family, address }: ServiceAddress,
  nodeAddresses: readonly string[],
): readonly string[] | undefined {
  const ofFamily = ranges.filter((range) => range.family === family);
  if (ofFamily.length === 0 || ofFamily.some((range) => range.prefix === 0)) return undefined;
  const texts = new Set(ofFamily.map((range) => range.text));
  const hasNode = ofFamily.some((range) => nodeAddresses.some((node) => cidrContains(range, node)));
  if (hasNode && !ofFamily.some((range) => cidrContains(range, address))) {
    texts.add(`${address}/${family === 'IPv4' ? 32 : 128}`);
  }
  return [...texts].sort();
}

function rangeTexts({ spec, metadata }: Service): readonly string[] {
  if (spec?.type !== 'LoadBalancer') return [];
  const field = spec.loadBalancerSourceRanges ?? [];
  return field.length > 0 ? field : (metadata.annotations?.[annotation] ?? '').split(',');
}
