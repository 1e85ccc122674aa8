import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { isolateNetwork } from '../src/linux/namespaces.ts';
import { runLoad, type Load } from './dns/dnsperf.ts';
import { questions } from './dns/names.ts';
import { peersIn } from './dns/peers.ts';
import { startOurs, startServer, type ServerProcess } from './dns/processes.ts';
import { hasProgram } from './load/services.ts';
import { percentile, type BenchResult } from './result.ts';

const services = 10_000;
const rounds = 3;
const seconds = 3;
const probesPerSecond = 1000;
const generatorCore = cpus().length - 1;
/** Threads may use the generator's core too: that they run beside each other is what would make a query cost more. */
const allCores = `0-${generatorCore}`;

/**
 * CPU per answered query of our server and of Debian's on the same 10,000 names, with 20 % that do not exist: user and
 * system time of the server's processes by answers. Each server has one thread on one core and the generator another; they
 * take turns in rounds, so that the machine's drift meets all of them. Then the same of one, two and four threads of ours on
 * all cores: what they cost each other shows as CPU per query, whatever the generator leaves them.
 */
export async function run(): Promise<BenchResult> {
  if (!hasProgram('dnsperf')) throw new Error('this needs dnsperf');
  isolateNetwork();
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-dns-'));
  try {
    return await measure(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function measure(folder: string): Promise<BenchResult> {
  const file = (name: string, missingShare: number): string => {
    const path = join(folder, name);
    writeFileSync(path, questions(50_000, services, missingShare));
    return path;
  };
  const mixed = file('mixed', 0.2);
  await using stack = new AsyncDisposableStack();
  const servers: ServerProcess[] = [stack.use(await startOurs('fairlead', [services, 0], '0'))];
  for (const peer of peersIn(folder, services)) servers.push(stack.use(await startServer({ ...peer, cores: '0' })));
  const loads = new Map(servers.map((server) => [server.name, [] as (Load & { readonly costUs: number })[]]));
  for (let round = 0; round < rounds; round += 1) {
    for (const server of servers) loads.get(server.name)?.push(await costOf(server, mixed, 'NXDOMAIN'));
  }
  const figures: Record<string, number> = {};
  for (const [name, all] of loads) {
    figures[`${name}Us`] = percentile(
      all.map(({ costUs }) => costUs),
      0.5,
    );
    figures[`${name}PerSecond`] = percentile(
      all.map(({ perSecond }) => perSecond),
      0.5,
    );
  }
  const [ours] = servers;
  if (ours === undefined) throw new Error('no server');
  figures['hitUs'] = (await costOf(ours, file('hits', 0))).costUs;
  figures['missUs'] = (await costOf(ours, file('misses', 1), 'NXDOMAIN')).costUs;
  for (const [name, count] of Object.entries({ oneThread: 1, twoThreads: 2, fourThreads: 4 })) {
    await using threads = await startOurs('fairlead', [services, count], allCores);
    const costs: number[] = [];
    for (let round = 0; round < rounds; round += 1) costs.push((await costOf(threads, mixed, 'NXDOMAIN')).costUs);
    figures[`${name}Us`] = percentile(costs, 0.5);
  }
  const half = await atHalfLoad(ours, mixed, (figures['fairleadPerSecond'] ?? 0) / 2);
  figures['halfLoadP50Us'] = half.p50Us;
  figures['halfLoadP99Us'] = half.p99Us;
  const knot = figures['knotUs'];
  const cost = figures['fairleadUs'] ?? Number.NaN;
  return {
    bench: 'dns-cost',
    figures,
    unit: 'µs of CPU a query, queries/s',
    ...(knot === undefined ? {} : { peer: { name: 'Knot', figure: knot }, ratio: cost / knot }),
    target: "CPU per query at most Knot's in the same run",
    met: knot !== undefined && cost <= knot,
  };
}

/**
 * Latency of a few questions beside half of what a server can answer. They come before the others on the generator's core, so
 * that what they wait for is the server.
 */
async function atHalfLoad({ port }: ServerProcess, file: string, rate: number): Promise<Load> {
  const options = { port, questions: file, core: generatorCore };
  const load = runLoad({ ...options, seconds: seconds + 1, rate });
  const probe = await runLoad({ ...options, seconds, rate: probesPerSecond, isEachTimed: true, isFirst: true });
  await load;
  return probe;
}

/** Loads a server as much as goes; `expected` is a code that must be among the answers. */
async function costOf(server: ServerProcess, file: string, expected = 'NOERROR'): Promise<Load & { costUs: number }> {
  const options = { port: server.port, questions: file, core: generatorCore };
  await runLoad({ ...options, seconds: 1 });
  const before = server.cpuMs();
  const load = await runLoad({ ...options, seconds });
  if (!load.codes.has(expected)) throw new Error(`${server.name} never answered ${expected}`);
  return { ...load, costUs: ((server.cpuMs() - before) * 1000) / load.answered };
}

if (import.meta.main) {
  console.log(JSON.stringify(await run(), undefined, 1));
  process.exit();
}
