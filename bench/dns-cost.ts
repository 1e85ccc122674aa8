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
const generatorCore = cpus().length - 1;
/** All but the generator's: on a machine with two cores the threads share one. */
const serverCores = generatorCore > 1 ? `0-${generatorCore - 1}` : '0';

/**
 * CPU per answered query of our server and of Debian's on the same 10,000 names, with 20 % that do not exist: user and
 * system time of the server's processes by answers. Each server has one thread on one core and the generator another; they
 * take turns in rounds, so that the machine's drift meets all of them.
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
  await using threads = await startOurs('fairlead', [services, 2], serverCores);
  const withThreads = await costOf(threads, mixed, 'NXDOMAIN');
  figures['twoThreadsUs'] = withThreads.costUs;
  figures['twoThreadsPerSecond'] = withThreads.perSecond;
  const half = await runLoad({
    port: ours.port,
    questions: mixed,
    seconds,
    core: generatorCore,
    rate: (figures['fairleadPerSecond'] ?? 0) / 2,
    isEachTimed: true,
  });
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
