import { setTimeout as delay } from 'node:timers/promises';
import { createCaches } from '../client/caches.ts';
import type { Caches } from '../client/caches.ts';
import { createFakeApi } from '../client/fake.ts';
import type { FakeApi } from '../client/fake.ts';
import { silentLogger } from '../observe/log.ts';
import { createMetrics } from '../observe/metrics.ts';
import type { ControllerContext, StartController } from './context.ts';

/** Controllers at work on a fake API server, for tests. */
export interface TestBench extends AsyncDisposable {
  readonly api: FakeApi;
  readonly caches: Caches;
  /** The clock of server and controllers, in Unix milliseconds; set it to move it. */
  clock: number;
  /** Resolves when the condition holds; rejects after two seconds. */
  until(isMet: () => boolean): Promise<void>;
  /** Resolves when nothing has been written for a few turns of the event loop. */
  settled(): Promise<void>;
  /** How many writes of a kind there were, by whomever. */
  writes(kind: string): number;
}

const patienceMs = 2000;

/** Starts the controllers and waits until they work. */
export async function startBench(...controllers: readonly StartController[]): Promise<TestBench> {
  const stop = new AbortController();
  const clock = { ms: Date.parse('2026-01-01T02:00:00Z') };
  const now = () => clock.ms;
  const api = createFakeApi({ now });
  const caches = createCaches(api.client, { random: () => 0 });
  const context: ControllerContext = {
    client: caches.client,
    caches,
    logger: silentLogger,
    metrics: createMetrics(),
    signal: stop.signal,
    now,
    random: () => 0,
  };
  const running = await Promise.all(controllers.map((start) => start(context)));
  const writes = () => api.calls.filter(({ verb }) => !['get', 'list', 'watch'].includes(verb));
  return {
    api,
    caches,
    get clock() {
      return clock.ms;
    },
    set clock(ms) {
      clock.ms = ms;
    },
    async until(isMet) {
      const deadline = performance.now() + patienceMs;
      while (!isMet()) {
        if (performance.now() > deadline) throw new Error(`still not: ${isMet}`);
        await delay(1);
      }
    },
    async settled() {
      for (let quiet = 0, before = writes().length; quiet < 5; quiet++) {
        await delay(2);
        if (writes().length !== before) quiet = 0;
        before = writes().length;
      }
    },
    writes: (kind) => writes().filter((call) => call.kind === kind).length,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await Promise.all(running.map((each) => each[Symbol.asyncDispose]()));
      await caches[Symbol.asyncDispose]();
    },
  };
}
