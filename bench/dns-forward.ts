import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { isolateNetwork } from '../src/linux/namespaces.ts';
import { runLoad, type Load } from './dns/dnsperf.ts';
import {
  everyKeptQuestion,
  forwardersIn,
  freshQuestions,
  keptQuestions,
  upstreamOf,
  upstreamPort,
} from './dns/forwarders.ts';
import { startOurs, startServer, type ServerProcess } from './dns/processes.ts';
import { hasProgram } from './load/services.ts';
import { percentile, type BenchResult } from './result.ts';

const rounds = 3;
const seconds = 3;
const otherCore = cpus().length - 1;
/** Our threads share the core of the others' one thread. */
const threads = 2;

/**
 * CPU per answered query of names that others know, of our server and Debian's forwarders before the same upstream server:
 * user and system time of the server's processes by answers. Once of names that all keep, 20 % of which do not exist; once
 * of names that may not be kept, so that every question goes to the upstream. Each server has one core, the generator and
 * the upstream the other; they take turns in rounds.
 */
export async function run(): Promise<BenchResult> {
  for (const program of ['dnsperf', 'knotd']) if (!hasProgram(program)) throw new Error(`this needs ${program}`);
  isolateNetwork();
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-dns-'));
  try {
    return await measure(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function measure(folder: string): Promise<BenchResult> {
  const file = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  const all = file('all', everyKeptQuestion());
  const kinds = { Cached: file('kept', keptQuestions(50_000, 0.2)), Forwarded: file('fresh', freshQuestions(200_000)) };
  await using stack = new AsyncDisposableStack();
  stack.use(await startServer({ ...upstreamOf(folder), cores: String(otherCore) }));
  const servers = [
    stack.use(await startOurs('fairlead', [0, 0, upstreamPort], '0')),
    stack.use(await startOurs('threads', [0, threads, upstreamPort], '0')),
  ];
  for (const peer of forwardersIn(folder)) servers.push(stack.use(await startServer({ ...peer, cores: '0' })));
  // Twice: what is asked for more than once is kept in more places than what is not.
  for (const server of [...servers, ...servers]) await load(server, all, 2, 20);
  const costs = new Map<string, number[]>();
  for (let round = 0; round < rounds; round += 1) {
    for (const server of servers) {
      for (const [kind, questions] of Object.entries(kinds)) {
        const cost = await costOf(server, questions, kind === 'Cached' ? 'NXDOMAIN' : 'NOERROR');
        const name = `${server.name}${kind}Us`;
        costs.set(name, [...(costs.get(name) ?? []), cost]);
      }
    }
  }
  const figures = Object.fromEntries([...costs].map(([name, each]) => [name, percentile(each, 0.5)]));
  return resultOf(figures);
}

function resultOf(figures: Readonly<Record<string, number>>): BenchResult {
  const bestOf = (kind: string): number =>
    Math.min(...['unbound', 'dnsmasq'].map((name) => figures[`${name}${kind}Us`] ?? Number.POSITIVE_INFINITY));
  const ratioOf = (kind: string): number => (figures[`fairlead${kind}Us`] ?? Number.NaN) / bestOf(kind);
  const ratios = { cachedRatio: ratioOf('Cached'), forwardedRatio: ratioOf('Forwarded') };
  return {
    bench: 'dns-forward',
    figures: { ...figures, ...ratios },
    unit: 'µs of CPU a query',
    peer: { name: 'the best of Unbound and dnsmasq, cached', figure: bestOf('Cached') },
    ratio: ratios.cachedRatio,
    target: 'CPU per query at most that of the best forwarder in the same run, cached and forwarded',
    met: ratios.cachedRatio <= 1 && ratios.forwardedRatio <= 1,
  };
}

/** `expected` is a code that must be among the answers; a server that refuses or fails costs nothing worth knowing. */
async function costOf(server: ServerProcess, file: string, expected: string): Promise<number> {
  await load(server, file, 1);
  const before = server.cpuMs();
  const { answered, codes } = await load(server, file, seconds);
  const isBad = [...codes.keys()].some((code) => code !== 'NOERROR' && code !== 'NXDOMAIN');
  if (!codes.has(expected) || isBad) throw new Error(`${server.name} answered ${[...codes].join(' ')}`);
  return ((server.cpuMs() - before) * 1000) / answered;
}

function load({ port }: ServerProcess, questions: string, forSeconds: number, outstanding?: number): Promise<Load> {
  return runLoad({ port, questions, core: otherCore, seconds: forSeconds, outstanding });
}

if (import.meta.main) {
  console.log(JSON.stringify(await run(), undefined, 1));
  process.exit();
}
