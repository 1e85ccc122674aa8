import { resolve } from 'node:path';
import { UsageError } from './command-error.ts';
import { defineCommand } from './command.ts';
import type { CommandContext } from './command.ts';
import { readSettings } from './dns/settings-source.ts';
import { exitCodes } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';

const options = {
  corefile: { type: 'boolean', summary: 'FILE is a Corefile' },
} as const;

/** `fairlead dns check`. */
export const command = defineCommand({
  name: 'dns check',
  summary: 'Say whether settings of the DNS server can be used',
  usage: ['dns check FILE [flags]'],
  options,
  examples: [
    { command: 'fairlead dns check dns.yaml', does: 'Before a rollout' },
    { command: 'fairlead dns check --corefile Corefile', does: 'Of a Corefile' },
  ],
  run,
});

type CheckContext = CommandContext<typeof options>;

async function run(context: CheckContext): Promise<ExitCode> {
  const { args, cwd, env, stdout } = context;
  const [file, stray] = args;
  if (file === undefined || stray !== undefined) throw new UsageError('say which file: dns check dns.yaml');
  const format = context.options.corefile ? 'corefile' : 'settings';
  const { settings, notes } = readSettings({ path: resolve(cwd, file), format, environment: env });
  for (const note of notes) stdout.write(`${note}\n`);
  const zones = settings.servers.flatMap((server) => server.zones);
  stdout.write(`${file} can be used: ${settings.servers.length} servers for ${zones.join(', ')}\n`);
  return exitCodes.ok;
}
