import type { Service } from '../api/core/service.ts';
import type { Trace, TraceQuestion } from '../proxy/trace.ts';
import { UsageError } from './command-error.ts';
import { defineCommand } from './command.ts';
import type { CommandContext } from './command.ts';
import { connect, connectionOptions, namespaceOption } from './connection.ts';
import { dataOption } from './data-folder.ts';
import { exitCodes } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';
import type { PodObject } from './objects/pods-of.ts';
import type { AnyObject } from './objects/rest.ts';
import { palette } from './palette.ts';
import type { Intent } from './proxy-view/intent.ts';
import { readPlaneInForce } from './proxy-view/plane-in-force.ts';
import { type Reader, readerOf } from './proxy-view/reader.ts';
import { isRunning } from './run-file.ts';
import { findRunFile } from './running.ts';
import { podAddress, readEndpoint, serviceEndpoint } from './trace/endpoint.ts';
import type { EndpointWords, FoundEndpoint } from './trace/endpoint.ts';
import { formatTrace, type ShownStep } from './trace/format.ts';
import { checkKernel } from './trace/kernel.ts';

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
    'svc/NAME:PORT, pod/NAME:PORT or ADDRESS:PORT. Nothing is sent: it is the decision that the node makes. As root it\n' +
    'is compared with what is in the kernel of this machine, and with what else there decides. The exit code is 1 when the\n' +
    'connection would be refused or ignored, or something is not as it should be.',
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
  const destination = await findDestination(reader, toWords, connection.namespace, protocols[options.proto]);
  const source = fromWords && (await findSource(reader, fromWords, connection.namespace));
  const { readIntent } = await import('./proxy-view/intent.ts');
  const intent = await readIntent(reader, options.node, runningNode(context));
  const question = { ...destination, destination: destination.address, source: source?.address };
  const { trace, steps } = await explain(intent, question, context.uid === 0);
  const from = source?.label ?? 'this machine';
  const label = destination.label === destination.address ? '' : `${destination.label} `;
  const heading = `${from} → ${label}${destination.address}:${destination.port}/${destination.protocol}`;
  const { caller, outcome } = trace;
  if (options.output === 'json') {
    const report = { source: source?.address ?? null, destination, node: intent.nodeName, caller, steps, outcome };
    stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
  } else stdout.write(formatTrace(heading, steps, outcome, palette(stdout, context.env)));
  const isServed = outcome.kind === 'forwarded' || outcome.kind === 'untouched';
  return isServed && !steps.some(({ isProblem }) => isProblem === true) ? exitCodes.ok : exitCodes.failure;
}

/** The decision, and where it is this machine's and may be looked at, what the kernel says to it. */
async function explain(
  intent: Intent,
  question: TraceQuestion,
  mayLook: boolean,
): Promise<{ readonly trace: Trace; readonly steps: readonly ShownStep[] }> {
  const { network, nodeAddresses, frontends } = intent;
  const { traceConnection } = await import('../proxy/trace.ts');
  const plane = intent.isHere && mayLook ? await readPlaneInForce() : undefined;
  const trace = traceConnection(
    { frontends, network, nodeAddresses, plane: plane?.name ?? intent.record?.plane },
    question,
  );
  if (plane === undefined || trace.frontend === undefined) return { trace, steps: trace.steps };
  const { readLiveFacts } = await import('../proxy/trace/live-facts.ts');
  const { step, difference } = checkKernel(trace.frontend, plane, intent.startingSlowly.has(trace.frontend.service));
  const kernel = { ...step, isProblem: difference !== undefined, ...(difference && { difference }) };
  return { trace, steps: [...trace.steps, kernel, ...readLiveFacts(trace, question, plane.name)] };
}

/** The node of the Fairlead that runs here. */
function runningNode(context: TraceContext): string | undefined {
  const found = findRunFile(context.options, context);
  return found !== undefined && isRunning(found) ? found.nodeName : undefined;
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
