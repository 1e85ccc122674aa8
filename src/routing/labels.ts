import type { ApiObject } from '../api/meta/object-meta.ts';

/** Names the Service that an EndpointSlice belongs to. */
export const serviceNameLabel = 'kubernetes.io/service-name';

/** Another program proxies this Service (its value says which). */
const serviceProxyNameLabel = 'service.kubernetes.io/service-proxy-name';

/** This Service is to be treated as headless: reached by DNS only. */
const headlessLabel = 'service.kubernetes.io/headless';

/** True when the node proxy must leave a Service or an EndpointSlice alone, whatever the label's value. */
export function isLeftToOthers(object: ApiObject): boolean {
  const labels = object.metadata.labels;
  return labels !== undefined && (serviceProxyNameLabel in labels || headlessLabel in labels);
}

/** `namespace/name`: how Services are named in this folder. */
export function objectKey(object: ApiObject): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name ?? ''}`;
}

/** `namespace/name` of the Service a slice belongs to; undefined for a slice without one. */
export function serviceKeyOfSlice(slice: ApiObject): string | undefined {
  const name = slice.metadata.labels?.[serviceNameLabel];
  return name ? `${slice.metadata.namespace ?? ''}/${name}` : undefined;
}

/**
 * A name as frontends carry it, into the kernel's comments and into what people read: with what no name may have (spaces,
 * line ends, control characters), which only a server that does not look at names lets through, as `?`.
 */
export function plainName(name: string): string {
  return name.replace(/[^\w./-]/g, '?');
}
