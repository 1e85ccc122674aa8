import type { TrackedConnection } from '../../linux/conntrack.ts';
import type { Frontend } from '../../routing/frontend.ts';
import { backendName } from '../backend-name.ts';

/** What a client called, and who answers. */
export type Translation = Pick<TrackedConnection, 'original' | 'reply'>;

/** A flow, and what ends it. */
export interface EndingFlow {
  readonly flow: Translation;
  readonly end: EndedFlows;
}

/** Flows of one frontend that have to end. */
export interface EndedFlows {
  readonly frontend: Frontend;
  /** Names of backends that it lost: flows to them end. For a range of ports, addresses: the port is the one called. */
  readonly lost: ReadonlySet<string>;
  /** When set, every flow ends that leads to none of these, also one that was never translated. */
  readonly kept: ReadonlySet<string> | undefined;
}

/**
 * The UDP flows that a change of a frontend ends, at once: UDP has no end of its own, so the kernel would send the packets
 * of a lasting socket to where its first packet went for as long as they come.
 *
 * A frontend that still has backends keeps only the flows to them. One that got its first also ends what was tracked
 * while nothing translated it: packets that went out untouched, and would go on doing so. Undefined when nothing ends.
 */
export function endedByChange(old: Frontend | undefined, next: Frontend | undefined): EndedFlows | undefined {
  const frontend = next ?? old;
  if (frontend?.protocol !== 'UDP') return undefined;
  const before = flowTargets(old);
  const kept = flowTargets(next);
  const lost = before.difference(kept);
  if (kept.size === 0) return lost.size === 0 ? undefined : { frontend, lost, kept: undefined };
  const isFirst = before.size === 0;
  return isFirst || lost.size > 0 ? { frontend, lost, kept } : undefined;
}

/** The UDP flows that lead to none of a frontend's backends, wherever they come from; undefined for another protocol. */
export function endedAstray(frontend: Frontend): EndedFlows | undefined {
  return frontend.protocol === 'UDP' ? { frontend, lost: new Set(), kept: flowTargets(frontend) } : undefined;
}

/** The backends that flows of a frontend may lead to, of inside and outside callers, as `EndedFlows` names them. */
export function flowTargets(frontend: Frontend | undefined): Set<string> {
  if (frontend === undefined) return new Set();
  const { internal, external, lastPort } = frontend;
  const backends = internal === external ? internal.backends : [...internal.backends, ...external.backends];
  return new Set(backends.map((backend) => (lastPort === undefined ? backendName(backend) : backend.address)));
}

/** Where a tracked connection leads, in the frontend's terms. */
export function targetOf({ original, reply }: Translation, { lastPort }: Frontend): string | undefined {
  if (lastPort === undefined) return backendName({ address: reply.source, port: reply.sourcePort });
  return reply.sourcePort === original.destinationPort ? reply.source : undefined;
}

/**
 * The backends that flows of these frontends lead to, though the frontends have them no more. `find` gives the flows that
 * something ends.
 */
export function astrayFlows(
  frontends: readonly Frontend[],
  find: (asked: readonly EndedFlows[]) => readonly EndingFlow[],
): EndedFlows[] {
  const asked = frontends.map((frontend) => ({ frontend, lost: new Set<string>(), kept: flowTargets(frontend) }));
  const found = new Map<Frontend, Set<string>>();
  for (const { flow, end } of find(asked)) {
    const target = targetOf(flow, end.frontend);
    if (target !== undefined) found.set(end.frontend, (found.get(end.frontend) ?? new Set()).add(target));
  }
  return [...found].map(([frontend, lost]) => ({ frontend, lost, kept: undefined }));
}

/** Finds what ends a tracked connection, by the address and port that its client called. */
export class EndedFlowsIndex {
  readonly #exact = new Map<string, EndedFlows>();
  readonly #ranges: EndedFlows[] = [];
  readonly #localAddresses: ReadonlySet<string>;

  /** All of one family and protocol. Node ports are called on the local addresses. */
  constructor(ended: readonly EndedFlows[], localAddresses: ReadonlySet<string>) {
    this.#localAddresses = localAddresses;
    for (const each of ended) {
      const { address, port, lastPort } = each.frontend;
      if (lastPort === undefined) this.#exact.set(`${address ?? '*'} ${port}`, each);
      else this.#ranges.push(each);
    }
  }

  /** The flows that a connection belongs to; undefined when it stays. */
  endOf(connection: Translation): EndedFlows | undefined {
    const found = this.#find(connection.original.destination, connection.original.destinationPort);
    if (found === undefined) return undefined;
    const target = targetOf(connection, found.frontend);
    const isOver = found.kept === undefined ? found.lost.has(target ?? '') : !found.kept.has(target ?? '');
    return isOver ? found : undefined;
  }

  #find(address: string, port: number): EndedFlows | undefined {
    const exact = this.#exact.get(`${address} ${port}`);
    if (exact !== undefined) return exact;
    const isLocal = this.#localAddresses.has(address);
    if (isLocal && this.#exact.has(`* ${port}`)) return this.#exact.get(`* ${port}`);
    return this.#ranges.find(({ frontend }) => {
      const isHere = frontend.address === undefined ? isLocal : frontend.address === address;
      return isHere && frontend.port <= port && port <= (frontend.lastPort ?? frontend.port);
    });
  }
}
