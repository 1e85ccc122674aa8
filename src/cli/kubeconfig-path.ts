import { delimiter, join, resolve } from 'node:path';
import { CommandError } from './command-error.ts';
import type { CommandIo } from './command.ts';
import { defaultDataFolder, readability } from './data-folder.ts';
import { exitCodes } from './exit-codes.ts';

const howToStart = 'start a cluster with: fairlead up   (or name another one with --kubeconfig FILE)';

/**
 * The kubeconfig files to use: `--kubeconfig`, else $KUBECONFIG (a list is merged), else the one of the `fairlead up`
 * that runs with the default data folder, else ~/.kube/config. Throws `CommandError` when none can be read.
 */
export async function resolveKubeconfig(
  flag: string | undefined,
  io: Pick<CommandIo, 'env' | 'uid' | 'cwd'>,
): Promise<readonly string[]> {
  if (flag !== undefined) return [await mustRead(resolve(io.cwd, flag), '--kubeconfig')];
  const listed = (io.env['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '');
  if (listed.length > 0) return await readable(listed.map((path) => resolve(io.cwd, path)));
  const running = join(defaultDataFolder(io), 'kubeconfig');
  const users = join(io.env['HOME'] ?? '/', '.kube', 'config');
  for (const path of [running, users]) {
    if ((await readability(path)) === 'readable') return [path];
  }
  throw new CommandError(`no cluster to talk to: neither ${running} nor ${users} can be read`, {
    code: exitCodes.notReachable,
    hint: await hintFor(io.uid),
  });
}

async function hintFor(uid: number): Promise<string> {
  if (uid === 0 || (await readability('/var/lib/fairlead/kubeconfig')) === 'missing') return howToStart;
  return 'a Fairlead runs as root here: use sudo, or have root give you a copy of /var/lib/fairlead/kubeconfig';
}

async function mustRead(path: string, source: string): Promise<string> {
  const state = await readability(path);
  if (state === 'readable') return path;
  const problem = state === 'denied' ? 'you may not read it' : 'there is no such file';
  throw new CommandError(`${path} (from ${source}): ${problem}`, { code: exitCodes.notFound });
}

async function readable(paths: readonly string[]): Promise<readonly string[]> {
  const states = await Promise.all(paths.map(readability));
  const found = paths.filter((_, i) => states[i] === 'readable');
  return found.length > 0 ? found : [await mustRead(paths[0] ?? '', '$KUBECONFIG')];
}
