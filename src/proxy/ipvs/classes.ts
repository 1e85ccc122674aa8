import { classBase, ignoreChain, refuseChain } from '../nftables/classes.ts';
import { type Space, spaceNames } from '../nftables/schema.ts';
import type { Side } from './schema.ts';

/** What the companion table does with a new connection before IPVS sees it. */
export interface ForwardClass {
  readonly space: Space;
  readonly side: Side;
  /** Translates to a relay address; without it the connection goes on to the address that was called, which is ours. */
  readonly isRelayed: boolean;
  /** Only sources in `source-ranges` may pass. */
  readonly isRestricted: boolean;
}

/** Every way to forward: a dozen, so all are there from the start. */
export const forwardClasses: readonly ForwardClass[] = spaceNames.flatMap((space) =>
  [true, false].flatMap((isRelayed) =>
    (['inside', 'outside'] as const).flatMap((side) =>
      [false, true]
        .map((isRestricted): ForwardClass => ({ space, side, isRelayed, isRestricted }))
        .filter((each) => isPossible(each)),
    ),
  ),
);

/** A node port is always relayed and never restricted; only cluster addresses are not relayed, and have no outside. */
function isPossible({ space, side, isRelayed, isRestricted }: ForwardClass): boolean {
  if (space === 'port') return isRelayed && !isRestricted;
  return isRelayed || (side === 'inside' && !isRestricted);
}

/** The class's chain: `serve`, `relay`, `port-relay-outside`, `range-relay-restricted`. */
export function className({ space, side, isRelayed, isRestricted }: ForwardClass): string {
  const prefix = space === 'address' ? '' : `${space}-`;
  const suffix = `${side === 'outside' ? '-outside' : ''}${isRestricted ? '-restricted' : ''}`;
  return `${prefix}${isRelayed ? 'relay' : 'serve'}${suffix}`;
}

/** Chains by class number, in order from `classBase`. */
const chains: readonly string[] = [refuseChain, ignoreChain, ...forwardClasses.map(className)];

export const numberedChains: readonly { readonly number: number; readonly chain: string }[] = chains.map(
  (chain, at) => ({ number: classBase + at, chain }),
);

/** Throws for a chain that is no class. */
export function classNumber(chain: string): number {
  const at = chains.indexOf(chain);
  if (at < 0) throw new RangeError(`${chain} is not a class`);
  return classBase + at;
}

/** Inverse of `classNumber`; undefined for any other number. */
export function classChain(number: number): string | undefined {
  return chains[number - classBase];
}
