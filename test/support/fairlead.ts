import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { finish, succeed } from './commands.ts';
import type { Finished, RunOptions } from './commands.ts';
import { waitFor } from './wait.ts';

export const repository = resolve(import.meta.dirname, '../..');
export const launcher = join(repository, 'fairlead');

export interface UpOptions {
  /** Keeps an existing data folder (a second start); a new one is made otherwise. */
  readonly dataDir?: string;
  readonly flags?: readonly string[];
  /** Put before the command: `setpriv …` for another user. */
  readonly prefix?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A running `fairlead up` as a user has it, in the test's own network namespace. */
export interface System extends AsyncDisposable {
  readonly dataDir: string;
  readonly kubeconfig: string;
  readonly process: ChildProcess;
  /** All that `up` has printed so far. */
  output(): string;
  /** Runs another `fairlead` command against this system. */
  fairlead(args: readonly string[], options?: RunOptions): Promise<Finished>;
  /** Like `fairlead`, but has to succeed; returns stdout. */
  run(args: readonly string[], options?: RunOptions): Promise<string>;
  /** Runs kubectl (or another version of it) against this system; has to succeed; returns stdout. */
  kubectl(args: readonly string[], options?: RunOptions & { readonly binary?: string }): Promise<string>;
  /** `kill -9` of the whole of Fairlead. */
  crash(): Promise<void>;
  /** Ctrl-C, and waits for the end. Returns the exit code. */
  stop(): Promise<number>;
}

/** Starts `./fairlead up` and waits for its ready screen. */
export async function up(options: UpOptions = {}): Promise<System> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'fairlead-test-'));
  const [command = launcher, ...args] = [
    ...(options.prefix ?? []),
    launcher,
    'up',
    '--data',
    dataDir,
    ...(options.flags ?? []),
  ];
  const child = spawn(command, args, {
    cwd: tmpdir(),
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  child.stdout.on('data', (chunk) => (printed += String(chunk)));
  child.stderr.on('data', (chunk) => (printed += String(chunk)));
  const ended = new Promise<number>((done) => child.once('close', (code) => done(code ?? -1)));
  const kubeconfig = join(dataDir, 'kubeconfig');
  await waitFor(
    () => {
      if (child.exitCode !== null) throw new Error(`fairlead up ended with ${child.exitCode}:\n${printed}`);
      return printed.includes('export KUBECONFIG=');
    },
    { what: `the ready screen of fairlead up`, timeoutMs: 60_000 },
  ).catch((error: unknown) => {
    child.kill('SIGKILL');
    throw new Error(`${String(error)}\n${printed}`, { cause: error });
  });
  const stop = async (): Promise<number> => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGINT');
    return ended;
  };
  const environment = (options: RunOptions): RunOptions => ({
    ...options,
    env: { KUBECONFIG: kubeconfig, HOME: dataDir, ...options.env },
  });
  return {
    dataDir,
    kubeconfig,
    process: child,
    output: () => printed,
    fairlead: (args, options = {}) => finish(launcher, args, environment(options)),
    run: (args, options = {}) => succeed(launcher, args, environment(options)),
    kubectl: (args, options = {}) => succeed(options.binary ?? 'kubectl', args, environment(options)),
    crash: async () => {
      child.kill('SIGKILL');
      await ended;
    },
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop();
      if (existsSync(dataDir)) {
        await finish(launcher, ['down', '--data', dataDir]);
        rmSync(dataDir, { recursive: true, force: true });
      }
    },
  };
}

/** The run file of a system: what `up` wrote for other commands. */
export function runFile(system: System): Record<string, unknown> {
  return JSON.parse(readFileSync(join(system.dataDir, 'run.json'), 'utf8')) as Record<string, unknown>;
}
