import type { Frontend, FrontendKey, Protocol } from '../routing/frontend.ts';
import type { Applied, Dataplane, FrontendCounters, NodeNetwork } from './dataplane.ts';
import { backendName } from './backend-name.ts';
import { traceConnection } from './trace.ts';

export interface FakePlane extends Dataplane {
  /** What a new connection gets: a backend's name and whether it sees the node's address, or no answer. */
  connect(source: string | undefined, destination: string, port: number, protocol: Protocol): FakeConnection;
  /** While set, may refuse a frontend with a reason. */
  refuses: ((frontend: Frontend) => string | undefined) | undefined;
  /** While set, every change fails with it, as when the kernel is out of memory. */
  failure: Error | undefined;
  /** How often `adopt` and `apply` were called. */
  readonly calls: number;
}

export type FakeConnection =
  | { readonly backend: string; readonly isMasqueraded: boolean }
  | 'refused'
  | 'ignored'
  | 'untouched';

/** A plane in memory that decides as the real ones do: it passes the same contract suite. */
export function createFakePlane(network: NodeNetwork, nodeAddresses: readonly string[]): FakePlane {
  const frontends = new Map<FrontendKey, Frontend>();
  const memory = new Map<string, string>();
  const counters = new Map<FrontendKey, FrontendCounters>();
  let draws = 0;

  const draw = (names: readonly string[], memoryKey: string | undefined): string => {
    const known = memoryKey === undefined ? undefined : memory.get(memoryKey);
    if (known !== undefined && names.includes(known)) return known;
    draws += 1;
    const name = names[draws % names.length] ?? '';
    if (memoryKey !== undefined) memory.set(memoryKey, name);
    return name;
  };

  const put = (changed: readonly Frontend[]): Applied => {
    plane.calls += 1;
    if (plane.failure !== undefined) throw plane.failure;
    const refused = changed.flatMap((frontend) => {
      const reason = plane.refuses?.(frontend);
      if (reason === undefined) frontends.set(frontend.key, frontend);
      return reason === undefined ? [] : [{ key: frontend.key, reason }];
    });
    return { refused, operations: changed.length };
  };

  const plane: FakePlane & { calls: number } = {
    name: 'fake',
    refuses: undefined,
    failure: undefined,
    calls: 0,
    connect(source, destination, port, protocol) {
      const context = { frontends: frontends.values(), network, nodeAddresses };
      const { outcome, frontend } = traceConnection(
        { ...context, frontends: [...context.frontends] },
        { source, destination, port, protocol },
      );
      if (outcome.kind !== 'forwarded') return outcome.kind;
      if (frontend !== undefined) {
        counters.set(frontend.key, { connections: (counters.get(frontend.key)?.connections ?? 0) + 1 });
      }
      const names = outcome.backends.map(({ backend }) => backendName(backend));
      const memoryKey = outcome.affinitySeconds && `${source ?? 'node'} ${frontend?.key ?? ''}`;
      const backend = draw(names, memoryKey || undefined);
      const isHairpin = outcome.backends.some(
        (each) => each.backend.address === source && backendName(each.backend) === backend,
      );
      return { backend, isMasqueraded: outcome.masquerade || isHairpin };
    },
    async adopt(desired) {
      frontends.clear();
      return put(desired);
    },
    async apply({ changed, removed }) {
      const applied = put(changed);
      for (const key of removed) if (!changed.some((frontend) => frontend.key === key)) frontends.delete(key);
      return applied;
    },
    dump: async () => [...frontends.values()],
    counters: async () => counters,
    close: async () => undefined,
    async remove() {
      frontends.clear();
    },
    retire: () => plane.remove(),
  };
  return plane;
}
