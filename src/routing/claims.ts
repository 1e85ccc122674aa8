import type { Frontend, FrontendKey, FrontendKind } from './frontend.ts';
import { isSameFrontend } from './same-frontend.ts';

/** A frontend that a Service asks for, with what decides between two Services that ask for the same one. */
export interface Claim {
  readonly frontend: Frontend;
  /** `metadata.creationTimestamp` as it is: RFC 3339 UTC, sorts as text; '' when unset. */
  readonly createdAt: string;
}

/** Nobody can take over a cluster IP by naming it as an external address (CVE-2020-8554). */
const precedence: Record<FrontendKind, number> = { ClusterIP: 0, NodePort: 1, LoadBalancer: 2, ExternalIP: 3 };

/**
 * Who holds each frontend. Usually one Service asks for a key; where several do (external addresses are not allocated),
 * the kind decides, then the older Service, then its name: never the order of arrival.
 */
export class Claims {
  readonly #claims = new Map<FrontendKey, readonly Claim[]>();

  /** The frontend in force for a key. */
  get(key: FrontendKey): Frontend | undefined {
    return this.#claims.get(key)?.[0]?.frontend;
  }

  /** Every frontend in force. */
  *values(): Generator<Frontend> {
    for (const [first] of this.#claims.values()) if (first !== undefined) yield first.frontend;
  }

  /**
   * Replaces what `service` asks for under `key` (undefined: nothing more). Says what became of the frontend in force.
   */
  put(key: FrontendKey, service: string, claim: Claim | undefined): 'same' | 'changed' | 'removed' {
    const before = this.get(key);
    const others = (this.#claims.get(key) ?? []).filter((other) => other.frontend.service !== service);
    const claims = claim === undefined ? others : [...others, claim].sort(byRight);
    const now = claims[0]?.frontend;
    if (now === undefined) {
      this.#claims.delete(key);
      return before === undefined ? 'same' : 'removed';
    }
    this.#claims.set(key, claims);
    return before !== undefined && isSameFrontend(before, now) ? 'same' : 'changed';
  }
}

function byRight(a: Claim, b: Claim): number {
  return (
    precedence[a.frontend.kind] - precedence[b.frontend.kind] ||
    compareText(a.createdAt, b.createdAt) ||
    compareText(a.frontend.service, b.frontend.service)
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
