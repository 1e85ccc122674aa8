import type { Pod } from '../api/core/pod.ts';
import { canonicalIp, formatIp, parseDashedIp } from '../lib/ip.ts';
import type { PodRecords } from './config.ts';
import { recordSets } from './name-data.ts';
import type { NameData } from './name-data.ts';
import { typeNumbers } from './wire/types.ts';

/** Names of Pods: `10-0-0-1.<namespace>.pod.<zone>`. */
export class PodNames {
  readonly #mode: PodRecords;
  readonly #ttl: number;
  /** `namespace/address` → how many Pods have it: only in mode `verified`. */
  readonly #addresses = new Map<string, number>();

  constructor(mode: PodRecords, ttl: number) {
    this.#mode = mode;
    this.#ttl = ttl;
  }

  /** A Pod changed. All its addresses count, of both families. */
  change(old: Pod | undefined, now: Pod | undefined): void {
    for (const key of keysOf(old)) this.#count(key, -1);
    for (const key of keysOf(now)) this.#count(key, 1);
  }

  /** Data of a Pod's name in a namespace that exists. */
  get(label: string, namespace: string): NameData | undefined {
    const bytes = this.#mode === 'disabled' ? undefined : parseDashedIp(label);
    if (bytes === undefined) return undefined;
    const address = formatIp(bytes);
    if (this.#mode === 'verified' && !this.#addresses.has(`${namespace}/${address}`)) return undefined;
    const type = bytes.length === 4 ? typeNumbers.A : typeNumbers.AAAA;
    return {
      source: `Pod address ${namespace}/${address}`,
      ttl: this.#ttl,
      sets: recordSets({ [type]: () => [bytes] }),
    };
  }

  #count(key: string, by: number): void {
    const count = (this.#addresses.get(key) ?? 0) + by;
    if (count > 0) this.#addresses.set(key, count);
    else this.#addresses.delete(key);
  }
}

function keysOf(pod: Pod | undefined): string[] {
  const namespace = pod?.metadata.namespace ?? '';
  return addressesOfPod(pod).map((address) => `${namespace}/${address}`);
}

/** Addresses of a Pod, canonical, of both families. Finished Pods have given theirs back. */
export function addressesOfPod(pod: Pod | undefined): string[] {
  const phase = pod?.status?.phase;
  if (pod === undefined || phase === 'Succeeded' || phase === 'Failed') return [];
  const texts = [pod.status?.podIP ?? '', ...(pod.status?.podIPs ?? []).map(({ ip }) => ip ?? '')];
  return [...new Set(texts.map(canonicalIp))].filter((address) => address !== undefined);
}
