import type { ChildProcess } from 'node:child_process';
import type { ProbeOutcome } from './outcome.ts';

const mostOutput = 10 * 1024;

/** What a command that ran to its end, or to its timeout, gave. */
export interface CommandResult {
  /** Undefined when it did not end in time. */
  readonly code: number | undefined;
  readonly output: string;
}

/** Waits for a started command (with piped output) for at most `timeoutMs`, then kills its process group. */
export function finishCommand(child: ChildProcess, timeoutMs: number | undefined): Promise<CommandResult> {
  let output = '';
  const collect = (chunk: Buffer) => {
    if (output.length < mostOutput) output += chunk.toString().slice(0, mostOutput - output.length);
  };
  child.stdout?.on('data', collect);
  child.stderr?.on('data', collect);
  return new Promise((resolve) => {
    const timer = timeoutMs === undefined ? undefined : setTimeout(() => giveUp(), timeoutMs);
    const finish = (result: CommandResult) => {
      clearTimeout(timer);
      resolve(result);
    };
    const giveUp = () => {
      killGroup(child);
      finish({ code: undefined, output });
    };
    child.once('error', (error) => finish({ code: 126, output: error.message }));
    child.once('exit', (code, signal) => {
      // Output may still be on its way; a program that handed it on to a child must not hold the probe up.
      setImmediate(() => finish({ code: code ?? (signal === null ? 1 : 137), output }));
    });
  });
}

/** SIGKILL to a command and what it started. */
export function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL');
  }
}

/** A command in the container passes when it exits with 0 in time. */
export async function probeExec(child: ChildProcess, command: string, timeoutMs: number): Promise<ProbeOutcome> {
  const { code, output } = await finishCommand(child, timeoutMs);
  if (code === undefined)
    return { isOk: false, output: `command timed out: "${command}" timed out after ${timeoutMs / 1000}s` };
  return { isOk: code === 0, output };
}
