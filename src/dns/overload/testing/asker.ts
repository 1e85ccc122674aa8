import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** What an asker was answered. */
export interface Heard {
  readonly asked: number;
  /** Answers by response code. */
  readonly codes: readonly number[];
  readonly p99Ms: number;
}

export interface Asking {
  readonly port: number;
  /** Of loopback. */
  readonly from: string;
  readonly perSecond: number;
  readonly seconds: number;
  /** `#` becomes a number below `numbers`. */
  readonly name: string;
  readonly numbers: number;
  /** Cores it may use, as `taskset` takes them. */
  readonly cores?: string;
}

/** Asks at a steady rate in a process of its own, a second longer than what counts. */
export async function askSteadily({ from, port, perSecond, seconds, name, numbers, cores }: Asking): Promise<Heard> {
  const program = join(import.meta.dirname, 'asker-program.ts');
  const args = [program, from, port, Math.round(perSecond), seconds, name, numbers].map(String);
  const [command = '', ...rest] = [...(cores === undefined ? [] : ['taskset', '-c', cores]), process.execPath, ...args];
  const child = spawn(command, rest, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const [[heard]] = await Promise.all([once(child, 'message'), once(child, 'exit')]);
  return heard as Heard;
}

/** Answers to all that was asked, 0 to 1. */
export function answeredShare({ asked, codes }: Heard): number {
  return codes.reduce((sum, count) => sum + count, 0) / asked;
}
