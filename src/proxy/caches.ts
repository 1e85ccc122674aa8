import { Service } from '../api/core/service.ts';
import { EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import type { Cache, CacheOptions } from '../client/caches.ts';
import type { ProxyConfig } from './config.ts';

/** Services and slices that are left to other proxies are not even asked for, as kube-proxy does. */
const labelSelector = '!service.kubernetes.io/headless,!service.kubernetes.io/service-proxy-name';

/** The Services that the proxy follows. Where caches are shared, the cache of all of them is there anyway. */
export function servicesOf({ caches, ownsCaches = false }: ProxyConfig): Cache<Service> {
  return ownsCaches ? caches.of(Service, { labelSelector }) : caches.of(Service);
}

/** The EndpointSlices that the proxy follows. Routing takes in all it needs, so the cache holds their names alone. */
export function slicesOf({ caches, ownsCaches = false }: ProxyConfig): Cache<EndpointSlice> {
  const options: CacheOptions<EndpointSlice> = { labelSelector, view: 'proxy', retain: withoutEndpoints };
  return ownsCaches ? caches.of(EndpointSlice, options) : caches.of(EndpointSlice);
}

function withoutEndpoints(slice: EndpointSlice): EndpointSlice {
  return { ...slice, endpoints: [], ports: [] };
}
