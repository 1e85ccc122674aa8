import type { ApiObject } from '../api/meta/object-meta.ts';
import type { Kind } from '../api/schema.ts';
import type { Client, WriteOptions } from './client.ts';
import type { ObjectCache } from './object-cache.ts';

/** The cache that holds every object of a kind, when there is one. */
export type WholeCache = <T extends ApiObject>(kind: Kind<T>) => ObjectCache<T> | undefined;

/**
 * `client`, with the answers of its writes put into the caches before the caller sees them. This is what makes it safe to
 * decide the next write from a cache: a controller never misses the Pod that it just created.
 */
export function writeThrough(client: Client, cacheOf: WholeCache): Client {
  function written<T extends ApiObject>(kind: Kind<T>, object: T, options: WriteOptions = {}): T {
    // A dry run wrote nothing, and most subresources answer another kind.
    const isWhole = object.kind === kind.kind && object.metadata.uid !== undefined;
    if (isWhole && !options.dryRun) cacheOf(kind)?.written(object);
    return object;
  }

  return {
    ...client,
    create: async (kind, object, options) => written(kind, await client.create(kind, object, options), options),
    update: async (kind, object, options) => written(kind, await client.update(kind, object, options), options),
    patch: async (kind, name, patch, options) => written(kind, await client.patch(kind, name, patch, options), options),
    async delete(kind, name, options = {}) {
      const before = cacheOf(kind)?.get(name, options.namespace);
      const left = await client.delete(kind, name, options);
      if (left !== undefined) return written(kind, left);
      // Without a precondition the server may have deleted another object of that name.
      const uid = options.preconditions?.uid;
      if (before !== undefined && uid === before.metadata.uid) cacheOf(kind)?.deleted(before);
      return undefined;
    },
  };
}
