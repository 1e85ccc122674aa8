import type { Cache, Caches } from '../client/caches.ts';
import type { Client } from '../client/client.ts';
import { createEventRecorder } from '../client/event-recorder.ts';
import type { EventRecorder } from '../client/event-recorder.ts';
import { createWorkQueue } from '../client/work-queue.ts';
import type { WorkQueue, WorkResult } from '../client/work-queue.ts';
import type { Logger } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';

/** What every controller is given. */
export interface ControllerContext {
  /** Writes enter the caches at once: a controller sees what it wrote. */
  readonly client: Client;
  readonly caches: Caches;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly signal: AbortSignal;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** In [0, 1). */
  readonly random: () => number;
}

/** Starts one controller; resolves when its caches are full and it works, or when the signal aborts. */
export type StartController = (context: ControllerContext) => Promise<AsyncDisposable>;

/** A controller's parts, disposed of together: subscriptions first, then queues, then recorders. */
export interface ControllerShell extends AsyncDisposable {
  /** A queue of this controller; `name` tells it from its others in metrics. */
  queue(work: (key: string) => Promise<WorkResult | void>, name?: string): WorkQueue;
  recorder(component: string): EventRecorder;
  /** Keeps a subscription until the controller ends. */
  keep(subscription: Disposable): void;
  /** Waits for the caches; false when the signal aborted first. */
  ready(...caches: readonly Pick<Cache<unknown>, 'synced'>[]): Promise<boolean>;
}

/** The shell of the controller `name`. */
export function createShell(context: ControllerContext, name: string): ControllerShell {
  const { signal, metrics, random, client, now } = context;
  const logger = context.logger.child({ controller: name });
  const disposables = new AsyncDisposableStack();
  return {
    queue(work, suffix) {
      const queueName = suffix === undefined ? name : `${name}-${suffix}`;
      return disposables.use(createWorkQueue({ name: queueName, work, signal, logger, metrics, random }));
    },
    recorder: (component) => disposables.use(createEventRecorder({ client, component, logger, now })),
    keep: (subscription) => void disposables.use(subscription),
    ready: (...caches) =>
      Promise.race([Promise.all(caches.map(({ synced }) => synced)).then(() => true), ended(signal)]),
    [Symbol.asyncDispose]: () => disposables.disposeAsync(),
  };
}

function ended(signal: AbortSignal): Promise<false> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(false);
    else signal.addEventListener('abort', () => resolve(false), { once: true });
  });
}

/** Splits a `namespace/name` key. */
export function splitKey(key: string): { readonly namespace: string; readonly name: string } {
  const slash = key.indexOf('/');
  return { namespace: key.slice(0, Math.max(slash, 0)), name: key.slice(slash + 1) };
}
