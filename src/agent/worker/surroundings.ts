import type { Service } from '../../api/core/service.ts';
import type { Pod } from '../../api/core/pod.ts';
import type { Logger } from '../../observe/log.ts';
import type { Happening } from '../../client/event-recorder.ts';
import type { ConfigSources } from '../environment/sources.ts';
import type { ClusterDns, ResolvConf } from '../environment/resolv-conf.ts';
import type { TokenRequest } from '../environment/volume-files.ts';
import type { Ipam } from '../network/ipam.ts';
import type { Layout } from '../runtime/layout.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { AgentMetrics } from '../metrics.ts';
import type { StatusWriter } from './status-writer.ts';

/** A service account token and when to get the next one. */
export interface Token {
  readonly text: string;
  /** Unix milliseconds. */
  readonly expiresMs: number;
}

/** Everything of the node that the work on one Pod uses. */
export interface Surroundings {
  readonly runtime: Runtime;
  readonly layout: Layout;
  readonly ipam: Ipam;
  readonly node: {
    readonly name: string;
    readonly hostIp: string;
    readonly capacity: { readonly cpus: number; readonly memoryBytes: number };
  };
  readonly dns: ClusterDns;
  readonly hostResolvConf: () => ResolvConf;
  readonly sources: ConfigSources;
  services(): readonly Service[];
  /** Gets a token of the Pod's service account, bound to the Pod. */
  token(pod: Pod, request: TokenRequest): Promise<Token>;
  /** Records an event of the Pod; `container` names the part it is about. */
  event(pod: Pod, happening: Omit<Happening, 'fieldPath'>, container?: string): void;
  readonly statusWriter: StatusWriter;
  /** Deletes the Pod from the API for good; false while that did not work. */
  deletePod(pod: Pod): Promise<boolean>;
  readonly userAgent: string;
  readonly metrics: AgentMetrics;
  readonly logger: Logger;
  readonly now: () => number;
}
