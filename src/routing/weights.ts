import type { EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import { largestWeight, weightsAnnotation } from '../api/fairlead-annotations.ts';
import { canonicalIp } from '../lib/ip.ts';

/** Weights of the endpoints of one slice. */
export interface Weights {
  /** Of those without one of their own. */
  readonly others: number;
  /** By canonical address. */
  readonly byAddress: ReadonlyMap<string, number>;
}

const evenWeights: Weights = { others: 1, byAddress: new Map() };

/**
 * The weights that a slice's annotation gives: one whole number for all (`3`), or by address
 * (`10.244.0.5=3,10.244.0.6=0`), where the rest have 1. What cannot be read is told to `complain` and counts as absent.
 */
export function weightsOf(slice: EndpointSlice, complain: (problem: string) => void): Weights {
  const text = slice.metadata.annotations?.[weightsAnnotation];
  if (text === undefined) return evenWeights;
  const byAddress = new Map<string, number>();
  let others = 1;
  for (const entry of text.split(',').map((each) => each.trim())) {
    if (entry === '') continue;
    const [first = '', second] = entry.split('=');
    const weight = readWeight(second ?? first);
    const address = second === undefined ? undefined : canonicalIp(first.trim());
    if (weight === undefined || (second !== undefined && address === undefined)) {
      complain(`${weightsAnnotation}: "${entry}" is not of the form address=0-${largestWeight}; ignored`);
    } else if (address === undefined) others = weight;
    else byAddress.set(address, weight);
  }
  return { others, byAddress };
}

/** The weight of the endpoint with this canonical address. */
export function weightOf({ others, byAddress }: Weights, address: string): number {
  return (byAddress.size > 0 ? byAddress.get(address) : undefined) ?? others;
}

function readWeight(text: string): number | undefined {
  const weight = /^\s*\d{1,4}\s*$/.test(text) ? Number(text) : Number.NaN;
  return weight <= largestWeight ? weight : undefined;
}
