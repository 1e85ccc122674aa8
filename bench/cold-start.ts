import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isolateNetwork } from '../src/linux/namespaces.ts';
import { cleanUpNftables } from '../src/proxy/clean-up.ts';
import { createNftablesPlane } from '../src/proxy/nftables/plane.ts';
import { type Api, ProxyFolder, type ProxyProcess, startApi } from './load/processes.ts';
import { network } from './load/services.ts';
import { type BenchResult, percentile } from './result.ts';

interface Size {
  readonly services: number;
  readonly endpoints: number;
  readonly rounds: number;
}

const small: Size = { services: 10_000, endpoints: 2, rounds: 3 };
const large: Size = { services: 5_000, endpoints: 50, rounds: 2 };
const idleMs = 5_000;

/** One start on an empty kernel, and one that takes over what the first left. */
interface Round {
  readonly totalMs: number;
  /** What the plane took of it: the transaction, and reading back what was there. */
  readonly planeMs: number;
  readonly takeOverMs: number;
  /** Processor time of the first until then. */
  readonly cpuMs: number;
  /** Resident memory at most, of either. */
  readonly peakMb: number;
  readonly takeOverPeakMb: number;
  /** Resident memory of the first, once there is nothing left to do. */
  readonly residentMb: number;
  /** Of one processor, while nothing happens. */
  readonly idleCpuPercent: number;
}

/**
 * `fairlead proxy` as a process of its own against a server in the shape of the Kubernetes API: from its start to the
 * kernel's acknowledgement of all frontends, on an empty kernel and on one that has them already, as after a restart; its
 * resident memory, at its peak and at rest, and its processor time while nothing happens. No peer: kube-proxy needs a cluster.
 */
export async function run(): Promise<BenchResult> {
  isolateNetwork();
  const tenThousand = await measure(small);
  const manyEndpoints = await measure(large);
  const figures = { ...named('', tenThousand), ...named('250k', manyEndpoints) };
  const isFast = tenThousand.totalMs <= 1_500 && manyEndpoints.totalMs <= 10_000;
  const isSmall = tenThousand.residentMb <= 150 && manyEndpoints.residentMb <= 500;
  return {
    bench: 'cold-start',
    figures,
    unit: 'ms, MB, % of a processor',
    target:
      'at most 1,500 ms and 150 MB resident for 10,000 Services × 2 endpoints, 10,000 ms and 500 MB for 5,000 × 50; idle at most 0.5 %',
    met: isFast && isSmall && Math.max(tenThousand.idleCpuPercent, manyEndpoints.idleCpuPercent) <= 0.5,
  };
}

function named(prefix: string, round: Round): Record<string, number> {
  return Object.fromEntries(
    Object.entries(round).map(([name, value]) => [
      prefix === '' ? name : `${prefix}${name[0]?.toUpperCase()}${name.slice(1)}`,
      value as number,
    ]),
  );
}

/** Medians of times, the worst of memory. */
async function measure({ services, endpoints, rounds }: Size): Promise<Round> {
  await using api = await startApi(services, endpoints);
  await compile(api);
  const taken: Round[] = [];
  for (let round = 0; round < rounds; round += 1) taken.push(await oneRound(api, services));
  const median = (pick: (round: Round) => number): number => percentile(taken.map(pick), 0.5);
  return {
    totalMs: median((round) => round.totalMs),
    planeMs: median((round) => round.planeMs),
    cpuMs: median((round) => round.cpuMs),
    takeOverMs: median((round) => round.takeOverMs),
    peakMb: Math.max(...taken.map((round) => round.peakMb)),
    takeOverPeakMb: Math.max(...taken.map((round) => round.takeOverPeakMb)),
    residentMb: Math.max(...taken.map((round) => round.residentMb)),
    idleCpuPercent: Math.max(...taken.map((round) => round.idleCpuPercent)),
  };
}

/** Code is compiled once an installation; every later start finds it. */
async function compile(api: Api): Promise<void> {
  using folder = new ProxyFolder(api);
  const proxy = folder.start('nftables');
  await proxy.programmed();
  await proxy.end('SIGTERM');
  cleanUpNftables();
}

async function oneRound(api: Api, services: number): Promise<Round> {
  using folder = new ProxyFolder(api);
  const first = folder.start('nftables');
  const batch = await first.programmed();
  const cpuMs = first.cpuMs();
  await expectInKernel(services);
  const idleCpuPercent = await idle(first, folder.path);
  const { residentMb, peakMb } = first.memory();
  await first.end('SIGKILL');
  rmSync(join(folder.path, 'frontends.ndjson'), { force: true });
  const second = folder.start('nftables');
  const again = await second.programmed();
  if (again.operations > 0) throw new Error(`taking over changed ${again.operations} kernel objects`);
  const takeOverPeakMb = second.memory().peakMb;
  await second.end('SIGKILL');
  cleanUpNftables();
  return {
    totalMs: batch.atMs - first.startedAtMs,
    planeMs: batch.tookMs,
    cpuMs,
    takeOverMs: again.atMs - second.startedAtMs,
    peakMb,
    takeOverPeakMb,
    residentMb,
    idleCpuPercent,
  };
}

/** Once the last known state is on disk there is nothing left to do. */
async function idle(proxy: ProxyProcess, folder: string): Promise<number> {
  while (!existsSync(join(folder, 'frontends.ndjson'))) await delay(100);
  await delay(1_000);
  const before = proxy.cpuMs();
  await delay(idleMs);
  return ((proxy.cpuMs() - before) / idleMs) * 100;
}

async function expectInKernel(services: number): Promise<void> {
  const reader = createNftablesPlane({ network });
  const frontends = await reader.dump();
  await reader.close();
  const found = frontends.filter((frontend) => frontend.internal.verdict === 'forward').length;
  if (found !== services) throw new Error(`${found} of ${services} frontends are in the kernel`);
}

if (import.meta.main) {
  console.log(JSON.stringify(await run()));
  process.exit();
}
