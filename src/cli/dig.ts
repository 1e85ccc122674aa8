import type { SocketAddress } from '../dns/config.ts';
import type { DigResult } from '../dns/dig.ts';
import { CommandError, UsageError } from './command-error.ts';
import { defineCommand } from './command.ts';
import type { CommandContext } from './command.ts';
import { connect, connectionOptions, namespaceOption } from './connection.ts';
import { dataOption } from './data-folder.ts';
import { candidateNames } from './dig/candidates.ts';
import { searchDomains } from './exec/resolver-files.ts';
import { exitCodes } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';
import { isRunning } from './run-file.ts';
import type { RunFile } from './run-file.ts';
import { findRunFile } from './running.ts';

const options = {
  short: { type: 'boolean', summary: 'Only the data of the answer, one per line' },
  explain: { type: 'boolean', summary: 'Say which object each answer comes from' },
  server: {
    type: 'string',
    value: 'ADDRESS[:PORT]',
    summary: 'Which DNS server (default: that of the running fairlead up)',
  },
  tcp: { type: 'boolean', summary: 'Ask over TCP' },
  exact: { type: 'boolean', summary: 'Ask for the name as it stands, without search domains' },
  timeout: { type: 'duration', value: 'TIME', default: 5000, summary: 'How long to wait for an answer' },
  ...namespaceOption,
  ...dataOption,
  ...connectionOptions,
} as const;

type DigContext = CommandContext<typeof options>;

interface Asked {
  readonly result: DigResult;
  readonly name: string;
  /** Names that were asked for before, without an answer. */
  readonly before: readonly string[];
}

/** `fairlead dig`. */
export const command = defineCommand({
  name: 'dig',
  summary: 'Ask the cluster DNS for a name, as a Pod would',
  usage: ['dig NAME [TYPE] [flags]', 'dig ADDRESS [flags]'],
  description:
    'A short name is completed as in a Pod of the namespace. The exit code is 0 when there is an answer, 3 when the name\n' +
    'or the type does not exist, 4 when no server answers.',
  options,
  examples: [
    { command: 'fairlead dig hello', does: 'The address of a Service' },
    { command: 'fairlead dig _http._tcp.hello SRV --explain', does: 'Ports and targets, and where they come from' },
    { command: 'fairlead dig 10.96.0.10 --short', does: 'Whose address is this?' },
  ],
  run,
});

async function run(context: DigContext): Promise<ExitCode> {
  const { args, options, stdout } = context;
  const [name, type, ...more] = args;
  if (name === undefined || more.length > 0)
    throw new UsageError('give a name, and a type if it is not A: dig hello SRV');
  const running = findRunFile(options, context);
  const server = options.server === undefined ? serverOf(running) : readServer(options.server);
  const domain = running?.clusterDomain ?? 'cluster.local';
  const search = options.exact ? [] : searchDomains(options.namespace ?? 'default', domain);
  const asked = await ask(context, candidateNames(name, search), type, server);
  const { formatDig } = await import('../dns/dig.ts');
  if (options.short) for (const line of await shortLines(asked.result)) stdout.write(`${line}\n`);
  else {
    for (const other of asked.before) stdout.write(`;; ${other} has no answer\n`);
    for (const line of formatDig(asked.result, server)) stdout.write(`${line}\n`);
  }
  if (options.explain) await explain(context, asked, type, running);
  return asked.result.message.answers.length > 0 ? exitCodes.ok : exitCodes.notFound;
}

/** Asks for one name after the other until one has an answer; the last result counts when none has. */
async function ask(
  { options, signal }: DigContext,
  names: readonly string[],
  type: string | undefined,
  server: SocketAddress,
): Promise<Asked> {
  const { dig } = await import('../dns/dig.ts');
  const before: string[] = [];
  for (const name of names) {
    const query = { name, type, server, tcp: options.tcp, timeoutMs: options.timeout, signal };
    const result = await dig(query).catch((cause: unknown) => {
      throw cause instanceof RangeError ? new UsageError(cause.message) : noAnswer(server, cause, signal);
    });
    if (result.message.answers.length > 0 || name === names.at(-1)) return { result, name, before };
    before.push(name);
  }
  throw new UsageError('no name to ask for');
}

function noAnswer({ address, port }: SocketAddress, cause: unknown, signal: AbortSignal): CommandError {
  if (signal.aborted) return new CommandError('interrupted', { code: exitCodes.interrupted, cause });
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new CommandError(`no answer from the DNS server ${address}:${port}: ${reason}`, {
    code: exitCodes.notReachable,
    hint: 'does it run? fairlead status',
    cause,
  });
}

function serverOf(running: RunFile | undefined): SocketAddress {
  if (running === undefined || !isRunning(running)) {
    throw new CommandError('no Fairlead runs on this machine', {
      code: exitCodes.notReachable,
      hint: 'start it with: fairlead up   (or name a DNS server with --server ADDRESS)',
    });
  }
  return readServer(running.dns.hostAddress);
}

/** `10.96.0.10`, `127.0.0.1:10053`, `[fd00::1]:53`. */
function readServer(text: string): SocketAddress {
  const parts = /^(?:\[([^\]]+)\]|([^:]+)|([0-9a-fA-F:]+:[0-9a-fA-F:]*))(?::(\d{1,5}))?$/.exec(text);
  const address = parts?.[1] ?? parts?.[2] ?? parts?.[3];
  if (address === undefined) throw new UsageError(`"${text}" is not ADDRESS or ADDRESS:PORT`);
  return { address, port: Number(parts?.[4] ?? 53) };
}

/** The data of the records that answer; aliases on the way included, as with dig. */
async function shortLines({ message }: DigResult): Promise<readonly string[]> {
  const { formatRdata } = await import('../dns/presentation.ts');
  return message.answers.map(formatRdata);
}

async function explain(
  context: DigContext,
  { name }: Asked,
  type: string | undefined,
  running: RunFile | undefined,
): Promise<void> {
  const { explainName } = await import('./dig/explain-name.ts');
  await using connection = await connect(context);
  const network = running?.network;
  const config = {
    clusterDomain: running?.clusterDomain ?? 'cluster.local',
    cidrs: network === undefined ? [] : [network.podCidr, network.serviceCidr],
    namespace: context.options.namespace ?? 'default',
  };
  for (const line of await explainName(connection, config, { name, type }, context.signal)) {
    context.stdout.write(context.options.short ? `${line}\n` : `;; ${line}\n`);
  }
}
