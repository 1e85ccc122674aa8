import { existsSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { cleanUp } from '../agent/clean-up.ts';
import { removePlanes } from '../proxy/open-plane.ts';
import { CommandError } from './command-error.ts';
import { defineCommand } from './command.ts';
import type { CommandContext } from './command.ts';
import { dataOption, defaultDataFolder, removeDataFolder } from './data-folder.ts';
import { exitCodes } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';
import { isRunning, readRunFile, removeRunFile } from './run-file.ts';
import type { RunFile } from './run-file.ts';

const options = {
  ...dataOption,
  timeout: {
    type: 'duration',
    value: 'TIME',
    default: 60_000,
    summary: 'How long to wait for a running system to end (default: 60s)',
  },
} as const;

type DownContext = CommandContext<typeof options>;

/** `fairlead down`. */
export const command = defineCommand({
  name: 'down',
  summary: 'End what `fairlead up` started, and take everything away',
  usage: ['down [flags]'],
  description: `Works on a running system, and after a crash on what it left: processes, network namespaces, links, routes, rules,
mounts and files. The objects in a folder that was named with --data are kept.`,
  options,
  examples: [{ command: 'fairlead down', does: 'End it and clean up' }],
  run,
});

async function run(context: DownContext): Promise<ExitCode> {
  const dataDir =
    context.options.data === undefined ? defaultDataFolder(context) : resolve(context.cwd, context.options.data);
  const run = readRunFile(dataDir);
  if (run !== undefined && isRunning(run)) await endRunning(context, run);
  const remains = existsSync(dataDir);
  if (remains) await takeAway(context, dataDir, run);
  context.stdout.write(run === undefined && !remains ? `Nothing runs in ${dataDir}.\n` : 'All gone.\n');
  return exitCodes.ok;
}

async function endRunning({ options, stdout, signal }: DownContext, run: RunFile): Promise<void> {
  stdout.write(`Ending Fairlead (process ${run.pid}) ...\n`);
  try {
    process.kill(run.pid, 'SIGTERM');
  } catch (cause) {
    throw new CommandError(`process ${run.pid} belongs to another user`, {
      code: exitCodes.forbidden,
      hint: 'run fairlead down as the user who started it',
      cause,
    });
  }
  const end = Date.now() + options.timeout;
  while (isRunning(run)) {
    if (Date.now() > end) {
      throw new CommandError(`process ${run.pid} has not ended within ${options.timeout / 1000} s`, {
        code: exitCodes.timeout,
        hint: `end it with kill -9 ${run.pid}, then run fairlead down again`,
      });
    }
    await delay(20, undefined, { signal });
  }
}

/** What a crashed system left; without a run file, what a start that never got ready left. */
async function takeAway(
  { options, uid, stdout }: DownContext,
  dataDir: string,
  run: RunFile | undefined,
): Promise<void> {
  const agentDir = join(dataDir, 'agent');
  if (existsSync(agentDir)) {
    const { pods } = await cleanUp(agentDir);
    if (pods > 0) stdout.write(`Ended ${pods} Pods that were left.\n`);
    if (uid === 0) await removePlanes();
  }
  for (const folder of ['proxy', 'dns']) rmSync(join(dataDir, folder), { recursive: true, force: true });
  removeRunFile(dataDir);
  if (!(run?.keepsData ?? options.data !== undefined)) removeDataFolder(dataDir);
}
