import { isNotFound } from '../api/errors.ts';
import type { ApiObject } from '../api/meta/object-meta.ts';
import type { Kind } from '../api/schema.ts';
import { sleep } from '../client/back-off.ts';
import type { Cache, Caches, ChangeHandler } from '../client/caches.ts';
import type { Logger } from '../observe/log.ts';

export interface ServedKindOptions {
  readonly caches: Caches;
  readonly logger: Logger;
}

/** Following a kind that a server may not have. */
export interface ServedKind<T> extends Disposable {
  /** None while the server does not serve the kind. */
  readonly objects: () => readonly T[];
  /** Resolves once its objects are read, or the server has said that it does not serve the kind. Never rejects. */
  readonly synced: Promise<void>;
}

/** Kinds come with a CustomResourceDefinition: looked for again this often. */
const recheckMs = 60_000;
const retryMs = 1000;

/** Follows the objects of a kind as soon as the server serves it; until then there are none, and no watch fails. */
export function followServed<T extends ApiObject>(
  kind: Kind<T>,
  handler: ChangeHandler<T>,
  options: ServedKindOptions,
): ServedKind<T> {
  const stop = new AbortController();
  const { promise: synced, resolve: markSynced } = Promise.withResolvers<void>();
  let cache: Cache<T> | undefined;
  let subscription: Disposable | undefined;

  async function follow(): Promise<void> {
    while (!stop.signal.aborted) {
      const served = await isServed(kind, options, stop.signal);
      if (stop.signal.aborted) return;
      if (served === true) {
        cache = options.caches.of(kind);
        subscription = cache.subscribe(handler);
        return cache.synced.then(markSynced);
      }
      if (served === false) markSynced();
      await sleep(served === false ? recheckMs : retryMs, stop.signal);
    }
  }
  void follow();

  return {
    objects: () => cache?.list() ?? [],
    synced,
    [Symbol.dispose]() {
      stop.abort();
      subscription?.[Symbol.dispose]();
    },
  };
}

/** Undefined when the server did not say. */
async function isServed<T extends ApiObject>(
  kind: Kind<T>,
  { caches, logger }: ServedKindOptions,
  signal: AbortSignal,
): Promise<boolean | undefined> {
  try {
    await caches.client.list(kind, { limit: 1, signal });
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    logger.debug('it is not known yet whether the server has a kind', { kind: kind.kind, error });
    return undefined;
  }
}
