import { get } from 'node:http';
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';

export interface HttpTarget {
  readonly host: string;
  readonly port: number;
  readonly path?: string;
}

/** One request on a connection of its own; the trimmed body of a 200 answer, or an error. */
export function request(target: HttpTarget, timeoutMs = 5_000): Promise<string> {
  return new Promise((resolve, reject) => {
    const outgoing = get({ ...target, path: target.path ?? '/', agent: false, timeout: timeoutMs }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (body += chunk));
      response.on('error', reject);
      response.on('end', () => {
        if (response.statusCode === 200) resolve(body.trim());
        else reject(new Error(`status ${response.statusCode}: ${body}`));
      });
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    outgoing.on('error', reject);
  });
}

/** How many times each answer came. */
export type Tally = ReadonlyMap<string, number>;

/** `count` requests, a few at a time; counts the answers by body. Any failure fails all. */
export async function tally(target: HttpTarget, count: number, concurrency = 4): Promise<Tally> {
  const answers = new Map<string, number>();
  let left = count;
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const body = await request(target);
      answers.set(body, (answers.get(body) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return answers;
}

/** A steady load of new connections, until it is stopped. */
export interface Load {
  readonly done: number;
  readonly failures: readonly string[];
  /** Stops and waits for what is under way. */
  stop(): Promise<{ readonly done: number; readonly failures: readonly string[] }>;
}

/** Starts about `perSecond` requests a second, each on a new connection, whether or not earlier ones have ended. */
export function startLoad(target: HttpTarget, perSecond: number): Load {
  const failures: string[] = [];
  const underway = new Set<Promise<void>>();
  let done = 0;
  const stopping = new AbortController();
  const one = async (): Promise<void> => {
    const startedAt = new Date().toISOString();
    try {
      await request(target);
      done += 1;
    } catch (error) {
      failures.push(`${startedAt}: ${String(error)}`);
    }
  };
  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const promise = one();
      underway.add(promise);
      void promise.finally(() => underway.delete(promise));
      await delay(1000 / perSecond);
      await nextTurn();
    }
  };
  const looping = loop();
  return {
    get done() {
      return done;
    },
    failures,
    stop: async () => {
      stopping.abort();
      await looping;
      await Promise.all(underway);
      return { done, failures };
    },
  };
}
