import type { Logger } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { Store } from '../store/store.ts';

/** What an API server is started with. */
export interface ApiServerConfig {
  readonly store: Store;
  /** Holds `pki/` and `kubeconfig`. */
  readonly dataDir: string;
  /** Port 0 takes a free one. The first address is the one in the kubeconfig. */
  readonly listen: readonly { readonly address: string; readonly port: number }[];
  /** The address under which Pods reach this server: the endpoint of the Service `kubernetes`. */
  readonly advertiseAddress: string;
  /** One per family; the first gives the Service `kubernetes` its address. */
  readonly serviceCidrs: readonly string[];
  /** Both inclusive. Default 30000 to 32767. */
  readonly nodePortRange?: { readonly from: number; readonly to: number };
  readonly clusterDomain: string;
  /** More names and addresses for the serving certificate. */
  readonly extraNames?: readonly string[];
  /** Accept loopback addresses for endpoints, Pods and CIDRs (running without root). */
  readonly allowLoopback: boolean;
  /** PEM; agents whose certificate it did not sign are refused. Unset: agents are not verified. */
  readonly agentAuthority?: string;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Milliseconds since the epoch; default `Date.now`. */
  readonly now?: () => number;
}
