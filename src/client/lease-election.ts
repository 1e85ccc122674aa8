import { isAlreadyExists, isConflict, isNotFound } from '../api/errors.ts';
import { Lease } from '../api/coordination/lease.ts';
import { silentLogger } from '../observe/log.ts';
import type { Logger } from '../observe/log.ts';
import { sleep } from './back-off.ts';
import type { Client } from './client.ts';

export interface LeaseElectionOptions {
  readonly client: Client;
  readonly namespace: string;
  readonly name: string;
  /** Who stands for election; unique among the candidates. */
  readonly identity: string;
  /** Work of the leader; its signal aborts when the lease is lost or the election ends. */
  readonly lead: (signal: AbortSignal) => Promise<void>;
  readonly signal: AbortSignal;
  /** How long a lease that is not renewed keeps others out. */
  readonly durationMs?: number;
  /** How long the leader tries to renew before it gives up; shorter than `durationMs`. */
  readonly renewDeadlineMs?: number;
  readonly retryMs?: number;
  readonly logger?: Logger;
  /** Unix milliseconds. */
  readonly now?: () => number;
}

/** What one look at the lease says to do. */
export type LeaseDecision =
  | { readonly action: 'create' | 'take' | 'renew'; readonly lease: Lease }
  | { readonly action: 'wait' };

/** What a candidate saw last, and when: expiry is judged by its own clock, not by the time in the lease. */
export interface Observation {
  readonly lease: Lease | undefined;
  /** When the lease was last seen changed, in the observer's Unix milliseconds. */
  readonly changedMs: number;
}

/** Whether to write the lease and how. Pure. */
export function decideLease(
  { lease, changedMs }: Observation,
  { namespace, name, identity, durationMs }: { namespace: string; name: string; identity: string; durationMs: number },
  nowMs: number,
): LeaseDecision {
  const times = { renewTime: microTime(nowMs), leaseDurationSeconds: Math.ceil(durationMs / 1000) };
  if (lease === undefined) {
    const spec = { holderIdentity: identity, acquireTime: times.renewTime, leaseTransitions: 0, ...times };
    return { action: 'create', lease: { metadata: { name, namespace }, spec } };
  }
  if (lease.spec.holderIdentity === identity) {
    return { action: 'renew', lease: { ...lease, spec: { ...lease.spec, ...times } } };
  }
  const heldMs = (lease.spec.leaseDurationSeconds ?? 0) * 1000;
  if (lease.spec.holderIdentity && nowMs < changedMs + heldMs) return { action: 'wait' };
  const leaseTransitions = (lease.spec.leaseTransitions ?? 0) + 1;
  const spec = { ...lease.spec, holderIdentity: identity, acquireTime: times.renewTime, leaseTransitions, ...times };
  return { action: 'take', lease: { ...lease, spec } };
}

/**
 * Stands for election until the signal aborts, and runs `lead` while it holds the lease. One leader at a time, as long as
 * clocks run at the same speed. On the way out it gives the lease back, so that the next leader need not wait.
 */
export async function runLeaseElection(options: LeaseElectionOptions): Promise<void> {
  const { signal, retryMs = 2000, durationMs = 15_000, now = Date.now, logger = silentLogger } = options;
  const candidate = { ...options, durationMs, now };
  let seen: Observation = { lease: undefined, changedMs: now() };
  while (!signal.aborted) {
    try {
      seen = observe(seen, await readLease(options), now());
      const held = await writeLease(options.client, decideLease(seen, candidate, now()));
      if (held !== undefined) {
        await leadWhileHeld(candidate, held);
        continue;
      }
    } catch (error) {
      logger.debug('election: no answer', { lease: options.name, error });
    }
    await sleep(retryMs, signal);
  }
}

function observe(seen: Observation, lease: Lease | undefined, nowMs: number): Observation {
  const isSame = lease?.metadata.resourceVersion === seen.lease?.metadata.resourceVersion;
  return { lease, changedMs: isSame ? seen.changedMs : nowMs };
}

async function readLease({ client, name, namespace }: LeaseElectionOptions): Promise<Lease | undefined> {
  try {
    return await client.get(Lease, name, { namespace });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** The lease as written, or undefined when it is not ours to write or somebody was faster. */
async function writeLease(client: Client, decision: LeaseDecision): Promise<Lease | undefined> {
  if (decision.action === 'wait') return undefined;
  try {
    return decision.action === 'create'
      ? await client.create(Lease, decision.lease)
      : await client.update(Lease, decision.lease);
  } catch (error) {
    if (isConflict(error) || isAlreadyExists(error)) return undefined;
    throw error;
  }
}

type Candidate = LeaseElectionOptions & { readonly durationMs: number; readonly now: () => number };

async function leadWhileHeld(options: Candidate, held: Lease): Promise<void> {
  const lost = new AbortController();
  const both = AbortSignal.any([options.signal, lost.signal]);
  const work = options.lead(both).finally(() => lost.abort());
  const last = await renewUntilLost(options, held, both);
  lost.abort();
  await work;
  await giveBack(options.client, last);
}

/** Renews until a renewal is refused, none has worked for the deadline, or the signal aborts; returns the last lease. */
async function renewUntilLost(options: Candidate, held: Lease, signal: AbortSignal): Promise<Lease> {
  const { renewDeadlineMs = 10_000, retryMs = 2000, now } = options;
  let lease = held;
  let renewedMs = now();
  while (!signal.aborted && now() - renewedMs < renewDeadlineMs) {
    await sleep(retryMs, signal);
    if (signal.aborted) break;
    try {
      const next = await writeLease(options.client, decideLease({ lease, changedMs: renewedMs }, options, now()));
      if (next === undefined) break;
      lease = next;
      renewedMs = now();
    } catch {
      // No answer: the deadline decides.
    }
  }
  return lease;
}

async function giveBack(client: Client, lease: Lease): Promise<void> {
  try {
    await client.update(Lease, { ...lease, spec: { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1 } });
  } catch {
    // Somebody else has it, or nobody answers: then it runs out by itself.
  }
}

function microTime(timeMs: number): string {
  return new Date(timeMs).toISOString().replace('Z', '000Z');
}
