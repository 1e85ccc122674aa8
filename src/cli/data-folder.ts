import { existsSync, mkdirSync, readdirSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { access } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isErrno } from '../linux/errno.ts';
import { CommandError } from './command-error.ts';
import { exitCodes } from './exit-codes.ts';
import type { CommandIo, OptionTable } from './command.ts';

/** `--data DIR`, for every command that works on a data folder. */
export const dataOption = {
  data: {
    type: 'string',
    value: 'DIR',
    summary: 'Data folder (default: /var/lib/fairlead as root, else ~/.local/state/fairlead)',
  },
} as const satisfies OptionTable;

/** Where `fairlead up` keeps its state unless `--data` says otherwise. */
export function defaultDataFolder({ env, uid }: Pick<CommandIo, 'env' | 'uid'>): string {
  if (uid === 0) return '/var/lib/fairlead';
  return join(env['XDG_STATE_HOME'] || join(env['HOME'] ?? '/', '.local', 'state'), 'fairlead');
}

/** Whether a path can be read by this user, is there for others only (`denied`), or is missing. */
export async function readability(path: string): Promise<'readable' | 'denied' | 'missing'> {
  try {
    await access(path, 4);
    return 'readable';
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    return code === 'EACCES' || code === 'EPERM' ? 'denied' : 'missing';
  }
}

/**
 * Makes the folder and what is missing above it; without effect when it is there. Level by level, because Node's own
 * recursive form never ends where folders cannot be made (`/proc`). Throws `CommandError` with what is in the way.
 */
export function makeDataFolder(path: string, mode: number): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory()) return;
  if (found !== undefined) throw noFolder(path, 'it is a file');
  if (dirname(path) !== path) makeDataFolder(dirname(path), 0o755);
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return;
    throw noFolder(path, error instanceof Error ? error.message : String(error), error);
  }
}

/** Takes the folder away; of one that something is mounted on, what is in it. */
export function removeDataFolder(path: string): void {
  if (!existsSync(path)) return;
  for (const name of readdirSync(path)) rmSync(join(path, name), { recursive: true, force: true });
  try {
    rmdirSync(path);
  } catch (error) {
    if (!isErrno(error, 'EBUSY')) throw error;
  }
}

function noFolder(path: string, reason: string, cause?: unknown): CommandError {
  const hint = 'choose a folder of your own with --data DIR';
  return new CommandError(`cannot make the data folder ${path}: ${reason}`, {
    code: exitCodes.unsupported,
    hint,
    cause,
  });
}
