import type { Kind } from '../api/schema.ts';
import type { DeleteOptions, ListOptions, PatchOptions, WatchOptions, WriteOptions } from './client.ts';

/** What a path needs to know of a kind. */
export type Resource = Pick<Kind, 'group' | 'apiVersion' | 'plural' | 'namespaced'>;

type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** `/api/v1/namespaces/shop/pods`; every namespace's when `namespace` is unset. */
export function collectionPath(resource: Resource, namespace: string | undefined): string {
  const root = resource.group === '' ? `/api/${resource.apiVersion}` : `/apis/${resource.apiVersion}`;
  const scope = resource.namespaced && namespace ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${root}${scope}/${resource.plural}`;
}

/** `/api/v1/namespaces/shop/pods/cart-1/status`. Throws `TypeError` when a namespace is needed and missing. */
export function objectPath(resource: Resource, name: string, namespace?: string, subresource?: string): string {
  if (resource.namespaced && !namespace) throw new TypeError(`${resource.plural} ${name}: a namespace is required`);
  const suffix = subresource === undefined ? '' : `/${subresource}`;
  return `${collectionPath(resource, namespace)}/${encodeURIComponent(name)}${suffix}`;
}

export function listQuery(options: ListOptions): string {
  const { labelSelector, fieldSelector, limit, resourceVersion } = options;
  return query({ labelSelector, fieldSelector, limit, continue: options.continue, resourceVersion });
}

export function watchQuery(options: WatchOptions): string {
  const { labelSelector, fieldSelector, resourceVersion, timeoutSeconds } = options;
  const initial = options.sendInitialEvents
    ? { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' }
    : undefined;
  return query({
    watch: true,
    allowWatchBookmarks: true,
    labelSelector,
    fieldSelector,
    resourceVersion,
    timeoutSeconds,
    ...initial,
  });
}

export function writeQuery({ fieldManager, dryRun }: WriteOptions): string {
  return query({ fieldManager, dryRun: dryRun ? 'All' : undefined });
}

export function patchQuery(options: PatchOptions): string {
  const { fieldManager, dryRun, force } = options;
  return query({ fieldManager, dryRun: dryRun ? 'All' : undefined, force });
}

/** The body of a DELETE; undefined when there is nothing to say. */
export function deleteBody(options: DeleteOptions): string | undefined {
  const { gracePeriodSeconds, propagationPolicy, preconditions } = options;
  if (gracePeriodSeconds === undefined && !propagationPolicy && !preconditions) return undefined;
  return JSON.stringify({
    kind: 'DeleteOptions',
    apiVersion: 'v1',
    gracePeriodSeconds,
    propagationPolicy,
    preconditions,
  });
}

function query(values: Query): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined && value !== '') parameters.set(name, String(value));
  }
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}
