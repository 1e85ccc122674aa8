import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { addToCorpus, readCorpus } from './corpus.ts';
import { FuzzFailure } from './fuzzer.ts';
import type { Target } from './target.ts';
import { targets } from './targets.ts';
import type { Job, Report } from './worker.ts';

/** Seconds without a new input after which the last one hangs. */
const hangSeconds = 30;
/** Longest input that is shared with the thread that watches. */
const longestShared = 1 << 20;

/** As much as the main thread has: what nests too deeply must be refused there. */
const stackSizeMb = 1;

/** What `--json` prints as the last line. */
interface FuzzFigures {
  readonly target: string;
  readonly seed: number;
  readonly inputs: number;
  readonly seconds: number;
  readonly inputsPerSecond: number;
  readonly kinds: number;
  readonly slowestMs: number;
  readonly heapStartMb: number;
  readonly heapEndMb: number;
  readonly rssStartMb: number;
  readonly rssEndMb: number;
}

/** The target in a thread of its own, so that an input that hangs it, or takes all memory, can be told. */
async function run(target: Target, { inputs, seed, save }: { inputs: number; seed: number; save: boolean }) {
  const count = new Int32Array(new SharedArrayBuffer(8));
  const input = new Uint8Array(new SharedArrayBuffer(longestShared));
  const job: Job = { target: target.name, inputs, seed, count, input };
  const { promise, resolve, reject } = Promise.withResolvers<FuzzFigures>();
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData: job,
    resourceLimits: { stackSizeMb },
  });
  const lastInput = (): Buffer => Buffer.from(input.subarray(0, count[1]));
  const startedMs = performance.now();
  let seen = -1;
  let silentSeconds = 0;
  const watch = setInterval(() => {
    silentSeconds = count[0] === seen ? silentSeconds + 1 : 0;
    seen = count[0] ?? 0;
    if (silentSeconds >= hangSeconds) fail(new Error(`hangs for ${hangSeconds} s`), lastInput());
  }, 1000);
  function fail(cause: unknown, failing: Buffer): void {
    const what = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    addToCorpus(target, [{ kind: `failure: ${what?.slice(0, 80)}`, input: failing }]);
    reject(new FuzzFailure(target, failing, { seed, cause }));
  }
  worker.on('error', (error) => fail(error, lastInput()));
  worker.on('message', (report: Report) => {
    if (report.type === 'progress') console.log(progressLine(target, report, performance.now() - startedMs));
    if (report.type === 'failure') fail(report.error, Buffer.from(report.input));
    if (report.type !== 'done') return;
    if (save) {
      const kinds = [...report.kinds].map(([kind, bytes]) => ({ kind, input: Buffer.from(bytes) }));
      addToCorpus(target, kinds);
    }
    const seconds = (performance.now() - startedMs) / 1000;
    const { slowestMs, memory } = report;
    const figures = {
      target: target.name,
      seed,
      inputs,
      seconds: round(seconds),
      inputsPerSecond: round(inputs / seconds),
    };
    resolve({ ...figures, kinds: report.kinds.size, slowestMs: round(slowestMs), ...memory });
  });
  try {
    return await promise;
  } finally {
    clearInterval(watch);
    await worker.terminate();
  }
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function progressLine(target: Target, report: Report & { readonly type: 'progress' }, ms: number): string {
  const rate = Math.round(report.count / (ms / 1000));
  return `${target.name}: ${report.count} inputs, ${rate}/s, ${report.kinds} kinds, ${report.heapMb} MB`;
}

const { values, positionals } = parseArgs({
  options: {
    inputs: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    save: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
const chosen = positionals.length === 0 ? targets : targets.filter(({ name }) => positionals.includes(name));
if (chosen.length < positionals.length || !(Number(values.inputs) > 0)) {
  const known = targets.map(({ name }) => name).join(', ');
  console.error(`npm run fuzz -- [TARGET…] [--inputs N] [--seed N] [--save] [--json]; targets: ${known}`);
  process.exit(2);
}
for (const target of chosen) {
  const save = values.save || readCorpus(target).length === 0;
  try {
    const figures = await run(target, { inputs: Number(values.inputs), seed: Number(values.seed), save });
    console.log(`${target.name}: ${figures.inputs} inputs in ${figures.seconds} s, nothing found`);
    if (values.json) console.log(JSON.stringify(figures));
  } catch (error) {
    if (!(error instanceof FuzzFailure)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
