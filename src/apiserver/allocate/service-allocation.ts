import { Service } from '../../api/core/service.ts';
import type { ApiObject } from '../../api/meta/object-meta.ts';
import { IPAddress } from '../../api/networking/ip-address.ts';
import { ServiceCIDR } from '../../api/networking/service-cidr.ts';
import type { Operation } from '../../store/store.ts';
import { validateCreate } from '../../api/validate.ts';
import type { Admitted, AdmissionRequest, AdmissionRule } from '../admission/admission.ts';
import { unchanged } from '../admission/admission.ts';
import { objectAs, type Item } from '../cache/item.ts';
import type { ResourceCache } from '../cache/resource-cache.ts';
import { createAllocator, type Allocator, type AllocatorConfig } from './allocator.ts';

/** What service allocation reads: the caches of the three kinds, and what makes records. */
export interface ServiceAllocationConfig extends Pick<AllocatorConfig, 'portRange' | 'now' | 'newUid' | 'random'> {
  readonly services: ResourceCache;
  readonly ipAddresses: ResourceCache;
  readonly serviceCidrs: ResourceCache;
  readonly allowLoopback: boolean;
}

/**
 * The admission rule that gives Services their cluster addresses, node ports and IP families, and adds the IPAddress
 * records to the commit. A Service that breaks the rules passes untouched, so that validation reports it.
 */
export function serviceAllocation(config: ServiceAllocationConfig): AdmissionRule {
  const allocator = followServices(config);
  const { allowLoopback } = config;
  return {
    name: 'ServiceAllocation',
    applies: ({ kind, subresource }) => kind.kind === Service.kind && subresource === undefined,
    admit(request, object) {
      const service = asService(object);
      const old = request.old === undefined ? undefined : asService(request.old);
      if (isGoing(request, service)) return { object, operations: allocator.free(old ?? service) };
      if (request.operation === 'delete' || !isValid(service, old, allowLoopback)) return unchanged(object);
      return admitted(allocator.allocate(old, service));
    },
  };
}

/** An allocator that knows the stored Services, now and as they change. */
function followServices(config: ServiceAllocationConfig): Allocator {
  const { services, ipAddresses, serviceCidrs } = config;
  const allocator = createAllocator({
    ...config,
    serviceCidrs: () => serviceCidrs.items.range(serviceCidrs.prefix).map((item) => objectAs(ServiceCIDR, item)),
    ipAddress: (ip) =>
      optional(ipAddresses.items.get(`${ipAddresses.prefix}${ip}`), (item) => objectAs(IPAddress, item)),
  });
  for (const item of services.items.range(services.prefix)) allocator.observe(undefined, objectAs(Service, item));
  services.subscribe(({ previous, item }) => {
    allocator.observe(
      optional(previous, (it) => objectAs(Service, it)),
      optional(item, (it) => objectAs(Service, it)),
    );
  });
  return allocator;
}

function admitted({
  service,
  operations,
  release,
}: {
  readonly service: Service;
  readonly operations: readonly Operation[];
  release(): void;
}): Admitted {
  return { object: service, operations, release };
}

/** Will nothing of the Service be left after this write? */
function isGoing({ operation }: AdmissionRequest, { metadata }: Service): boolean {
  const { deletionTimestamp, finalizers = [] } = metadata;
  if (operation === 'create') return false;
  return finalizers.length === 0 && (operation === 'delete' || deletionTimestamp !== undefined);
}

/** Worth completing? Rules about what allocation fills in are checked afterwards. */
function isValid(service: Service, old: Service | undefined, allowLoopback: boolean): boolean {
  const ips = service.spec.clusterIPs ?? [];
  const moves = old?.spec.clusterIPs?.some((ip, index) => ips[index] !== undefined && ips[index] !== ip);
  return moves !== true && validateCreate(Service, service, { allowLoopback }).causes.length === 0;
}

function asService(object: ApiObject): Service {
  return objectAs(Service, { key: object.metadata.name ?? '', object });
}

function optional<T>(item: Item | undefined, read: (item: Item) => T): T | undefined {
  return item === undefined ? undefined : read(item);
}
