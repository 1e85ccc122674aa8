import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { percentile } from '../result.ts';

/** What dnsperf saw. */
export interface Load {
  readonly answered: number;
  readonly lost: number;
  readonly perSecond: number;
  /** Microseconds; NaN unless each answer was timed. */
  readonly p50Us: number;
  readonly p99Us: number;
  /** Answers by response code. */
  readonly codes: ReadonlyMap<string, number>;
}

export interface LoadOptions {
  readonly port: number;
  /** File of questions, read again from its start when it ends. */
  readonly questions: string;
  readonly seconds: number;
  /** Queries a second at most; as many as go when undefined. */
  readonly rate?: number;
  /** Queries under way at once. */
  readonly outstanding?: number;
  /** Each answer's latency is noted, which costs the generator time. */
  readonly isEachTimed?: boolean;
  /** It comes before everything else on its core (SCHED_FIFO): for few questions, whose latency is then not the generator's. */
  readonly isFirst?: boolean;
  /** The core that the generator runs on. */
  readonly core: number;
}

/** Asks a server on loopback with dnsperf, from 16 sockets. Rejects when dnsperf fails. */
export async function runLoad(options: LoadOptions): Promise<Load> {
  const { port, questions, seconds, rate, outstanding = 200, isEachTimed = false, isFirst = false, core } = options;
  const flags = ['-s', '127.0.0.1', '-p', port, '-d', questions, '-l', seconds, '-c', 16, '-q', outstanding, '-t', 2];
  const limit = rate === undefined ? [] : ['-Q', Math.round(rate)];
  const order = isFirst ? ['chrt', '--fifo', 1] : [];
  const all = ['-c', core, ...order, 'dnsperf', ...flags, ...limit, ...(isEachTimed ? ['-v'] : []), '-W'].map(String);
  const child = spawn('taskset', all, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  if (code !== 0) throw new Error(`dnsperf ended with ${String(code)}:\n${output}`);
  return readOutput(output);
}

function readOutput(output: string): Load {
  const number = (pattern: RegExp): number => Number(pattern.exec(output)?.[1] ?? Number.NaN);
  const taken = latencies(output);
  const codes = /Response codes:\s+(.*)/.exec(output)?.[1] ?? '';
  return {
    answered: number(/Queries completed:\s+(\d+)/),
    lost: number(/Queries lost:\s+(\d+)/),
    perSecond: number(/Queries per second:\s+([\d.]+)/),
    p50Us: percentile(taken, 0.5) * 1e6,
    p99Us: percentile(taken, 0.99) * 1e6,
    codes: new Map([...codes.matchAll(/(\w+) (\d+)/g)].map(([, name = '', count]) => [name, Number(count)])),
  };
}

/** Seconds, from lines `> NOERROR cart.shop.svc.cluster.local A 0.000041`. */
function latencies(output: string): number[] {
  return [...output.matchAll(/^> .* ([\d.]+)$/gm)].map(([, seconds]) => Number(seconds));
}
