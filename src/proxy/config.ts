import type { Caches } from '../client/caches.ts';
import type { Client } from '../client/client.ts';
import type { Logger } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { Frontend } from '../routing/frontend.ts';
import type { SettingDefaults } from '../routing/settings.ts';
import type { Dataplane, NodeNetwork, PlaneName, RefusedFrontend } from './dataplane.ts';
import type { ListenAddress } from '../observe/http-listener.ts';
import type { NodeSourced } from './node-facts.ts';
import type { PlaneChoice, PlaneSettings } from './open-plane.ts';

export interface ProxyConfig {
  /** For events; objects are read through `caches`. */
  readonly client: Client;
  readonly caches: Caches;
  /** Nobody else reads `caches`, so that they need to hold only what the proxy reads. */
  readonly ownsCaches?: boolean;
  /** The node this proxy works for: what is local, and whose traffic hints count. */
  readonly nodeName: string;
  /** The cluster has no other node: what is worth telling here is so for the whole cluster. */
  readonly isOnlyNode?: boolean;
  /** `auto` takes the best that runs here. */
  readonly plane?: PlaneName | 'auto';
  readonly planeSettings?: PlaneSettings;
  readonly network: NodeNetwork;
  /** Serve `spec.externalIPs`. */
  readonly allowExternalIps?: boolean;
  /** For Services without annotations of their own. */
  readonly defaults?: SettingDefaults;
  /** What the Node object adds to `network`, and follows. */
  readonly fromNode?: NodeSourced;
  /** Folder for the last known frontends (`<dataDir>/frontends.ndjson`); undefined keeps nothing on disk. */
  readonly dataDir?: string;
  /** Where `/healthz`, `/livez` and `/readyz` are served; undefined for nowhere. */
  readonly healthz?: ListenAddress;
  /** Where `/metrics` and `/proxyMode` are served; undefined for nowhere. */
  readonly metricsAt?: ListenAddress;
  /**
   * How often refused frontends are tried again, in milliseconds; changes that wait twice as long for the plane make the
   * proxy unhealthy. 30 s when undefined.
   */
  readonly syncPeriodMs?: number;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly signal?: AbortSignal;
  /** Unix milliseconds; the system's clock when undefined. */
  readonly now?: () => number;
  /** A plane to use instead of one of this package: for tests. */
  readonly dataplane?: Dataplane;
}

/** A running proxy. Disposing of it stops it and leaves everything in force, for the next one to take over. */
export interface Proxy extends AsyncDisposable {
  /** The plane in use, and why. */
  readonly choice: PlaneChoice;
  /** Resolves when everything the API server knows is in force. Never rejects. */
  readonly synced: Promise<void>;
  /** The ports that are served, from when they are; undefined for what is not. */
  readonly ports: { readonly healthz: Promise<number> | undefined; readonly metrics: Promise<number> | undefined };
  /** What should be in force now. */
  frontends(): readonly Frontend[];
  /** What is in force, read back from the kernel. */
  dump(): Promise<readonly Frontend[]>;
  /** What is not in force, or not everywhere, and why, by key: a port without privileges, an address of another machine. */
  refused(): ReadonlyMap<string, RefusedFrontend>;
  /** Stops, and takes away what the plane made and the saved state. */
  remove(): Promise<void>;
}
