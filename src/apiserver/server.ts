import type { Logger } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { OpenApi } from '../api/openapi.ts';
import type { Kind } from '../api/schema.ts';
import type { Store } from '../store/store.ts';
import type { Admission } from './admission/admission.ts';
import type { RoleLookup } from './auth/authorize.ts';
import type { Tokens } from './auth/tokens.ts';
import type { AgentConnector } from './subresources/agent-connection.ts';
import type { ResourceCache } from './cache/resource-cache.ts';
import type { WatchCache } from './cache/watch-cache.ts';
import type { ServerMetrics } from './metrics.ts';

/** Everything that outlives a request. Steps and verbs get it beside the exchange. */
export interface Server {
  readonly store: Store;
  readonly cache: WatchCache;
  readonly tokens: Tokens;
  readonly admission: Admission;
  readonly rolesFor: RoleLookup;
  readonly agents: AgentConnector;
  readonly log: Logger;
  readonly metrics: ServerMetrics;
  readonly registry: Metrics;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly allowLoopback: boolean;
  /** Open streams, ended on shutdown. */
  readonly streams: Set<{ end(reason: 'shutdown'): void }>;
  /** Built when first asked for. */
  readonly openApi: () => OpenApi;
  /** Undefined once the server has its system objects; why not before. */
  readonly readiness: () => string | undefined;
}

/** The name under which a kind is stored: `services`, `deployments.apps`. */
export function storedName(kind: Pick<Kind, 'plural' | 'group' | 'storedAs'>): string {
  const group = kind.storedAs === undefined ? kind.group : kind.storedAs.group;
  return group === '' ? kind.plural : `${kind.plural}.${group}`;
}

/** The cache that holds the objects of a kind. */
export function cacheOf(
  server: Pick<Server, 'cache'>,
  kind: Pick<Kind, 'plural' | 'group' | 'storedAs'>,
): ResourceCache {
  return server.cache.resource(storedName(kind));
}

/** The key of one object. */
export function keyOf(
  kind: Pick<Kind, 'plural' | 'group' | 'storedAs'>,
  namespace: string | undefined,
  name: string,
): string {
  const scope = namespace ? `${namespace}/` : '';
  return `/registry/${storedName(kind)}/${scope}${name}`;
}
