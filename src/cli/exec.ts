import { objectPath } from '../client/paths.ts';
import { CommandError, UsageError } from './command-error.ts';
import { defineCommand } from './command.ts';
import type { CommandContext } from './command.ts';
import { connect, connectionOptions, namespaceOption } from './connection.ts';
import { dataOption } from './data-folder.ts';
import { clusterFiles } from './exec/cluster-files.ts';
import { exitCodes } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';
import { containerOf, podsOf } from './objects/pods-of.ts';
import { findResourceType, loadResourceTypes } from './objects/resource-types.ts';

const options = {
  container: { type: 'string', short: 'c', value: 'NAME', summary: 'Which container (default: the first)' },
  stdin: { type: 'boolean', short: 'i', summary: 'Connect our input' },
  tty: { type: 'boolean', short: 't', summary: 'Give it a terminal' },
  ...namespaceOption,
  ...dataOption,
  ...connectionOptions,
} as const;

type ExecContext = CommandContext<typeof options>;

/** `fairlead exec`. */
export const command = defineCommand({
  name: 'exec',
  summary: 'Run a program in a Pod, or on this machine with the DNS of the cluster',
  usage: ['exec POD [flags] -- PROGRAM [ARG…]', 'exec -- PROGRAM [ARG…]'],
  description:
    'Without a Pod, PROGRAM is one of this machine, run as you in your folder; it only sees another /etc/resolv.conf\n' +
    '(and hosts line of nsswitch.conf), in a mount namespace of its own. The files of this machine do not change.\n' +
    'The exit code is that of PROGRAM.',
  options,
  examples: [
    { command: 'fairlead exec -- curl http://hello', does: 'Call a Service from this machine' },
    { command: 'fairlead exec -n shop -- getent hosts cart', does: 'As a Pod of the namespace shop would see it' },
    { command: 'fairlead exec -it hello-7d9f -- sh', does: 'A shell in a Pod' },
  ],
  run,
});

async function run(context: ExecContext): Promise<ExitCode> {
  const { args, rest } = context;
  if (rest === undefined || rest.length === 0)
    throw new UsageError('say what to run after --', 'fairlead exec POD -- ls /');
  if (args.length > 1) throw new UsageError(`one Pod at a time, and the program after --: ${args.join(' ')}`);
  return args.length === 0 ? await runHere(context, rest) : await runInPod(context, rest);
}

async function runHere(context: ExecContext, program: readonly string[]): Promise<ExitCode> {
  if (process.platform !== 'linux') {
    throw new CommandError('exec without a Pod needs the mount namespaces of Linux', {
      code: exitCodes.unsupported,
      hint: 'ask the cluster DNS with: fairlead dig NAME',
    });
  }
  const files = await clusterFiles(context);
  const { runWithFiles } = await import('./exec/host-command.ts');
  return await runWithFiles(program, files, context);
}

async function runInPod(context: ExecContext, program: readonly string[]): Promise<ExitCode> {
  const { options, args, signal, stdout, stderr } = context;
  await using connection = await connect(context);
  const { transport, namespace, credentials } = connection;
  const types = await loadResourceTypes(transport, signal);
  const [pod] = await podsOf({ transport, types, namespace, signal }, args);
  const container = containerOf(pod, options.container);
  const input = options.stdin ? context.stdin() : undefined;
  const terminal = options.tty && input?.isTTY === true;
  if (options.tty && !terminal) stderr.write('note: no terminal is given, as the input is none\n');
  const query = new URLSearchParams({ container, stdout: 'true', stderr: String(!terminal) });
  query.set('stdin', String(input !== undefined));
  query.set('tty', String(terminal));
  for (const word of program) query.append('command', word);
  const { runPodSession } = await import('./exec/pod-session.ts');
  const podPath = objectPath(findResourceType(types, 'pods'), pod.metadata.name ?? '', namespace, 'exec');
  return await runPodSession({
    credentials,
    path: `${podPath}?${query}`,
    stdin: input,
    stdout,
    stderr,
    terminal,
    signal,
  });
}
