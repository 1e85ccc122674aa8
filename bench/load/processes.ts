import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { PlaneName } from '../../src/proxy/dataplane.ts';
import type { SliceOrder } from './api.ts';
import { cidrs, ownNode } from './objects.ts';

/** The API-shaped server of `api.ts` in a process of its own, in the calling thread's network namespace. */
export interface Api extends AsyncDisposable {
  readonly port: number;
  /** Changes the addresses behind a Service. */
  change(order: SliceOrder): void;
  /** Ends all watches, and refuses to go on from where they were: clients list everything again. */
  forget(): void;
}

/** Of every `headlessEvery` Services the last has no cluster address; 0 for none. */
export async function startApi(services: number, endpoints: number, headlessEvery = 0): Promise<Api> {
  const child = fork(join(import.meta.dirname, 'api.ts'), [services, endpoints, headlessEvery].map(String));
  const [port] = (await once(child, 'message')) as [number];
  return {
    port,
    change: (order) => void child.send(order),
    forget: () => void child.send('forget'),
    [Symbol.asyncDispose]: () => ended(child, 'SIGKILL'),
  };
}

/** One batch that the proxy says it has programmed. */
export interface ProgrammedBatch {
  readonly atMs: number;
  readonly frontends: number;
  readonly operations: number;
  /** What the plane took for it. */
  readonly tookMs: number;
}

/** A `fairlead proxy` in a process of its own. */
export interface ProxyProcess {
  readonly startedAtMs: number;
  /** The next batch that it has programmed; rejects when it ends instead. */
  programmed(): Promise<ProgrammedBatch>;
  memory(): ProcessMemory;
  /** Processor time it has used so far, in milliseconds. */
  cpuMs(): number;
  /** Resolves when it is gone. */
  end(signal: NodeJS.Signals): Promise<void>;
}

export interface ProcessMemory {
  readonly residentMb: number;
  readonly peakMb: number;
}

/** A folder with what proxy processes need: a kubeconfig, and room for their state. */
export class ProxyFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'fairlead-bench-'));

  constructor(api: Api) {
    const kubeconfig = {
      'current-context': 'bench',
      contexts: [{ name: 'bench', context: { cluster: 'bench', user: 'bench' } }],
      clusters: [{ name: 'bench', cluster: { server: `http://127.0.0.1:${api.port}` } }],
      users: [{ name: 'bench', user: {} }],
    };
    writeFileSync(join(this.path, 'kubeconfig'), JSON.stringify(kubeconfig));
  }

  /** Starts a proxy as a user does, on what an earlier one left. */
  start(plane: PlaneName): ProxyProcess {
    const startedAtMs = performance.now();
    const child = spawn(resolve(import.meta.dirname, '../../fairlead'), this.#arguments(plane), {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const batches = readBatches(child);
    const pid = child.pid ?? 0;
    return {
      startedAtMs,
      programmed: () => batches.next(),
      memory: () => readMemory(pid),
      cpuMs: () => readCpuMs(pid),
      end: (signal) => ended(child, signal),
    };
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true });
  }

  #arguments(plane: PlaneName): string[] {
    const flags = {
      kubeconfig: join(this.path, 'kubeconfig'),
      'node-name': ownNode,
      plane,
      'service-cidr': cidrs.services,
      'cluster-cidr': cidrs.pods,
      'pod-cidr': cidrs.ownPods,
      state: this.path,
      'log-level': 'debug',
      'log-format': 'json',
    };
    return ['proxy', ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value])];
  }
}

/** The proxy logs each batch at debug level, once the kernel has acknowledged it. */
function readBatches(child: ChildProcess): { next(): Promise<ProgrammedBatch> } {
  const arrived: ProgrammedBatch[] = [];
  const waiting: PromiseWithResolvers<ProgrammedBatch>[] = [];
  const others: string[] = [];
  if (child.stderr === null) throw new Error('the proxy has no standard error');
  createInterface({ input: child.stderr }).on('line', (text) => {
    const line = readLine(text);
    if (line?.message !== 'programmed') return void others.push(text);
    const batch = { ...(line as unknown as ProgrammedBatch), atMs: performance.now() };
    const waiter = waiting.shift();
    if (waiter === undefined) arrived.push(batch);
    else waiter.resolve(batch);
  });
  child.once('close', () => {
    const error = new Error(`the proxy ended: ${others.slice(-5).join('\n')}`);
    for (const waiter of waiting) waiter.reject(error);
  });
  return {
    next() {
      const batch = arrived.shift();
      if (batch !== undefined) return Promise.resolve(batch);
      const waiter = Promise.withResolvers<ProgrammedBatch>();
      waiting.push(waiter);
      return waiter.promise;
    },
  };
}

function readLine(text: string): { readonly message?: string } | undefined {
  try {
    const line = JSON.parse(text) as Record<string, unknown>;
    return { ...line, message: String(line['message'] ?? line['msg']) };
  } catch {
    return undefined;
  }
}

function readMemory(pid: number): ProcessMemory {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const mb = (name: string): number =>
    (Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1024) / 1e6;
  return { residentMb: mb('VmRSS'), peakMb: mb('VmHWM') };
}

/** utime and stime of proc(5), in ticks of 10 ms. */
function readCpuMs(pid: number): number {
  const [, rest = ''] = /\) (.*)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
  const fields = rest.split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, 'close');
  child.kill(signal);
  await closed;
}
