import type { Caches } from '../client/caches.ts';
import type { Client } from '../client/client.ts';
import type { Logger } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { Frontend } from '../routing/frontend.ts';
import type { PlaneChoice } from './choose-plane.ts';
import type { Dataplane, NodeNetwork, PlaneName } from './dataplane.ts';

export interface ProxyConfig {
  /** For events; objects are read through `caches`. */
  readonly client: Client;
  readonly caches: Caches;
  /** The node this proxy works for: what is local, and whose traffic hints count. */
  readonly nodeName: string;
  /** `auto` takes nftables where it works, else userspace. */
  readonly plane?: PlaneName | 'auto';
  readonly network: NodeNetwork;
  /** Folder for the last known frontends (`<dataDir>/frontends.ndjson`); undefined keeps nothing on disk. */
  readonly dataDir?: string;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly signal?: AbortSignal;
  /** A plane to use instead of one of this package: for tests. */
  readonly dataplane?: Dataplane;
}

/** A running proxy. Disposing of it stops it and leaves everything in force, for the next one to take over. */
export interface Proxy extends AsyncDisposable {
  /** The plane in use, and why. */
  readonly choice: PlaneChoice;
  /** Resolves when everything the API server knows is in force. Never rejects. */
  readonly synced: Promise<void>;
  /** What should be in force now. */
  frontends(): readonly Frontend[];
  /** What is in force, read back from the kernel. */
  dump(): Promise<readonly Frontend[]>;
  /** Why frontends are not in force, by key: a port without privileges, an address of another machine. */
  refused(): ReadonlyMap<string, string>;
  /** Stops, and takes away what the plane made and the saved state. */
  remove(): Promise<void>;
}
