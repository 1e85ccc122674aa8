import { isConflict } from '../api/errors.ts';
import { silentLogger } from '../observe/log.ts';
import type { Logger } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import { backOffMs } from './back-off.ts';
import type { BackOff } from './back-off.ts';

/** What a pass over one key asks for; nothing when it is done until something changes. */
export interface WorkResult {
  /** Look again after this long. Earlier `add`s come first. */
  readonly againAfterMs?: number;
}

export interface WorkQueueOptions {
  /** Label of the metrics and the log. */
  readonly name: string;
  /** Works on one key; a rejection means try again later. The same key is never worked on twice at a time. */
  readonly work: (key: string) => Promise<WorkResult | void>;
  readonly signal: AbortSignal;
  /** Keys worked on at a time. */
  readonly concurrency?: number;
  readonly retry?: BackOff;
  readonly logger?: Logger;
  readonly metrics?: Metrics;
  /** A number in [0, 1) for jitter. */
  readonly random?: () => number;
}

/**
 * Keys to work on, each at most once: adding a key that waits changes nothing, adding one that is being worked on makes
 * it run again afterwards. Work on an idle queue starts in the microtask after `add`, so that the changes of one batch
 * become one pass. Failed keys come again with exponential back-off. After the signal aborts nothing starts.
 */
export interface WorkQueue extends AsyncDisposable {
  add(key: string): void;
  /** Adds the key after `delayMs`; of several such wishes for a key the earliest counts. */
  addAfter(key: string, delayMs: number): void;
  /** Keys waiting or being worked on (not the delayed ones). */
  readonly length: number;
  /** Resolves when nothing waits or runs; delayed keys do not count. */
  idle(): Promise<void>;
}

const defaultRetry: BackOff = { baseMs: 5, maxMs: 60_000 };
/** Longest delay that timers take (2^31 - 1). */
const maxDelayMs = 2_147_483_647;

interface Delayed {
  readonly dueMs: number;
  readonly timer: NodeJS.Timeout;
}

export function createWorkQueue(options: WorkQueueOptions): WorkQueue {
  const { work, signal, concurrency = 8, retry = defaultRetry, logger = silentLogger, random = Math.random } = options;
  const figures = options.metrics && queueMetrics(options.metrics, options.name);
  const waiting = new Set<string>();
  const running = new Set<string>();
  const delayed = new Map<string, Delayed>();
  const failures = new Map<string, number>();
  let idleWaiters: (() => void)[] = [];
  let isScheduled = false;

  function add(key: string): void {
    if (signal.aborted) return;
    cancelDelay(key);
    waiting.add(key);
    if (isScheduled) return;
    isScheduled = true;
    queueMicrotask(startWaiting);
  }

  function startWaiting(): void {
    isScheduled = false;
    for (const key of waiting) {
      if (running.size >= concurrency || signal.aborted) break;
      if (running.has(key)) continue;
      waiting.delete(key);
      running.add(key);
      void run(key);
    }
    figures?.depth(waiting.size);
    settle();
  }

  async function run(key: string): Promise<void> {
    const startedMs = performance.now();
    try {
      const result = await work(key);
      failures.delete(key);
      if (result?.againAfterMs !== undefined) addAfter(key, result.againAfterMs);
    } catch (error) {
      if (!signal.aborted) retryLater(key, error);
    }
    figures?.took((performance.now() - startedMs) / 1000);
    running.delete(key);
    if (waiting.size > 0) startWaiting();
    else settle();
  }

  function retryLater(key: string, error: unknown): void {
    const count = (failures.get(key) ?? 0) + 1;
    failures.set(key, count);
    figures?.failed();
    // Conflicts are the ordinary way to learn that somebody was faster.
    const level = isConflict(error) || count < 3 ? 'debug' : 'warn';
    logger[level]('will try again', { queue: options.name, key, tries: count, error });
    addAfter(key, backOffMs(count, retry, random()));
  }

  function addAfter(key: string, delayMs: number): void {
    if (signal.aborted || waiting.has(key)) return;
    if (delayMs <= 0) return add(key);
    const dueMs = performance.now() + delayMs;
    const existing = delayed.get(key);
    if (existing !== undefined && existing.dueMs <= dueMs) return;
    cancelDelay(key);
    const timer = setTimeout(() => add(key), Math.min(delayMs, maxDelayMs));
    delayed.set(key, { dueMs, timer });
  }

  function cancelDelay(key: string): void {
    clearTimeout(delayed.get(key)?.timer);
    delayed.delete(key);
  }

  function stop(): void {
    for (const key of delayed.keys()) cancelDelay(key);
    waiting.clear();
    settle();
  }

  function settle(): void {
    if (waiting.size + running.size > 0) return;
    for (const resolve of idleWaiters) resolve();
    idleWaiters = [];
  }

  signal.addEventListener('abort', stop, { once: true });
  return {
    add,
    addAfter,
    get length() {
      return waiting.size + running.size;
    },
    async idle() {
      if (waiting.size + running.size === 0) return;
      await new Promise<void>((resolve) => idleWaiters.push(resolve));
    },
    async [Symbol.asyncDispose]() {
      stop();
      if (running.size > 0) await new Promise<void>((resolve) => idleWaiters.push(resolve));
    },
  };
}

function queueMetrics(metrics: Metrics, name: string) {
  const labels = ['queue'];
  const queue = { queue: name };
  const depth = metrics.gauge({ name: 'fairlead_queue_depth', help: 'Keys that wait to be worked on.', labels });
  const failed = metrics.counter({ name: 'fairlead_queue_failures_total', help: 'Passes that failed.', labels });
  const took = metrics.histogram({ name: 'fairlead_queue_work_seconds', help: 'How long passes took.', labels });
  return {
    depth: (size: number) => depth.set(size, queue),
    failed: () => failed.inc(queue),
    took: (seconds: number) => took.observe(seconds, queue),
  };
}
