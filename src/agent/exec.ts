import type { ChildProcess } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { constants as osConstants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { ReadStream as TerminalStream } from 'node:tty';
import { openTerminal, resizeTerminal } from '../linux/terminal.ts';
import { killGroup } from './probes/exec.ts';
import type { ExecExit, RemoteStreams, TerminalSize } from './server/backend.ts';
import type { ContainerRunner } from './worker/container-runner.ts';

/** How long output may be silent after the command's end while something it left behind still holds it open. */
const lastOutputMs = 500;

/** How long a client may take to say how large its terminal is. */
const firstSizeMs = 100;

/** Runs a command in a container with a client's streams; resolves when it has ended and its output is written. */
export function runCommand(
  runner: ContainerRunner,
  command: readonly string[],
  streams: RemoteStreams,
): Promise<ExecExit> {
  return streams.tty ? runInTerminal(runner, command, streams) : runWithPipes(runner, command, streams);
}

async function runWithPipes(
  runner: ContainerRunner,
  command: readonly string[],
  streams: RemoteStreams,
): Promise<ExecExit> {
  const child = runner.exec(command, [streams.stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'], false);
  const outputs = [forward(child.stdout, streams.stdout), forward(child.stderr, streams.stderr)];
  if (streams.stdin !== undefined && child.stdin !== null) {
    streams.stdin.pipe(child.stdin).on('error', () => {});
    streams.stdin.on('error', () => {});
  }
  const abandon = endWithClient(child, streams.signal);
  const exit = await exitOf(child);
  await Promise.all(outputs.map((each) => each.finished()));
  abandon();
  return exit;
}

interface Forwarded {
  /** Resolves when everything is written; gives up on output that stays open and silent. */
  finished(): Promise<void>;
}

function forward(source: Readable | null, target: Writable | undefined): Forwarded {
  if (source === null) return { finished: async () => {} };
  const closed = new Promise<void>((resolve) => source.once('close', resolve));
  source.on('error', () => {});
  if (target === undefined) source.resume();
  else source.pipe(target, { end: false }).on('error', () => source.resume());
  return {
    async finished() {
      let timer: NodeJS.Timeout | undefined;
      const silent = new Promise<void>((resolve) => {
        const again = () => {
          clearTimeout(timer);
          timer = setTimeout(resolve, lastOutputMs);
        };
        again();
        source.on('data', again);
      });
      await Promise.race([closed, silent]);
      clearTimeout(timer);
      source.destroy();
    },
  };
}

async function runInTerminal(
  runner: ContainerRunner,
  command: readonly string[],
  streams: RemoteStreams,
): Promise<ExecExit> {
  const { fd, path } = openTerminal();
  const screen = new TerminalStream(fd);
  const closed = new Promise<void>((resolve) => screen.once('close', resolve));
  // EIO says that the last program has left the terminal.
  screen.on('error', () => {});
  const sized = Promise.withResolvers<void>();
  void applyResizes(streams.resizes, ({ width, height }) => {
    if (!screen.destroyed) resizeTerminal(fd, width, height);
    sized.resolve();
  });
  // Programs ask for the size when they start; clients send it right after they have connected.
  await Promise.race([sized.promise, delay(firstSizeMs)]);
  let child: ChildProcess;
  const inner = openSync(path, constants.O_RDWR | constants.O_NOCTTY);
  try {
    child = runner.exec(command, [inner, inner, inner], true);
  } catch (error) {
    screen.destroy();
    throw error;
  } finally {
    closeSync(inner);
  }
  if (streams.stdout === undefined) screen.resume();
  else screen.pipe(streams.stdout, { end: false });
  streams.stdin?.on('data', (bytes: Buffer) => screen.write(bytes));
  const abandon = endWithClient(child, streams.signal);
  const exit = await exitOf(child);
  await Promise.race([closed, delay(lastOutputMs)]);
  abandon();
  screen.destroy();
  return exit;
}

/** Follows the client's window until the session ends. */
export async function applyResizes(
  resizes: AsyncIterable<TerminalSize>,
  apply: (size: TerminalSize) => void,
): Promise<void> {
  for await (const size of resizes) {
    try {
      apply(size);
    } catch {
      // The terminal is gone; the session is about to end.
    }
  }
}

/** Ends the command when the client goes away; returns what calls this off. */
function endWithClient(child: ChildProcess, signal: AbortSignal): () => void {
  const end = () => killGroup(child);
  if (signal.aborted) end();
  signal.addEventListener('abort', end, { once: true });
  return () => signal.removeEventListener('abort', end);
}

function exitOf(child: ChildProcess): Promise<ExecExit> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      resolve({ exitCode: code ?? 128 + (signal === null ? 0 : osConstants.signals[signal]) });
    });
  });
}
