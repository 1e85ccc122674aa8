import { delimiter, dirname, resolve } from 'node:path';
import type { CommandIo } from './command.ts';
import { isErrno } from '../linux/errno.ts';
import { defaultDataFolder } from './data-folder.ts';
import { readRunFile } from './run-file.ts';
import type { RunFile } from './run-file.ts';

/** The flags that lead to a data folder. */
export interface RunningFlags {
  readonly data?: string | undefined;
  readonly kubeconfig?: string | undefined;
}

/**
 * What the `fairlead up` that these flags and this environment mean said of itself: the one of `--data`; else the one
 * whose kubeconfig is in use (--kubeconfig, $KUBECONFIG), as it lies in the data folder; else the one of the default
 * data folder; else root's. Undefined when there is none.
 */
export function findRunFile(flags: RunningFlags, io: Pick<CommandIo, 'env' | 'uid' | 'cwd'>): RunFile | undefined {
  if (flags.data !== undefined) return readRunFile(resolve(io.cwd, flags.data));
  for (const folder of candidates(flags, io)) {
    const found = readIfAllowed(folder);
    if (found !== undefined) return found;
  }
  return undefined;
}

function candidates({ kubeconfig }: RunningFlags, io: Pick<CommandIo, 'env' | 'uid' | 'cwd'>): readonly string[] {
  const files = kubeconfig === undefined ? (io.env['KUBECONFIG'] ?? '').split(delimiter) : [kubeconfig];
  const folders = files.filter((file) => file !== '').map((file) => dirname(resolve(io.cwd, file)));
  return [...folders, defaultDataFolder(io), '/var/lib/fairlead'];
}

function readIfAllowed(folder: string): RunFile | undefined {
  try {
    return readRunFile(folder);
  } catch (error) {
    if (isErrno(error, 'EACCES') || isErrno(error, 'ENOTDIR')) return undefined;
    throw error;
  }
}
