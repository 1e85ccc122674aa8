import { isForbidden, isNotFound } from '../api/errors.ts';
import type { ApiObject } from '../api/meta/object-meta.ts';
import type { Kind } from '../api/schema.ts';
import { backOffMs } from '../client/back-off.ts';
import type { Cache, Caches, ChangeHandler } from '../client/caches.ts';
import { wait } from '../observe/clock.ts';
import type { Clock } from '../observe/clock.ts';
import type { Logger } from '../observe/log.ts';

export interface ServedKindOptions {
  readonly caches: Caches;
  readonly logger: Logger;
  readonly clock: Clock;
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
const retry = { baseMs: 500, maxMs: 30_000 };

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
    for (let failures = 1; !stop.signal.aborted; failures += 1) {
      const served = await isServed(kind, options, stop.signal);
      if (stop.signal.aborted) return;
      if (served === true) {
        cache = options.caches.of(kind);
        subscription = cache.subscribe(handler);
        return cache.synced.then(markSynced);
      }
      if (served === undefined) {
        await wait(options.clock, backOffMs(failures, retry, Math.random()), stop.signal, 'holds');
        continue;
      }
      failures = 0;
      markSynced();
      await wait(options.clock, recheckMs, stop.signal, 'holds');
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

/** Whether there is anything to follow: not what may not be read either. Undefined when the server did not say. */
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
    if (isForbidden(error)) {
      logger.warn('objects of a kind may not be read, so they have no names', { kind: kind.kind, error });
      return false;
    }
    logger.debug('it is not known yet whether the server has a kind', { kind: kind.kind, error });
    return undefined;
  }
}
