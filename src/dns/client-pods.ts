import type { Pod } from '../api/core/pod.ts';
import { addressesOfPod } from './pod-names.ts';

/** A Pod as one who asks. */
export interface ClientPod {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  /** It has the node's addresses, as others may. */
  readonly isOnHostNetwork: boolean;
  /** It looks names up in the search list of the cluster, and in no other. */
  readonly hasClusterSearch: boolean;
}

/** What is kept of a Pod in caches of its own: who it is, its addresses, and how it looks names up. */
export function keepClient({ metadata, spec, status }: Pod): Pod {
  const { name, namespace, uid, resourceVersion } = metadata;
  const { hostNetwork, dnsPolicy, dnsConfig } = spec;
  const { phase, podIP, podIPs } = status ?? {};
  return {
    metadata: { name, namespace, uid, resourceVersion },
    spec: { hostNetwork, dnsPolicy, dnsConfig, containers: [] },
    status: { phase, podIP, podIPs },
  };
}

/**
 * Who asks, by the address of the question. An address counts only while exactly one Pod has it: between the end of one Pod
 * and the news of it its address may be another's already.
 */
export class ClientPods {
  readonly #byAddress = new Map<string, readonly ClientPod[]>();

  change(old: Pod | undefined, now: Pod | undefined): void {
    const uid = old?.metadata.uid ?? '';
    for (const address of addressesOfPod(old)) this.#put(address, (pods) => pods.filter((pod) => pod.uid !== uid));
    const pod = now && clientOf(now);
    if (pod !== undefined) for (const address of addressesOfPod(now)) this.#put(address, (pods) => [...pods, pod]);
  }

  /** The one Pod that has an address (canonical text); undefined when there is none, or no telling which. */
  at(address: string): ClientPod | undefined {
    const [pod, ...others] = this.#byAddress.get(address) ?? [];
    return others.length > 0 || pod?.isOnHostNetwork === true ? undefined : pod;
  }

  #put(address: string, change: (pods: readonly ClientPod[]) => readonly ClientPod[]): void {
    const pods = change(this.#byAddress.get(address) ?? []);
    if (pods.length === 0) this.#byAddress.delete(address);
    else this.#byAddress.set(address, pods);
  }
}

function clientOf({ metadata, spec }: Pod): ClientPod {
  const { dnsPolicy = 'ClusterFirst', dnsConfig, hostNetwork = false } = spec;
  return {
    uid: metadata.uid ?? '',
    namespace: metadata.namespace ?? '',
    name: metadata.name ?? '',
    isOnHostNetwork: hostNetwork,
    hasClusterSearch: dnsPolicy === 'ClusterFirst' && (dnsConfig?.searches ?? []).length === 0,
  };
}
