import { parentPort, workerData } from 'node:worker_threads';
import { readCorpus } from './corpus.ts';
import { fuzz, FuzzFailure } from './fuzzer.ts';
import { targets } from './targets.ts';

/** What a fuzzing thread is to do. */
export interface Job {
  readonly target: string;
  readonly inputs: number;
  readonly seed: number;
  /** Shared: how many inputs were begun, and the length of the last of them. */
  readonly count: Int32Array;
  /** Shared: the last input, as much of it as fits. */
  readonly input: Uint8Array;
}

export interface Memory {
  readonly heapStartMb: number;
  readonly heapEndMb: number;
  readonly rssStartMb: number;
  readonly rssEndMb: number;
}

export type Report =
  | { readonly type: 'progress'; readonly count: number; readonly kinds: number; readonly heapMb: number }
  | { readonly type: 'failure'; readonly error: unknown; readonly input: Uint8Array }
  | {
      readonly type: 'done';
      readonly kinds: ReadonlyMap<string, Uint8Array>;
      readonly slowestMs: number;
      readonly memory: Memory;
    };

const megabyte = 2 ** 20;
/** The heap after a collection must not have grown by more than this between the first tenth and the end. */
const mostGrowthMb = 16;

function memoryMb(): { readonly heap: number; readonly rss: number } {
  globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: Math.round((heapUsed + external) / megabyte), rss: Math.round(rss / megabyte) };
}

async function work({ target: name, inputs, seed, count, input }: Job): Promise<void> {
  const target = targets.find((each) => each.name === name);
  if (target === undefined) throw new RangeError(`there is no target "${name}"`);
  const report = (message: Report): void => parentPort?.postMessage(message, []);
  const every = Math.max(1, Math.floor(inputs / 10));
  let start: { readonly heap: number; readonly rss: number } | undefined;
  const onInput = (bytes: Buffer, number: number, kinds: number): void => {
    input.set(bytes.length > input.length ? bytes.subarray(0, input.length) : bytes);
    count[1] = Math.min(bytes.length, input.length);
    count[0] = number + 1;
    if (number === 0 || number % every !== 0) return;
    const now = memoryMb();
    start ??= now;
    report({ type: 'progress', count: number, kinds, heapMb: now.heap });
  };
  const corpus = readCorpus(target).map((entry) => entry.input);
  const { kinds, slowestMs } = await fuzz(target, { seed, inputs, corpus, onInput });
  const end = memoryMb();
  const begin = start ?? end;
  if (end.heap - begin.heap > mostGrowthMb) {
    throw new Error(`memory grew from ${begin.heap} to ${end.heap} MB`);
  }
  const memory = { heapStartMb: begin.heap, heapEndMb: end.heap, rssStartMb: begin.rss, rssEndMb: end.rss };
  report({ type: 'done', kinds, slowestMs, memory });
}

// Readers throw for most inputs, and collecting stacks would take longer than reading.
Error.stackTraceLimit = 0;

try {
  await work(workerData as Job);
} catch (error) {
  if (!(error instanceof FuzzFailure)) throw error;
  const failure: Report = { type: 'failure', error: error.cause, input: error.input };
  parentPort?.postMessage(failure, []);
}
