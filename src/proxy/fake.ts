import type { Frontend, FrontendKey, Protocol } from '../routing/frontend.ts';
import type { Applied, Dataplane, FrontendCounters, NodeNetwork } from './dataplane.ts';
import { backendName } from './backend-name.ts';
import { FakePicker } from './fake-picker.ts';
import { traceConnection } from './trace.ts';

export interface FakePlane extends Dataplane {
  /** What a new connection gets: a backend and whether it sees the node's address, or no answer. */
  connect(source: string | undefined, destination: string, port: number, protocol: Protocol): FakeConnection;
  /** Whether a frontend still has the backend. */
  forwardsTo(key: FrontendKey, backend: string): boolean;
  /** Whether connections through a frontend were to be reset when their backend went. */
  resets(key: FrontendKey): boolean;
  /** While set, may refuse a frontend with a reason. */
  refuses: ((frontend: Frontend) => string | undefined) | undefined;
  /** While set, every change fails with it, as when the kernel is out of memory. */
  failure: Error | undefined;
  /** How often `adopt` and `apply` were called. */
  readonly calls: number;
}

export type FakeConnection =
  | {
      /** Its name. */
      readonly backend: string;
      readonly key: FrontendKey;
      readonly isMasqueraded: boolean;
      /** Ends the connection: it counts no longer. */
      end(): void;
    }
  | 'refused'
  | 'ignored'
  | 'untouched';

/** A plane in memory that decides as the real ones do: it passes the same contract suite. */
export function createFakePlane(network: NodeNetwork, nodeAddresses: readonly string[]): FakePlane {
  const frontends = new Map<FrontendKey, Frontend>();
  const resetting = new Set<FrontendKey>();
  const counters = new Map<FrontendKey, FrontendCounters>();
  const picker = new FakePicker();

  const put = (changed: readonly Frontend[]): Applied => {
    plane.calls += 1;
    if (plane.failure !== undefined) throw plane.failure;
    const refused = changed.flatMap((frontend) => {
      const reason = plane.refuses?.(frontend);
      if (reason === undefined) {
        frontends.set(frontend.key, frontend);
        if (frontend.resetAfterSeconds === undefined) resetting.delete(frontend.key);
        else resetting.add(frontend.key);
      }
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
      const context = { frontends: [...frontends.values()], network, nodeAddresses };
      const { outcome, frontend } = traceConnection(context, { source, destination, port, protocol });
      if (outcome.kind !== 'forwarded') return outcome.kind;
      if (frontend === undefined) return 'untouched';
      const { key } = frontend;
      counters.set(key, { connections: (counters.get(key)?.connections ?? 0) + 1 });
      const { backend, end } = picker.pick(frontend, outcome, source ?? 'node');
      return {
        backend: backendName(backend),
        key,
        isMasqueraded: outcome.masquerade || backend.address === source,
        end,
      };
    },
    forwardsTo(key, backend) {
      const { internal, external } = frontends.get(key) ?? {};
      const backends = [...(internal?.backends ?? []), ...(external?.backends ?? [])];
      return backends.some((each) => backendName(each) === backend);
    },
    resets: (key) => resetting.has(key),
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
