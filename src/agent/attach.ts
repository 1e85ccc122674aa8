import { closeSync, constants, openSync, readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { resizeTerminal } from '../linux/terminal.ts';
import { applyResizes } from './exec.ts';
import { stdinKeeper } from './runtime/processes.ts';
import type { RemoteStreams } from './server/backend.ts';
import type { ContainerRunner } from './worker/container-runner.ts';
import type { Surroundings } from './worker/surroundings.ts';

const { O_WRONLY, O_NONBLOCK, O_RDWR, O_NOCTTY } = constants;

/** Connects a client to the main process of a running container; resolves when the process or the client has gone. */
export async function attachTo(around: Surroundings, runner: ContainerRunner, streams: RemoteStreams): Promise<void> {
  const folder = around.layout.attempt(runner.attempt);
  const stop = runner.collector?.onOutput((stream, bytes) => {
    (stream === 'stderr' ? (streams.stderr ?? streams.stdout) : streams.stdout)?.write(bytes);
  });
  const closeInput = sendInput(folder, runner, streams);
  const pid = around.runtime.pidOf(runner.attempt);
  if (streams.tty && pid !== undefined) {
    void applyResizes(streams.resizes, ({ width, height }) => resizeOf(pid, width, height));
  }
  await Promise.race([ended(runner), gone(streams.signal)]);
  stop?.();
  closeInput();
}

/** Sends the client's input to the container, when both have one. */
function sendInput(folder: string, runner: ContainerRunner, { stdin }: RemoteStreams): () => void {
  if (stdin === undefined || !runner.hasStdin) return () => {};
  const pipe = new Socket({ fd: openSync(join(folder, 'stdin'), O_WRONLY | O_NONBLOCK), readable: false });
  pipe.on('error', () => {});
  stdin.on('error', () => {});
  stdin.pipe(pipe, { end: false });
  // With `stdinOnce` the first client's end is the end of input: nobody holds the pipe open any more.
  stdin.once('end', () => {
    pipe.end();
    const keeper = runner.closesStdin ? stdinKeeper(folder) : undefined;
    if (keeper !== undefined) pipe.once('close', () => endKeeper(keeper));
  });
  return () => void pipe.destroy();
}

function endKeeper(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended with the container.
  }
}

async function ended(runner: ContainerRunner): Promise<void> {
  const { growth } = runner;
  while (!growth.isOver) await growth.changed();
}

function gone(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Sets the window of the terminal that `script` has opened for a container: its child's standard input. */
function resizeOf(pid: number, width: number, height: number): void {
  const child = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0];
  const fd = openSync(`/proc/${child}/fd/0`, O_RDWR | O_NOCTTY);
  try {
    resizeTerminal(fd, width, height);
  } finally {
    closeSync(fd);
  }
}
