import { createSocket, type Socket } from 'node:dgram';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isolateNetwork } from '../src/linux/namespaces.ts';
import { numberToIpv4 } from '../src/lib/ip.ts';
import { questionOf } from '../src/dns/dig.ts';
import { writeMessage } from '../src/dns/wire/writer.ts';
import { answerOf } from './dns/ask.ts';
import { runLoad } from './dns/dnsperf.ts';
import { nameOfService, questions } from './dns/names.ts';
import { startProgram } from './dns/processes.ts';
import { podAddresses } from './load/objects.ts';
import { type Api, ProxyFolder, startApi } from './load/processes.ts';
import { hasProgram } from './load/services.ts';
import { percentile, type BenchResult } from './result.ts';

const services = 10_000;
const endpoints = 15;
const watched = services - 1;
const port = 5300;
const seconds = 20;
const changesPerSecond = 1_000;
const loadPerSecond = 10_000;
const stepMs = 10;
const watchedEveryMs = 20;
/** Answers are made when they are first asked for, and code is compiled when it has run for a while. */
const warmUpMs = 5000;

/**
 * How long after a change was written to the API its name is answered anew by `fairlead dns`, while 1,000 slices of Services
 * without a cluster address change a second and 10,000 other questions a second are asked. Of the slice that is watched the
 * address counts up, and an asker asks for it every millisecond: the time is that of the first answer with an address as
 * new as the change, the way through the API server and the watch included; the first seconds do not count. The server has one core; the API server, the
 * load and the asker share the other.
 */
export async function run(): Promise<BenchResult> {
  if (!hasProgram('dnsperf')) throw new Error('this needs dnsperf');
  isolateNetwork();
  await using api = await startApi(services, endpoints, 1);
  const [alone, threads] = [await measure(api, 0), await measure(api, 1)];
  return {
    bench: 'dns-freshness',
    figures: { ...named('', alone), ...named('thread', threads) },
    unit: 'ms',
    target: 'p99 at most 5 ms',
    met: alone.p99 <= 5 && threads.p99 <= 5,
  };
}

interface Freshness {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly samples: number;
  readonly changesPerSecond: number;
  readonly answersPerSecond: number;
  /** Processor time of the server, of one core. */
  readonly cpuPercent: number;
}

function named(prefix: string, freshness: Freshness): Record<string, number> {
  return Object.fromEntries(Object.entries(freshness).map(([name, value]) => [`${prefix}${name}`, value as number]));
}

async function measure(api: Api, workers: number): Promise<Freshness> {
  using folder = new ProxyFolder(api);
  const file = join(folder.path, 'questions');
  writeFileSync(file, questions(50_000, watched, 0.2));
  await using server = await startProgram(folder, port, ['--workers', String(workers)]);
  const changing = new Changing(api);
  // Until the server's watch is there.
  do {
    changing.changeWatched();
    await delay(100);
  } while (!(await changing.isSeen()));
  const asker = new Asker(port, nameOfService(watched));
  changing.start();
  const before = server.cpuMs();
  const { perSecond } = await runLoad({ port, questions: file, seconds, rate: loadPerSecond, core: 1 });
  const cpuPercent = (server.cpuMs() - before) / seconds / 10;
  changing.stop();
  asker.stop();
  const warmAtMs = (changing.watched[0]?.atMs ?? 0) + warmUpMs;
  const warm = changing.watched.filter(({ atMs }) => atMs > warmAtMs);
  const delays = warm.flatMap((change) => asker.delayOf(change) ?? []);
  return {
    p50: percentile(delays, 0.5),
    p99: percentile(delays, 0.99),
    max: Math.max(...delays),
    samples: delays.length,
    changesPerSecond: changing.perSecond,
    answersPerSecond: perSecond,
    cpuPercent,
  };
}

/** One change of the watched Service, and when it was written. */
interface Changed {
  readonly version: number;
  readonly atMs: number;
}

/** Changes slices all the time: one after the other, and the watched one, whose only address is 10 and its version. */
class Changing {
  readonly watched: Changed[] = [];
  readonly #api: Api;
  readonly #timers: NodeJS.Timeout[] = [];
  #count = 0;
  #startMs = 0;
  #version = 1;
  perSecond = Number.NaN;

  constructor(api: Api) {
    this.#api = api;
  }

  start(): void {
    this.#startMs = performance.now();
    this.watched.length = 0;
    this.#timers.push(setInterval(() => this.#changeOthers(), stepMs));
    this.#timers.push(setInterval(() => this.changeWatched(), watchedEveryMs));
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.perSecond = (1000 * this.#count) / (performance.now() - this.#startMs);
  }

  changeWatched(): void {
    this.#version += 1;
    this.#count += 1;
    this.watched.push({ version: this.#version, atMs: performance.now() });
    this.#api.change({ number: watched, addresses: [addressOf(this.#version)] });
  }

  async isSeen(): Promise<boolean> {
    const [address] = await answerOf(port, nameOfService(watched));
    return address === addressOf(this.#version);
  }

  #changeOthers(): void {
    const due = ((performance.now() - this.#startMs) / 1000) * changesPerSecond;
    for (; this.#count < due; this.#count += 1) {
      const number = this.#count % watched;
      this.#api.change({ number, addresses: podAddresses(number, endpoints, 1 + (this.#count % 3)) });
    }
  }
}

function addressOf(version: number): string {
  return numberToIpv4(0x0a000000 + version);
}

/** Asks for one name every millisecond, and notes when each address came first. */
class Asker {
  readonly #socket: Socket;
  /** Ascending in both. */
  readonly #heard: Changed[] = [];
  readonly #again: NodeJS.Timeout;

  constructor(port: number, name: string) {
    const packet = writeMessage({ id: 1, flags: 0, questions: [questionOf(name, 'A')] });
    this.#socket = createSocket('udp4');
    const ask = (): void => this.#socket.send(packet);
    this.#socket.on('message', (answer) => this.#hear(answer));
    this.#socket.connect(port, '127.0.0.1', ask);
    this.#again = setInterval(ask, 1);
  }

  /** Milliseconds from a change to the first answer that shows it or a later one; undefined when none did. */
  delayOf({ version, atMs }: Changed): number | undefined {
    const first = this.#heard.find((heard) => heard.version >= version);
    return first && first.atMs - atMs;
  }

  stop(): void {
    clearInterval(this.#again);
    this.#socket.close();
  }

  /** The version is the last 24 bits of the only address, which ends the answer. */
  #hear(answer: Buffer): void {
    const version = answer.readUIntBE(answer.length - 3, 3);
    if (version > (this.#heard.at(-1)?.version ?? 0)) this.#heard.push({ version, atMs: performance.now() });
  }
}

if (import.meta.main) {
  console.log(JSON.stringify(await run(), undefined, 1));
  process.exit();
}
