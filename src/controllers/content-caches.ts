import { ConfigMap } from '../api/core/config-map.ts';
import { Secret } from '../api/core/secret.ts';
import type { ApiObject } from '../api/meta/object-meta.ts';
import { servedKinds } from '../api/registry.ts';
import type { Kind } from '../api/schema.ts';
import type { Cache, Caches } from '../client/caches.ts';

/** A kind with a cache of its objects, of which only the metadata may be there. */
export interface ContentCache {
  readonly kind: Kind;
  readonly cache: Cache<ApiObject>;
}

/** Kinds whose contents can be large and that no controller reads: only their metadata is kept. */
const metadataOnly: ReadonlySet<string> = new Set([ConfigMap.kind, Secret.kind]);

/** Every kind that is stored, watched and deleted, once. */
export function storedKinds(): readonly Kind[] {
  return servedKinds.filter(
    ({ verbs, storedAs }) =>
      storedAs === undefined && (['list', 'watch', 'delete'] as const).every((verb) => verbs.includes(verb)),
  );
}

/**
 * Caches of everything that can own or be owned. Events are left out: there are many, they own nothing, and nothing
 * waits for them.
 */
export function contentCaches(caches: Caches): readonly ContentCache[] {
  return storedKinds()
    .filter(({ kind }) => kind !== 'Event')
    .map((kind) => ({
      kind,
      cache: metadataOnly.has(kind.kind)
        ? caches.of(kind, { view: 'metadata', transform: keepMetadata })
        : caches.of(kind),
    }));
}

function keepMetadata({ apiVersion, kind, metadata }: ApiObject): ApiObject {
  return { apiVersion, kind, metadata };
}
