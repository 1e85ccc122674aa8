import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { answeredShare, askSteadily, type Asking, type Heard } from '../src/dns/overload/testing/asker.ts';
import { isolateNetwork } from '../src/linux/namespaces.ts';
import { rcodes } from '../src/dns/wire/types.ts';
import { namespace, zone } from './dns/names.ts';
import { peersIn } from './dns/peers.ts';
import { startOurs, startServer, type ServerProcess } from './dns/processes.ts';
import { percentile, type BenchResult } from './result.ts';

const services = 10_000;
const rounds = 3;
const seconds = 2;
/** Askers ask for a second more than counts. */
const allSeconds = seconds + 1;
const politePerSecond = 500;
const serverCore = '0';
const askerCore = String(cpus().length - 1);
const known = { name: `service-#.${namespace}.svc.${zone}`, numbers: services };

/**
 * A server that is asked for more than it can answer: all of it on one core, and the askers on another, because over loopback
 * what the kernel does to receive a question it does on the core of whoever asks. Questions go in volleys (UDP_SEGMENT), so
 * that one core can ask for five times what another answers; `askedTimesPeak` says whether it did. First the most that is
 * answered a second, then with five times as many questions, in turns; `idleShare` is how much of that time the server had
 * nothing to do, and `ratioPerCpu` what is left of the answers per processor time, also where others use the server's core. Then a client that asks little beside one that asks five times too much, and names of the cluster beside a
 * flood of questions for names of others, whose server is silent. The same with two threads on that core; and Knot, as far
 * as it has the same.
 */
export async function run(): Promise<BenchResult> {
  isolateNetwork();
  await using silent = createSocket('udp4');
  silent.bind(0, '127.0.0.1');
  await once(silent, 'listening');
  const upstreamPort = silent.address().port;
  const plain = await measureOurs(0, upstreamPort);
  const threads = await measureOurs(2, upstreamPort);
  const knot = await measureKnot();
  const peer = knot && { peer: { name: 'Knot', figure: knot.ratio }, ratio: plain.ratio / knot.ratio };
  return {
    bench: 'dns-overload',
    figures: { ...plain, ...named('threads', threads), ...named('knot', knot ?? {}) },
    unit: 'answers/s, shares of 1, MB, ms',
    ...peer,
    target: 'at five times capacity ≥ 0.95 of the most answers/s, and memory that does not grow',
    met: [plain, threads].every(({ ratio, memoryGrowthMb }) => ratio >= 0.95 && memoryGrowthMb <= 10),
  };
}

type Figures = Readonly<Record<string, number>>;

function named(who: string, figures: Figures): Figures {
  return Object.fromEntries(
    Object.entries(figures).map(([name, value]) => [`${who}${name[0]?.toUpperCase()}${name.slice(1)}`, value]),
  );
}

async function measureOurs(workers: number, upstreamPort: number) {
  await using server = await startOurs('fairlead', [services, workers, upstreamPort], serverCore);
  const ask = askerOf(server);
  const most = await mostOf(ask);
  const beforeMb = server.memory().peakMb;
  const flooded = await flood(server, most);
  const floodedMb = server.memory().peakMb;
  const [flooding, polite] = await Promise.all([
    ask({ perSecond: 5 * most }),
    ask({ perSecond: politePerSecond, from: '127.0.0.3' }),
  ]);
  const others = { name: 'host-#.example.com', numbers: 1e9, perSecond: 20_000 };
  const [outside, cluster] = await Promise.all([ask(others), ask({ perSecond: politePerSecond, from: '127.0.0.3' })]);
  return {
    ...flooded,
    memoryGrowthMb: floodedMb - beforeMb,
    outsideMemoryGrowthMb: server.memory().peakMb - floodedMb,
    politeShare: answeredShare(polite),
    politeP99Ms: polite.p99Ms,
    floodShare: answeredShare(flooding),
    clusterShareWhileUpstreamSilent: (cluster.codes[rcodes.NOERROR] ?? 0) / cluster.asked,
    outsideAnswersPerSecond: perSecondOf(outside),
  };
}

/** Undefined where it is not installed. */
async function measureKnot() {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-dns-'));
  try {
    const knot = peersIn(folder, services).find(({ name }) => name === 'knot');
    if (knot === undefined) return undefined;
    await using server = await startServer({ ...knot, cores: serverCore });
    return await flood(server, await mostOf(askerOf(server)));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

type Ask = (over: Partial<Asking>) => Promise<Heard>;

function askerOf({ port }: ServerProcess): Ask {
  const all = { port, from: '127.0.0.2', seconds, perSecond: 0, cores: askerCore, ...known };
  return (over) => askSteadily({ ...all, ...over });
}

/** The most that is answered a second, looking upwards until more questions bring no more answers. */
async function mostOf(ask: Ask): Promise<number> {
  let best = 0;
  for (let perSecond = 20_000; ; perSecond *= 1.4) {
    const heard = await ask({ perSecond });
    best = Math.max(best, perSecondOf(heard));
    if (answeredShare(heard) < 0.85) return best;
  }
}

/** `most` is the most that it was seen to answer a second. */
async function flood(server: ServerProcess, most: number) {
  const atPeak: Round[] = [];
  const atFive: Round[] = [];
  // In turns, so that whatever else the machine does meets both.
  for (let round = 0; round < rounds; round += 1) {
    atPeak.push(await measureRound(server, 1.1 * most));
    atFive.push(await measureRound(server, 5 * most));
  }
  const peakPerSecond = Math.max(most, median(atPeak, 'answered'));
  const fiveTimesPerSecond = median(atFive, 'answered');
  return {
    peakPerSecond,
    fiveTimesPerSecond,
    ratio: fiveTimesPerSecond / peakPerSecond,
    ratioPerCpu: median(atFive, 'perCpuMs') / median(atPeak, 'perCpuMs'),
    askedTimesPeak: median(atFive, 'asked') / peakPerSecond,
    idleShare: median(atFive, 'idleShare'),
  };
}

interface Round {
  /** Questions and answers a second. */
  readonly asked: number;
  readonly answered: number;
  readonly perCpuMs: number;
  readonly idleShare: number;
}

async function measureRound(server: ServerProcess, perSecond: number): Promise<Round> {
  const [cpuMs, wantedMs] = [server.cpuMs(), server.wantedMs()];
  const heard = await askerOf(server)({ perSecond });
  const answered = perSecondOf(heard);
  return {
    asked: heard.asked / seconds,
    answered,
    perCpuMs: (answered * allSeconds) / (server.cpuMs() - cpuMs),
    idleShare: Math.max(0, 1 - (server.wantedMs() - wantedMs) / (allSeconds * 1000)),
  };
}

function median(all: readonly Round[], figure: keyof Round): number {
  const values = all.map((each) => each[figure]);
  return percentile(values, 0.5);
}

function perSecondOf({ codes }: Heard): number {
  return codes.reduce((sum, count) => sum + count, 0) / seconds;
}
