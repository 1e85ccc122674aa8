import type { Pod } from '../api/core/pod.ts';
import { addressesOfPod } from './pod-names.ts';

/** A Pod as one who asks. */
export interface ClientPod {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  /** It looks names up in the search list of the cluster, and in no other. */
  readonly hasClusterSearch: boolean;
}

/** What is kept of a Pod in caches of its own: who it is, its addresses, and how it looks names up. */
export function keepClient({ metadata, spec, status }: Pod): Pod {
  const { name, namespace, uid, resourceVersion } = metadata;
  const { phase, podIP, podIPs = [] } = status ?? {};
  return {
    metadata: { name, namespace, uid, resourceVersion },
    spec: keepLookup(spec),
    status: podIPs.length > 1 ? { phase, podIP, podIPs } : { phase, podIP },
  };
}

const usualLookup: Pod['spec'] = { containers: [] };

/** Nearly all look names up in the same way: these share one object. */
function keepLookup({ hostNetwork, dnsPolicy = 'ClusterFirst', dnsConfig }: Pod['spec']): Pod['spec'] {
  const isUsual = hostNetwork !== true && dnsPolicy === 'ClusterFirst' && dnsConfig === undefined;
  return isUsual ? usualLookup : { ...usualLookup, hostNetwork, dnsPolicy, dnsConfig };
}

/**
 * Who asks, by the address of the question. An address counts only while exactly one Pod has it: between the end of one Pod
 * and the news of it its address may be another's already.
 */
export class ClientPods {
  readonly #byAddress = new Map<string, Pod>();
  /** All Pods of the addresses that more than one has. */
  readonly #shared = new Map<string, readonly Pod[]>();

  change(old: Pod | undefined, now: Pod | undefined): void {
    const uid = old?.metadata.uid;
    for (const address of addressesOfPod(old)) this.#put(address, (pod) => pod.metadata.uid !== uid, []);
    if (now !== undefined) for (const address of addressesOfPod(now)) this.#put(address, () => true, [now]);
  }

  /** The one Pod that has an address (canonical text); undefined when there is none, or no telling which. */
  at(address: string): ClientPod | undefined {
    const pod = this.#byAddress.get(address);
    return pod === undefined || pod.spec.hostNetwork === true ? undefined : clientOf(pod);
  }

  /** Keeps some of the Pods of an address, and adds others. */
  #put(address: string, isKept: (pod: Pod) => boolean, more: readonly Pod[]): void {
    const only = this.#byAddress.get(address);
    const before = this.#shared.get(address) ?? (only === undefined ? [] : [only]);
    const [pod, ...others] = [...before.filter(isKept), ...more];
    this.#byAddress.delete(address);
    this.#shared.delete(address);
    if (pod === undefined) return;
    if (others.length === 0) this.#byAddress.set(address, pod);
    else this.#shared.set(address, [pod, ...others]);
  }
}

function clientOf({ metadata, spec }: Pod): ClientPod {
  const { dnsPolicy = 'ClusterFirst', dnsConfig } = spec;
  return {
    uid: metadata.uid ?? '',
    namespace: metadata.namespace ?? '',
    name: metadata.name ?? '',
    hasClusterSearch: dnsPolicy === 'ClusterFirst' && (dnsConfig?.searches ?? []).length === 0,
  };
}
