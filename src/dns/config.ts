import type { Caches } from '../client/caches.ts';
import type { Client } from '../client/client.ts';
import type { User } from '../linux/privileges.ts';
import type { Logger } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { Machine } from './machine.ts';
import type { DnsSettings, ListenSettings } from './settings/settings.ts';

/** An address and port to listen on or to send to; both UDP and TCP. */
export interface SocketAddress {
  /** IPv4 or IPv6 text. */
  readonly address: string;
  readonly port: number;
}

/** How `1-2-3-4.<namespace>.pod.<zone>` is answered. */
export type PodRecords =
  /** Any address, as long as the namespace exists: the name is only rewritten. */
  | 'insecure'
  /** Only when a Pod of the namespace has the address. Watches Pods. */
  | 'verified'
  /** Never: NXDOMAIN. */
  | 'disabled';

/** Keeps a Service and its EndpointSlice that lead to this server. */
export interface AdvertiseConfig {
  /** Cluster IP of the `kube-dns` Service; undefined lets the API server choose. */
  readonly serviceIp?: string;
  /** Where Pods reach this server. All of one family use one port. */
  readonly addresses: readonly SocketAddress[];
  /** `kube-system` and `kube-dns` unless given. */
  readonly namespace?: string;
  readonly name?: string;
}

export interface DnsConfig {
  readonly client: Client;
  readonly caches: Caches;
  readonly settings: DnsSettings;
  /** The Service that leads here, for leaving: `kube-system/kube-dns` unless given. */
  readonly service?: { readonly namespace: string; readonly name: string };
  readonly advertise?: AdvertiseConfig;
  /** Folder for the last known state (`<dataDir>/state.ndjson`); undefined keeps nothing on disk. */
  readonly dataDir?: string;
  /** How UDP is read: `batch` needs Linux; `auto` takes it there and `dgram` elsewhere. */
  readonly udp?: 'auto' | 'batch' | 'dgram';
  /**
   * Addresses of a node cache (Linux): this machine's own, untracked, as long as this process lives, and shared with the
   * process that comes after it. All that `settings` listen on may be shared then.
   */
  readonly nodeCache?: readonly SocketAddress[];
  /** Who this process is once its sockets are bound; root's rights end there. It must be root. */
  readonly user?: User;
  /** Told when an upstream is found that sends our questions back to us. */
  readonly onLoop?: (upstream: string) => void;
  /** Clock and network: this machine's unless given. */
  readonly machine?: Machine;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly signal?: AbortSignal;
}

/** A running DNS server. Disposing of it closes its sockets and writes its state down. */
export interface Dns extends AsyncDisposable {
  /** The addresses it answers on, with the ports the kernel chose where 0 was asked for. */
  readonly listening: readonly ListenSettings[];
  /**
   * Goes on with other settings, without a query lost. Rejects with what is wrong with them, or with an address that cannot
   * be had; then everything is as before. Calls must not overlap.
   */
  become(settings: DnsSettings): Promise<void>;
  /** Resolves once Services, EndpointSlices and Namespaces are read completely. Never rejects. */
  readonly synced: Promise<void>;
  /** How UDP is read. */
  readonly udp: 'batch' | 'dgram';
}
