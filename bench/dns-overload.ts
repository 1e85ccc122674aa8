import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { answeredShare, askSteadily, type Asking, type Heard } from '../src/dns/overload/testing/asker.ts';
import { isolateNetwork } from '../src/linux/namespaces.ts';
import { rcodes } from '../src/dns/wire/types.ts';
import { namespace, zone } from './dns/names.ts';
import { startOurs } from './dns/processes.ts';
import { percentile, type BenchResult } from './result.ts';

const services = 10_000;
const rounds = 3;
const seconds = 2;
const politePerSecond = 500;
/** Of one core: the askers must be able to ask for five times what the server can answer. */
const serverShare = 0.15;
const periodUs = 10_000;
const askerCores = String(cpus().length - 1);
const known = { name: `service-#.${namespace}.svc.${zone}`, numbers: services };

/**
 * A server that is asked for more than it can answer. Its processor time is limited to a share of one core, so that there is
 * enough for the askers. First the most it answers a second, then with five times as many questions; then a client
 * that asks little beside one that asks five times too much; then names of the cluster beside a flood of questions for names
 * of others, whose server is silent. The same with two threads.
 */
export async function run(): Promise<BenchResult> {
  isolateNetwork();
  await using silent = createSocket('udp4');
  silent.bind(0, '127.0.0.1');
  await once(silent, 'listening');
  const upstreamPort = silent.address().port;
  const plain = await measure(0, upstreamPort);
  const threads = await measure(2, upstreamPort);
  const named = Object.entries(threads).map(([name, value]) => [
    `threads${name[0]?.toUpperCase()}${name.slice(1)}`,
    value,
  ]);
  return {
    bench: 'dns-overload',
    figures: { ...plain, ...Object.fromEntries(named) },
    unit: 'answers/s, shares of 1, MB, ms',
    target: 'at five times capacity ≥ 0.95 of the most answers/s, and memory that does not grow',
    met: [plain, threads].every(({ ratio, memoryGrowthMb }) => ratio >= 0.95 && memoryGrowthMb <= 10),
  };
}

interface Figures extends Readonly<Record<string, number>> {
  readonly ratio: number;
  readonly memoryGrowthMb: number;
}

async function measure(workers: number, upstreamPort: number): Promise<Figures> {
  await using stack = new AsyncDisposableStack();
  const limit = stack.use(limited(serverShare));
  const server = stack.use(await startOurs('fairlead', [services, workers, upstreamPort], '0'));
  limit.take(server.pid);
  const ask = (over: Partial<Asking>): Promise<Heard> =>
    askSteadily({ port: server.port, from: '127.0.0.2', seconds, perSecond: 0, cores: askerCores, ...known, ...over });
  const about = await peakOf(ask);
  const beforeMb = server.memory().peakMb;
  const peaks: number[] = [];
  const atFive: Heard[] = [];
  // In turns, so that whatever else the machine does meets both.
  for (let round = 0; round < rounds; round += 1) {
    peaks.push(perSecondOf(await ask({ perSecond: 1.1 * about })));
    atFive.push(await ask({ perSecond: 5 * about }));
  }
  const peak = percentile(peaks, 0.5);
  const fiveTimes = percentile(atFive.map(perSecondOf), 0.5);
  const [flood, polite] = await Promise.all([
    ask({ perSecond: 5 * about }),
    ask({ perSecond: politePerSecond, from: '127.0.0.3' }),
  ]);
  const others = { name: 'host-#.example.com', numbers: 1e9, perSecond: 20_000 };
  const [outside, cluster] = await Promise.all([ask(others), ask({ perSecond: politePerSecond, from: '127.0.0.3' })]);
  return {
    peakPerSecond: peak,
    fiveTimesPerSecond: fiveTimes,
    ratio: fiveTimes / peak,
    askedTimesPeak: percentile(
      atFive.map(({ asked }) => asked / seconds / peak),
      0.5,
    ),
    memoryGrowthMb: server.memory().peakMb - beforeMb,
    politeShare: answeredShare(polite),
    politeP99Ms: polite.p99Ms,
    floodShare: answeredShare(flood),
    clusterShareWhileUpstreamSilent: (cluster.codes[rcodes.NOERROR] ?? 0) / cluster.asked,
    outsideAnswersPerSecond: perSecondOf(outside),
  };
}

/** The most that is answered, looking upwards until more questions bring no more answers. */
async function peakOf(ask: (over: Partial<Asking>) => Promise<Heard>): Promise<number> {
  let best = 0;
  for (let perSecond = 2000; ; perSecond *= 1.4) {
    const heard = await ask({ perSecond });
    best = Math.max(best, perSecondOf(heard));
    if (answeredShare(heard) < 0.85) return best;
  }
}

function perSecondOf({ codes }: Heard): number {
  return codes.reduce((sum, count) => sum + count, 0) / seconds;
}

/** Limits processes to a share of one core, in slices so short that no queue notices: control groups of either version. */
function limited(share: number): Disposable & { readonly take: (pid: number) => void } {
  const isFirst = existsSync('/sys/fs/cgroup/cpu/cgroup.procs');
  const folder = join(isFirst ? '/sys/fs/cgroup/cpu' : '/sys/fs/cgroup', `fairlead-bench-${process.pid}`);
  const quotaUs = Math.round(periodUs * share);
  mkdirSync(folder);
  if (isFirst) {
    writeFileSync(join(folder, 'cpu.cfs_period_us'), String(periodUs));
    writeFileSync(join(folder, 'cpu.cfs_quota_us'), String(quotaUs));
  } else writeFileSync(join(folder, 'cpu.max'), `${quotaUs} ${periodUs}`);
  return {
    take: (pid) => writeFileSync(join(folder, 'cgroup.procs'), String(pid)),
    [Symbol.dispose]: () => rmdirSync(folder),
  };
}
