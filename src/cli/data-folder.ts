import { access } from 'node:fs/promises';
import { join } from 'node:path';
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
