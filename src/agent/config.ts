import type { Caches } from '../client/caches.ts';
import type { Client } from '../client/client.ts';
import type { Logger } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';

/** Certificates in PEM. */
export interface AgentTls {
  readonly cert: string;
  readonly key: string;
  /** Who signs the API server's client certificate; calls without one are refused. */
  readonly clientCa: string;
}

/** The node's part of the cluster network. */
export interface AgentNetwork {
  /** Pods of this node, IPv4 CIDR: `10.244.0.0/24`. */
  readonly podCidr: string;
  /** All Pods: traffic that leaves this range is masqueraded. */
  readonly clusterCidr: string;
  /** Services: the host reaches them through the bridge. */
  readonly serviceCidr: string;
  /** The node's address on the bridge, the first of `podCidr`; also its InternalIP. */
  readonly gateway: string;
  /** Name of the bridge; `fairlead0` when absent. */
  readonly bridge?: string;
}

export interface AgentConfig {
  readonly client: Client;
  readonly caches: Caches;
  readonly nodeName: string;
  /** Folder of its own: Pods, logs, network namespaces. Everything the agent makes is in it or named after it. */
  readonly dataDir: string;
  /** `netns` needs root. `auto` takes it when it can. */
  readonly runtime: 'netns' | 'plain' | 'auto';
  readonly network: AgentNetwork;
  /** Address of the node; the gateway when absent. */
  readonly nodeIp?: string;
  /** DNS servers that Pods ask. Empty: they use the host's. */
  readonly clusterDns: readonly string[];
  readonly clusterDomain: string;
  /** The host's resolver configuration; `/etc/resolv.conf` when absent. */
  readonly hostResolvConf?: string;
  /** Cluster CA, PEM, for the node's programs that ask for it. */
  readonly tls: AgentTls;
  /** Where exec, logs and port-forward are served; port 0 picks one. */
  readonly listen: { readonly host: string; readonly port: number };
  readonly version?: string;
  readonly logger?: Logger;
  readonly metrics?: Metrics;
  /** Ends the agent as `close` does. */
  readonly signal?: AbortSignal;
  /** Unix milliseconds. */
  readonly now?: () => number;
}

export interface AgentHandle extends AsyncDisposable {
  readonly runtime: 'netns' | 'plain';
  /** Address of the HTTPS server. */
  readonly address: { readonly host: string; readonly port: number };
  /** Stops looking after the Pods and leaves them running; a later agent with the same data folder adopts them. */
  close(): Promise<void>;
  /** Ends every Pod at once and takes away everything that was made for them, the node's network included. */
  removeEverything(): Promise<void>;
}
