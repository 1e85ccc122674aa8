import { readFile } from 'node:fs/promises';
import { defineCommand } from './command.ts';
import type { CommandContext } from './command.ts';
import { connect, connectionOptions } from './connection.ts';
import { exitCodes } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';
import { requestJson } from './objects/rest.ts';

const options = {
  client: { type: 'boolean', summary: 'Only of this program; ask no server' },
  output: { type: 'string', short: 'o', value: 'FORMAT', choices: ['json'], summary: 'How to print' },
  ...connectionOptions,
} as const;

/** `fairlead version`. */
export const command = defineCommand({
  name: 'version',
  summary: 'Show the versions of this program and of the API server',
  usage: ['version [flags]'],
  options,
  examples: [{ command: 'fairlead version --client', does: 'Of this program alone' }],
  run,
});

async function run(context: CommandContext<typeof options>): Promise<ExitCode> {
  const client = { fairlead: await fairleadVersion(), node: process.version };
  const server = context.options.client ? undefined : await serverVersion(context);
  if (context.options.output === 'json') {
    context.stdout.write(`${JSON.stringify({ client, server: server ?? null }, undefined, 2)}\n`);
    return exitCodes.ok;
  }
  context.stdout.write(`fairlead   ${client.fairlead} (Node ${client.node})\n`);
  if (!context.options.client) context.stdout.write(`server     ${server ?? 'none found (start one: fairlead up)'}\n`);
  return exitCodes.ok;
}

/** The version in `package.json`. */
export async function fairleadVersion(): Promise<string> {
  const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
  return JSON.parse(text).version;
}

/** `v1.36.0`; undefined when there is no server: that is an answer, too. */
async function serverVersion(context: CommandContext<typeof options>): Promise<string | undefined> {
  try {
    await using connection = await connect(context);
    const request = { method: 'GET', path: '/version', signal: context.signal } as const;
    return (await requestJson<{ gitVersion: string }>(connection.transport, request)).gitVersion;
  } catch {
    return undefined;
  }
}
