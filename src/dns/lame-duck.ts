import type { EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import { wait } from '../observe/clock.ts';
import type { Clock } from '../observe/clock.ts';
import { serviceNameLabel } from '../routing/labels.ts';
import type { DnsConfig } from './config.ts';

/** The DNS Service unless told otherwise. */
export const dnsService = { namespace: 'kube-system', name: 'kube-dns' };

/** A server that nobody asked for this long has no clients any more. */
const quietMs = 1000;
const lookEveryMs = 50;
const never = new AbortController().signal;

export interface LameDuckOptions {
  readonly clock: Clock;
  /** Milliseconds to stay at most. */
  readonly mostMs: number;
  /** Whether clients are still sent here: an EndpointSlice of the DNS Service has this server as ready. */
  readonly isAdvertised: () => boolean;
  /** Queries so far. */
  readonly queries: () => number;
}

/**
 * Resolves when a server that was told to end may stop answering: no client is sent here any more, as the API says it, and
 * none has asked for a second (a proxy may have been slower to hear of it), or its time is over. A fixed sleep would be
 * either too short for a slow cluster or a delay for every other.
 */
export async function lameDuck({ clock, mostMs, isAdvertised, queries }: LameDuckOptions): Promise<void> {
  const endMs = clock.monotonic() + mostMs;
  let quietSinceMs = clock.monotonic();
  let seen = queries();
  for (;;) {
    const nowMs = clock.monotonic();
    if (queries() !== seen || isAdvertised()) quietSinceMs = nowMs;
    seen = queries();
    if (nowMs >= endMs || nowMs - quietSinceMs >= quietMs) return;
    await wait(clock, lookEveryMs, never, 'holds');
  }
}

/** Whether one of some EndpointSlices sends clients of the DNS Service to one of these addresses. */
export function sendsClients(
  slices: readonly EndpointSlice[],
  service: NonNullable<DnsConfig['service']>,
  own: ReadonlySet<string>,
): boolean {
  return slices
    .filter(
      ({ metadata }) =>
        metadata.namespace === service.namespace && metadata.labels?.[serviceNameLabel] === service.name,
    )
    .some((slice) =>
      (slice.endpoints ?? []).some(
        ({ addresses, conditions }) => conditions?.ready !== false && own.has(addresses?.[0] ?? ''),
      ),
    );
}
