import { quantityInNano } from '../../api/quantity.ts';
import type { Pod } from '../../api/core/pod.ts';
import type { Container } from '../../api/core/pod/container.ts';
import type { ResourceFieldSelector } from '../../api/core/pod/container-env.ts';
import { allContainersOf } from '../pod/state.ts';
import { ConfigError } from './config-error.ts';

/** What the downward API knows of the place where a Pod runs. */
export interface Place {
  readonly hostIp: string;
  /** '' before the Pod has one. */
  readonly podIp: string;
  readonly nodeName: string;
  /** What the node has: the default limit of containers without one. */
  readonly capacity: { readonly cpus: number; readonly memoryBytes: number };
}

/** The value of a `fieldRef`. Throws `ConfigError` for a path that the downward API does not know. */
export function podField(pod: Pod, path: string, place: Place): string {
  const subscript = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path);
  if (subscript !== null)
    return pod.metadata[subscript[1] === 'labels' ? 'labels' : 'annotations']?.[subscript[2] ?? ''] ?? '';
  switch (path) {
    case 'metadata.name':
      return pod.metadata.name ?? '';
    case 'metadata.namespace':
      return pod.metadata.namespace ?? '';
    case 'metadata.uid':
      return pod.metadata.uid ?? '';
    case 'metadata.labels':
      return pairs(pod.metadata.labels);
    case 'metadata.annotations':
      return pairs(pod.metadata.annotations);
    case 'spec.nodeName':
      return pod.spec.nodeName ?? place.nodeName;
    case 'spec.serviceAccountName':
      return pod.spec.serviceAccountName ?? '';
    case 'status.hostIP':
    case 'status.hostIPs':
      return place.hostIp;
    case 'status.podIP':
    case 'status.podIPs':
      return place.podIp;
    default:
      throw new ConfigError(`unsupported fieldPath: ${path}`);
  }
}

function pairs(values: Readonly<Record<string, string>> | undefined): string {
  const sorted = Object.entries(values ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join('\n');
}

/** The value of a `resourceFieldRef`: the amount in units of the divisor, rounded up. */
export function resourceField(pod: Pod, own: Container | undefined, ref: ResourceFieldSelector, place: Place): string {
  const name = ref.containerName ?? '';
  const container = name === '' ? own : allContainersOf(pod).find((each) => each.name === name);
  if (container === undefined) throw new ConfigError(`container ${name} not found`);
  const [, kind, resource] = /^(limits|requests)\.(.+)$/.exec(ref.resource) ?? [];
  if (kind === undefined || resource === undefined)
    throw new ConfigError(`unsupported container resource: ${ref.resource}`);
  const { limits, requests } = container.resources ?? {};
  const text = kind === 'limits' ? limits?.[resource] : requests?.[resource];
  const amount = text === undefined ? (kind === 'limits' ? ofNode(resource, place) : 0n) : (quantityInNano(text) ?? 0n);
  const divisor = quantityInNano(ref.divisor ?? '1') || 1_000_000_000n;
  return String((amount + divisor - 1n) / divisor);
}

function ofNode(resource: string, { capacity }: Place): bigint {
  if (resource === 'cpu') return BigInt(capacity.cpus) * 1_000_000_000n;
  return resource === 'memory' ? BigInt(capacity.memoryBytes) * 1_000_000_000n : 0n;
}
