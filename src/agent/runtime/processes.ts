import { spawn } from 'node:child_process';
import { closeSync, constants, mkdirSync, openSync, readFileSync, statSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { makeFifo } from '../../linux/files.ts';
import type { Cgroups } from './cgroups.ts';
import type { Layout } from './layout.ts';
import { killStrays } from './strays.ts';
import type { AttemptRef, ProcessEnd, ProcessSpec } from './runtime.ts';
import { shellEnv, shellQuote, shimScript, wrapCommand } from './shim.ts';

/** Starts, watches and signals the guarded processes of containers; the same for every runtime. */
export interface Processes {
  /** `enter` runs its argument in the surroundings that the process is to have. */
  start(spec: ProcessSpec, enter: <T>(work: () => T) => T, onEnd: (end: ProcessEnd) => void): void;
  adopt(ref: AttemptRef, onEnd: (end: ProcessEnd) => void): void;
  signal(ref: AttemptRef, signal: NodeJS.Signals): Promise<void>;
  kill(ref: AttemptRef): Promise<void>;
  pidOf(ref: AttemptRef): number | undefined;
  close(): void;
}

const { O_RDONLY, O_WRONLY, O_NONBLOCK, O_CREAT, O_APPEND, O_TRUNC, O_RDWR } = constants;

export function createProcesses(layout: Layout, cgroups: Cgroups): Processes {
  const alive = new Map<string, Socket>();

  function watch(ref: AttemptRef, pipe: number, onEnd: (end: ProcessEnd) => void): void {
    const folder = layout.attempt(ref);
    const socket = new Socket({ fd: pipe, readable: true, writable: false });
    alive.set(folder, socket);
    socket.resume().on('error', () => {});
    socket.on('close', () => {
      if (!alive.delete(folder)) return;
      cgroups.kill(ref.podUid, groupOf(ref));
      onEnd(readEnd(folder));
    });
  }

  return {
    start(spec, enter, onEnd) {
      const folder = layout.attempt(spec);
      const files = openFiles(folder, spec, cgroups.create(spec.podUid, groupOf(spec)));
      try {
        const guard = enter(() => spawnGuard(spec, files));
        if (guard !== undefined) cgroups.add(spec.podUid, 'guards', guard);
        watch(spec, files.aliveRead, onEnd);
      } catch (error) {
        closeSync(files.aliveRead);
        throw error;
      } finally {
        for (const fd of files.given) closeSync(fd);
      }
    },
    adopt(ref, onEnd) {
      const path = join(layout.attempt(ref), 'alive');
      const pipe = openSync(path, O_RDONLY | O_NONBLOCK);
      // Only after a writer has gone does a pipe tell that there is none; the guard may have gone long ago.
      closeSync(openSync(path, O_WRONLY | O_NONBLOCK));
      watch(ref, pipe, onEnd);
    },
    async signal(ref, signal) {
      const pid = await knownPid(() => (alive.has(layout.attempt(ref)) ? mainPid(layout.attempt(ref)) : 0));
      if (pid !== undefined) trySignal(pid, signal);
    },
    async kill(ref) {
      if (cgroups.kill(ref.podUid, groupOf(ref))) return;
      const pid = await knownPid(() => (alive.has(layout.attempt(ref)) ? mainPid(layout.attempt(ref)) : 0));
      if (pid === undefined) return;
      killStrays({ session: pid });
      trySignal(pid, 'SIGKILL');
    },
    pidOf: (ref) => (alive.has(layout.attempt(ref)) ? mainPid(layout.attempt(ref)) : undefined),
    close() {
      const sockets = [...alive.values()];
      alive.clear();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function groupOf({ container, attempt }: AttemptRef): string {
  return `${container}-${attempt}`;
}

interface Files {
  /** Descriptors 0 to 6 (and 9) of the guard, in the order of `spawn`. */
  readonly stdio: readonly ('ignore' | number)[];
  /** To be closed once the guard has them. */
  readonly given: readonly number[];
  readonly aliveRead: number;
}

/** Makes the attempt's folder and everything the guard writes to. */
function openFiles(folder: string, spec: ProcessSpec, procs: string | undefined): Files {
  mkdirSync(folder, { recursive: true });
  makeFifo(join(folder, 'alive'));
  const aliveRead = openSync(join(folder, 'alive'), O_RDONLY | O_NONBLOCK);
  const append = (name: string) => openSync(join(folder, name), O_WRONLY | O_CREAT | O_APPEND, 0o600);
  const fresh = (name: string) => openSync(join(folder, name), O_WRONLY | O_CREAT | O_TRUNC, 0o600);
  const outputs = [
    append('out'),
    append('err'),
    openSync(join(folder, 'alive'), O_WRONLY | O_NONBLOCK),
    fresh('exit'),
    fresh('pid'),
    openSync(procs ?? '/dev/null', O_WRONLY),
  ];
  if (!spec.hasStdin) return { stdio: ['ignore', ...outputs], given: outputs, aliveRead };
  makeFifo(join(folder, 'stdin'));
  const both = openSync(join(folder, 'stdin'), O_RDWR);
  const read = openSync(join(folder, 'stdin'), O_RDONLY);
  const stdio = [read, ...outputs, 'ignore', 'ignore', both] as const;
  return { stdio, given: [read, both, ...outputs], aliveRead };
}

/** Starts the guard; its process id. Must be synchronous: it runs while the thread is elsewhere. */
function spawnGuard(spec: ProcessSpec, files: Files): number | undefined {
  const wrapped = wrapCommand(spec.argv, spec.user, spec.env);
  const line = wrapped.map(shellQuote).join(' ');
  const command = spec.hasTerminal ? ['script', '-qefc', `exec ${line}`, '/dev/null'] : wrapped;
  const keep = spec.hasStdin ? { FAIRLEAD_KEEP_STDIN: '1' } : {};
  const child = spawn('/bin/sh', ['-c', shimScript, 'fairlead-guard', ...command], {
    cwd: spec.workingDir,
    env: { ...shellEnv(spec.env), ...keep },
    stdio: [...files.stdio],
    detached: true,
  });
  child.on('error', () => {});
  child.unref();
  return child.pid;
}

/** How a process ended, from what its guard wrote. */
function readEnd(folder: string): ProcessEnd {
  const path = join(folder, 'exit');
  const text = readText(path).trim();
  if (!/^\d+$/.test(text)) return { code: undefined, finishedMs: Date.now() };
  return { code: Number(text), finishedMs: Math.floor(statSync(path).mtimeMs) };
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** The main process; undefined in the first moments. A line that ends with a blank is a helper's. */
function mainPid(folder: string): number | undefined {
  const line = readText(join(folder, 'pid'))
    .split('\n')
    .find((each) => /^\d+$/.test(each));
  return line === undefined ? undefined : Number(line);
}

/** The process that holds a container's standard input open. */
export function stdinKeeper(folder: string): number | undefined {
  const found = /^(\d+) $/m.exec(readText(join(folder, 'pid')));
  return found?.[1] === undefined ? undefined : Number(found[1]);
}

/** Waits for a process id that its guard is about to write; 0 means it has ended. */
async function knownPid(read: () => number | undefined): Promise<number | undefined> {
  for (let waited = 0; waited < 2000; waited += 2) {
    const pid = read();
    if (pid !== undefined) return pid === 0 ? undefined : pid;
    await delay(2);
  }
  return undefined;
}

/** To the process group, which the main process leads, and to the process should it have left the group. */
function trySignal(pid: number, signal: NodeJS.Signals): void {
  for (const target of [-pid, pid]) {
    try {
      process.kill(target, signal);
      return;
    } catch {
      // Ended, or not the leader of a group.
    }
  }
}
