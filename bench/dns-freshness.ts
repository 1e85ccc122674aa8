import { createSocket, type Socket } from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isolateNetwork } from '../src/linux/namespaces.ts';
import { questionOf } from '../src/dns/dig.ts';
import { writeMessage } from '../src/dns/wire/writer.ts';
import { runLoad } from './dns/dnsperf.ts';
import { nameOfService, questions } from './dns/names.ts';
import { startChanging, type Changed } from './dns/processes.ts';
import { hasProgram } from './load/services.ts';
import { percentile, type BenchResult } from './result.ts';

const services = 10_000;
const seconds = 10;
const changesPerSecond = 1_000;
const loadPerSecond = 10_000;

/**
 * How long after a change was seen its name is answered anew, while 1,000 slices of Services without a cluster address
 * change a second and 10,000 other questions a second are asked. The server notes when its watch gave it a change (one
 * clock for all processes); of the slice that is watched the address counts up, and an asker asks for it every millisecond:
 * the time is that of the first answer with an address as new as the change.
 */
export async function run(): Promise<BenchResult> {
  if (!hasProgram('dnsperf')) throw new Error('this needs dnsperf');
  isolateNetwork();
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-dns-'));
  try {
    const [alone, threads] = [await measure(folder, 0), await measure(folder, 1)];
    return {
      bench: 'dns-freshness',
      figures: { ...named('', alone), ...named('thread', threads) },
      unit: 'ms',
      target: 'p99 at most 5 ms',
      met: alone.p99 <= 5 && threads.p99 <= 5,
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

interface Freshness {
  readonly p50: number;
  readonly p99: number;
  readonly samples: number;
  readonly changesPerSecond: number;
  readonly answersPerSecond: number;
}

function named(prefix: string, freshness: Freshness): Record<string, number> {
  return Object.fromEntries(Object.entries(freshness).map(([name, value]) => [`${prefix}${name}`, value as number]));
}

async function measure(folder: string, workers: number): Promise<Freshness> {
  const file = join(folder, 'questions');
  writeFileSync(file, questions(50_000, services - 1, 0.2));
  await using server = await startChanging({ services, workers, changesPerSecond, cores: '0' });
  const asker = new Asker(server.port, nameOfService(services - 1));
  const load = { port: server.port, questions: file, seconds, rate: loadPerSecond, core: 1 };
  const { perSecond } = await runLoad(load);
  const seen = await server.changes();
  asker.stop();
  const delays = seen.watched.flatMap((change) => asker.delayOf(change) ?? []);
  return {
    p50: percentile(delays, 0.5),
    p99: percentile(delays, 0.99),
    samples: delays.length,
    changesPerSecond: seen.count / ((seen.lastMs - seen.firstMs) / 1000),
    answersPerSecond: perSecond,
  };
}

/** Asks for one name every millisecond, and notes when each address came first. */
class Asker {
  readonly #socket: Socket;
  /** Ascending in both. */
  readonly #heard: { readonly version: number; readonly atMs: number }[] = [];
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
    if (version > (this.#heard.at(-1)?.version ?? 0)) {
      this.#heard.push({ version, atMs: performance.timeOrigin + performance.now() });
    }
  }
}

if (import.meta.main) {
  console.log(JSON.stringify(await run(), undefined, 1));
  process.exit();
}
