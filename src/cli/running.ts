import { defaultDataFolder } from './data-folder.ts';
import type { CommandIo } from './command.ts';
import { isErrno } from '../linux/errno.ts';
import { readRunFile } from './run-file.ts';
import type { RunFile } from './run-file.ts';

/**
 * What the `fairlead up` of a data folder said of itself: of `--data`, else of the default folder, else of root's, which
 * everyone may look at. Undefined when there is none.
 */
export function findRunFile(data: string | undefined, io: Pick<CommandIo, 'env' | 'uid'>): RunFile | undefined {
  if (data !== undefined) return readRunFile(data);
  return readRunFile(defaultDataFolder(io)) ?? readIfAllowed('/var/lib/fairlead');
}

function readIfAllowed(folder: string): RunFile | undefined {
  try {
    return readRunFile(folder);
  } catch (error) {
    if (isErrno(error, 'EACCES')) return undefined;
    throw error;
  }
}
