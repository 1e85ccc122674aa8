import type { Service } from '../api/core/service.ts';
import { UsageError } from './command-error.ts';
import { defineCommand } from './command.ts';
import type { CommandContext } from './command.ts';
import { connect, connectionOptions, namespaceOption } from './connection.ts';
import type { Connection } from './connection.ts';
import { dataOption } from './data-folder.ts';
import { exitCodes } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';
import type { PodObject } from './objects/pods-of.ts';
import { listObjects, readObject } from './objects/read.ts';
import { findResourceType, loadResourceTypes } from './objects/resource-types.ts';
import type { AnyObject } from './objects/rest.ts';
import { palette } from './palette.ts';
import { isRunning } from './run-file.ts';
import type { RunFile } from './run-file.ts';
import { findRunFile } from './running.ts';
import { decide, findNode } from './trace/decide.ts';
import type { Reader } from './trace/decide.ts';
import { podAddress, readEndpoint, serviceEndpoint } from './trace/endpoint.ts';
import type { EndpointWords, FoundEndpoint } from './trace/endpoint.ts';
import { formatTrace } from './trace/format.ts';

const options = {
  proto: { type: 'string', value: 'NAME', choices: ['tcp', 'udp', 'sctp'], default: 'tcp', summary: 'Protocol' },
  node: { type: 'string', value: 'NAME', summary: 'The node that decides (default: this machine, else the only one)' },
  output: { type: 'string', short: 'o', value: 'FORMAT', choices: ['json'], summary: 'How to print' },
  ...namespaceOption,
  ...dataOption,
  ...connectionOptions,
} as const;

type TraceContext = CommandContext<typeof options>;

const protocols = { tcp: 'TCP', udp: 'UDP', sctp: 'SCTP' } as const;

/** `fairlead trace`. */
export const command = defineCommand({
  name: 'trace',
  summary: 'Explain where a connection would go, and why',
  usage: ['trace [FROM] TO [flags]'],
  description:
    'FROM is pod/NAME or an address; without it, a process of this machine. TO is NAME:PORT, NAME.NAMESPACE:PORT,\n' +
    'svc/NAME:PORT, pod/NAME:PORT or ADDRESS:PORT. Nothing is sent: it is the decision that the node makes, and as root\n' +
    'it is compared with what is in the kernel. The exit code is 1 when the connection would be refused or ignored.',
  options,
  examples: [
    { command: 'fairlead trace hello:80', does: 'From this machine to the Service hello' },
    { command: 'fairlead trace pod/frontend-7d9f svc/backend:8000', does: 'From a Pod to a Service' },
    { command: 'fairlead trace 10.244.0.5 10.96.0.10:53 --proto udp', does: 'By address' },
  ],
  run,
});

async function run(context: TraceContext): Promise<ExitCode> {
  const { args, options, stdout } = context;
  const to = args.at(-1);
  if (to === undefined || args.length > 2)
    throw new UsageError('say where to: trace [FROM] TO, for example: trace hello:80');
  const [fromWords, toWords] = [args.length === 2 ? readEndpoint(args[0] ?? '') : undefined, readEndpoint(to)];
  await using connection = await connect(context);
  const reader = await readerOf(connection, context.signal);
  const running = runningOf(context);
  const destination = await findDestination(reader, toWords, connection.namespace, protocols[options.proto]);
  const source = fromWords && (await findSource(reader, fromWords, connection.namespace));
  const node = await findNode(reader, options.node ?? running?.nodeName);
  const { trace, kernel } = await decide(reader, node, running, source?.address, destination, context.uid);
  const from = source?.label ?? 'this machine';
  const heading = `${from} → ${destination.label} ${destination.address}:${destination.port}/${destination.protocol}`;
  if (options.output === 'json') {
    const { caller, steps, outcome } = trace;
    const report = {
      source: source?.address ?? null,
      destination,
      caller,
      steps: kernel ? [...steps, kernel] : steps,
      outcome,
    };
    stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
  } else stdout.write(formatTrace(heading, trace, kernel, palette(stdout, context.env)));
  return trace.outcome.kind === 'refused' || trace.outcome.kind === 'ignored' ? exitCodes.failure : exitCodes.ok;
}

/** The Fairlead of this machine, as long as the question is about its node. */
function runningOf(context: TraceContext): RunFile | undefined {
  const found = findRunFile(context.options, context);
  if (found === undefined || !isRunning(found)) return undefined;
  return context.options.node === undefined || context.options.node === found.nodeName ? found : undefined;
}

async function readerOf({ transport }: Connection, signal: AbortSignal): Promise<Reader> {
  const types = await loadResourceTypes(transport, signal);
  return {
    get: (word, name, namespace) => readObject(transport, findResourceType(types, word), name, namespace, signal),
    list: async <T extends AnyObject>(word: string) =>
      (await listObjects<T>(transport, { type: findResourceType(types, word), namespace: undefined }, signal)).items,
  };
}

async function findDestination(
  reader: Reader,
  words: EndpointWords,
  namespace: string,
  protocol: FoundEndpoint['protocol'],
): Promise<FoundEndpoint> {
  if (words.kind === 'service') {
    const service = await reader.get<AnyObject & Service>('services', words.name, words.namespace ?? namespace);
    return serviceEndpoint(service, words.port, protocol);
  }
  const { address, label } = await findSource(reader, words, namespace);
  if (!/^\d+$/.test(words.port ?? '')) throw new UsageError(`${label} needs a port: ${label}:80`);
  return { address, label, port: Number(words.port), protocol };
}

async function findSource(
  reader: Reader,
  words: EndpointWords,
  namespace: string,
): Promise<{ readonly address: string; readonly label: string }> {
  if (words.kind === 'address') return { address: words.address, label: words.address };
  if (words.kind === 'service')
    throw new UsageError('connections come from Pods and addresses: FROM is pod/NAME or ADDRESS');
  const where = words.namespace ?? namespace;
  const pod = await reader.get<PodObject>('pods', words.name, where);
  return { address: podAddress(pod), label: `pod ${where}/${words.name}` };
}
