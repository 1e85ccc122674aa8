import type { Node } from '../../api/core/node.ts';
import type { Lease } from '../../api/coordination/lease.ts';
import { graceMs } from './reconcile.ts';

/** A timer this late means that the whole process slept (a closed laptop): then nobody was silent. */
const sleptMs = 10_000;

/**
 * When each Node was last heard of. Judged by this process's clock from the moment a sign of life is seen, never by the
 * times in it: clocks of machines differ.
 */
export interface Heartbeats {
  /** Takes note of the Node's lease and status; a change of either is a sign of life. */
  see(name: string, node: Node | undefined, lease: Lease | undefined): void;
  /** How long until the Node counts as silent, in milliseconds; 0 or less when it does. */
  silentInMs(name: string): number;
  /** Starts the Node's grace anew: silence could not have been noticed. */
  excuse(name: string): void;
  forget(name: string): void;
}

interface Seen {
  readonly sign: string;
  readonly atMs: number;
}

export function createHeartbeats(now: () => number): Heartbeats {
  const seen = new Map<string, Seen>();
  return {
    see(name, node, lease) {
      const heartbeat = node?.status?.conditions?.find(({ type }) => type === 'Ready')?.lastHeartbeatTime ?? '';
      const sign = `${lease?.spec.renewTime ?? ''} ${heartbeat}`;
      if (seen.get(name)?.sign !== sign) seen.set(name, { sign, atMs: now() });
    },
    silentInMs(name) {
      const found = seen.get(name);
      if (found === undefined) return graceMs;
      const leftMs = found.atMs + graceMs - now();
      if (leftMs > -sleptMs) return leftMs;
      seen.set(name, { ...found, atMs: now() });
      return graceMs;
    },
    excuse(name) {
      const found = seen.get(name);
      if (found !== undefined) seen.set(name, { ...found, atMs: now() });
    },
    forget: (name) => void seen.delete(name),
  };
}
