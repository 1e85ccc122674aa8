import { Service } from '../api/core/service.ts';
import { EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import type { Endpoint } from '../api/discovery/endpoint-slice.ts';
import type { ApiObject } from '../api/meta/object-meta.ts';
import type { Kind } from '../api/schema.ts';
import type { Cache, CacheOptions, Caches } from '../client/caches.ts';
import { serviceNameLabel } from '../routing/labels.ts';
import { lastChangeTriggerTime } from '../routing/trigger-time.ts';
import { importedServiceLabel, sourceClusterLabel } from './service-import.ts';

const keptLabels = [serviceNameLabel, importedServiceLabel, sourceClusterLabel];

/** For a process that only answers DNS: of Services and EndpointSlices the caches keep only what names are made of. */
export function slimCaches(caches: Caches): Caches {
  return {
    ...caches,
    of<T extends ApiObject>(kind: Kind<T>, options: CacheOptions<T> = {}): Cache<T> {
      if (options.view !== undefined) return caches.of(kind, options);
      const transform = transformOf(kind);
      return caches.of(kind, transform === undefined ? options : { ...options, transform, view: 'names' });
    },
  };
}

function transformOf<T extends ApiObject>(kind: Kind<T>): ((object: T) => T) | undefined {
  const ofKind = new Map<unknown, unknown>([
    [Service, slimService],
    [EndpointSlice, (slice: EndpointSlice) => new SlimSlice(slice)],
  ]);
  // A kind and what it is the kind of belong together, which the map cannot say.
  return ofKind.get(kind) as ((object: T) => T) | undefined;
}

/** What names are made of, also those for askers outside. */
function slimService({ metadata, spec, status }: Service): Service {
  const { type, clusterIP, clusterIPs, ports, externalName, externalIPs } = spec ?? {};
  const { name, namespace, uid, resourceVersion } = metadata;
  return {
    metadata: { name, namespace, uid, resourceVersion },
    spec: {
      type,
      clusterIP,
      clusterIPs,
      ports: ports?.map((port) => ({ name: port.name, protocol: port.protocol, port: port.port })),
      externalName,
      externalIPs,
    },
    status: status?.loadBalancer?.ingress === undefined ? undefined : { loadBalancer: status.loadBalancer },
  };
}

/** Slices are most of what a cluster has: their endpoints are kept as one text, and read again by who asks for them. */
class SlimSlice implements EndpointSlice {
  readonly metadata: EndpointSlice['metadata'];
  readonly addressType: EndpointSlice['addressType'];
  readonly ports: EndpointSlice['ports'];
  readonly #packed: string;

  constructor({ metadata, addressType, ports, endpoints }: EndpointSlice) {
    const { name, namespace, uid, resourceVersion, labels, annotations } = metadata;
    const trigger = annotations?.[lastChangeTriggerTime];
    this.metadata = {
      name,
      namespace,
      uid,
      resourceVersion,
      labels: Object.fromEntries(keptLabels.flatMap((label) => entryOf(label, labels?.[label]))),
      annotations: trigger === undefined ? undefined : { [lastChangeTriggerTime]: trigger },
    };
    this.addressType = addressType;
    this.ports = ports?.map(({ name: of, protocol, port }) => ({ name: of, protocol, port }));
    this.#packed = packEndpoints(endpoints ?? []);
  }

  get endpoints(): Endpoint[] {
    return unpackEndpoints(this.#packed);
  }
}

/** Address, hostname, topology zone, name of the Pod. */
type PackedEndpoint = readonly [address: string, hostname: string, zone: string, pod: string];

/** Endpoints that are not ready have no names. */
function packEndpoints(endpoints: readonly Endpoint[]): string {
  const ready = endpoints.filter(({ conditions }) => conditions?.ready !== false);
  const packed = ready.map(({ addresses, hostname = '', zone = '', targetRef }): PackedEndpoint => {
    return [addresses?.[0] ?? '', hostname, zone, targetRef?.name ?? ''];
  });
  return JSON.stringify(packed);
}

function unpackEndpoints(text: string): Endpoint[] {
  const packed = JSON.parse(text) as PackedEndpoint[];
  return packed.map(([address, hostname, zone, pod]) => ({
    addresses: [address],
    conditions: { ready: true },
    hostname: hostname || undefined,
    zone: zone || undefined,
    targetRef: pod === '' ? undefined : { name: pod },
  }));
}

function entryOf(name: string, value: string | undefined): [string, string][] {
  return value === undefined ? [] : [[name, value]];
}
