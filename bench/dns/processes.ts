import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { questionOf } from '../../src/dns/dig.ts';
import { writeMessage } from '../../src/dns/wire/writer.ts';
import { cidrs } from '../load/objects.ts';
import type { ProxyFolder } from '../load/processes.ts';

/** A DNS server under load. */
export interface ServerProcess extends AsyncDisposable {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
  /** User and system time of the process and its children so far, in milliseconds; steps of 10 ms. */
  cpuMs(): number;
  /** Milliseconds that its threads ran or waited for a processor so far. */
  wantedMs(): number;
  /** Resident memory, and the most it ever was, in megabytes (10^6). */
  memory(): { readonly residentMb: number; readonly peakMb: number };
}

export interface ProcessToStart {
  readonly name: string;
  readonly command: readonly string[];
  readonly port: number;
  /** Cores it may use, as `taskset` takes them. */
  readonly cores: string;
}

/** Starts a server and waits until it answers. Rejects when it ends instead. */
export async function startServer({ name, command, port, cores }: ProcessToStart): Promise<ServerProcess> {
  const child = spawn('taskset', ['-c', cores, ...command], { stdio: ['ignore', 'ignore', 'pipe'] });
  const errors: string[] = [];
  child.stderr?.on('data', (data: Buffer) => errors.push(String(data)));
  while (!(await answers(port))) {
    if (child.exitCode !== null) throw new Error(`${name} ended: ${errors.join('').slice(-2000)}`);
  }
  return processOf(name, child, port);
}

/** Starts `server.ts` with its arguments. */
export async function startOurs(name: string, args: readonly number[], cores: string): Promise<ServerProcess> {
  const command = ['-c', cores, process.execPath, join(import.meta.dirname, 'server.ts'), ...args.map(String)];
  const child = spawn('taskset', command, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`${name} ended with ${String(code)}`);
  });
  const [port] = (await Promise.race([once(child, 'message'), ended])) as [number];
  ended.catch(() => undefined);
  return processOf(name, child, port);
}

/** Starts `fairlead dns` as a user does, on core 0, in the cluster and with the state of a folder. */
export function startProgram(folder: ProxyFolder, port: number, flags: readonly string[] = []): Promise<ServerProcess> {
  const all = {
    kubeconfig: join(folder.path, 'kubeconfig'),
    listen: `127.0.0.1:${port}`,
    state: folder.path,
    cidr: cidrs.services,
    upstream: '127.0.0.1:1',
  };
  const program = resolve(import.meta.dirname, '../../fairlead');
  const named = Object.entries(all).flatMap(([name, value]) => [`--${name}`, value]);
  return startServer({ name: 'fairlead', command: [program, 'dns', ...named, ...flags], port, cores: '0' });
}

function processOf(name: string, child: ChildProcess, port: number): ServerProcess {
  const pid = child.pid ?? 0;
  return {
    name,
    port,
    pid,
    cpuMs: () => [pid, ...childrenOf(pid)].reduce((sum, each) => sum + cpuMsOf(each), 0),
    wantedMs: () => wantedMsOf(pid),
    memory: () => memoryOf(pid),
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const closed = once(child, 'close');
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 3000);
      await closed;
      clearTimeout(timer);
    },
  };
}

function childrenOf(pid: number): number[] {
  const all = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry));
  const own = all.filter((entry) => statOf(Number(entry))[1] === String(pid)).map(Number);
  return [...own, ...own.flatMap(childrenOf)];
}

/** Fields of proc(5) `stat` behind the command: state, parent … */
function statOf(pid: number): readonly string[] {
  try {
    return (/\) (.*)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1] ?? '').split(' ');
  } catch {
    return [];
  }
}

/** utime and stime, in ticks of 10 ms. */
function cpuMsOf(pid: number): number {
  const fields = statOf(pid);
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * 10;
}

/** The first two fields of `schedstat` (Documentation/scheduler/sched-stats.rst): nanoseconds on a processor, and in its queue. */
function wantedMsOf(pid: number): number {
  const folder = `/proc/${pid}/task`;
  const times = readdirSync(folder).map((thread) => readFileSync(join(folder, thread, 'schedstat'), 'utf8').split(' '));
  return times.reduce((sum, [ran, waited]) => sum + Number(ran) + Number(waited), 0) / 1e6;
}

function memoryOf(pid: number): { readonly residentMb: number; readonly peakMb: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const mb = (field: string): number =>
    (Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1024) / 1e6;
  return { residentMb: mb('VmRSS'), peakMb: mb('VmHWM') };
}

/** Whether something answers DNS at a port of 127.0.0.1 within 200 ms. */
async function answers(port: number): Promise<boolean> {
  const socket = createSocket('udp4');
  const heard = Promise.withResolvers<boolean>();
  socket.once('message', () => heard.resolve(true)).once('error', () => heard.resolve(false));
  const question = writeMessage({ id: 1, flags: 0, questions: [questionOf('cluster.local', 'SOA')] });
  socket.connect(port, '127.0.0.1', () => socket.send(question));
  const answer = await Promise.race([heard.promise, delay(200, false)]);
  socket.close();
  return answer;
}
