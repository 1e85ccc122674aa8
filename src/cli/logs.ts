import type { Transport } from '../client/client.ts';
import { objectPath } from '../client/paths.ts';
import { readLines } from '../client/read-body.ts';
import { UsageError } from './command-error.ts';
import { defineCommand } from './command.ts';
import type { CommandContext } from './command.ts';
import { connect, connectionOptions, namespaceOption } from './connection.ts';
import { exitCodes } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';
import { containerOf, podsOf, podsWithLabels } from './objects/pods-of.ts';
import type { PodObject, PodSearch } from './objects/pods-of.ts';
import { findResourceType, loadResourceTypes } from './objects/resource-types.ts';
import type { ResourceType } from './objects/resource-types.ts';
import { requestOk } from './objects/rest.ts';
import { reportFailure } from './report-error.ts';

const options = {
  follow: { type: 'boolean', short: 'f', summary: 'Stay and print new lines' },
  previous: { type: 'boolean', short: 'p', summary: 'Of the container before its last restart' },
  container: { type: 'string', short: 'c', value: 'NAME', summary: 'Which container (default: the first)' },
  'all-containers': { type: 'boolean', summary: 'Every container of the Pod' },
  selector: { type: 'string', short: 'l', value: 'LABELS', summary: 'Of every Pod with these labels' },
  tail: { type: 'number', min: -1, value: 'N', summary: 'Only the last N lines' },
  since: { type: 'duration', value: 'TIME', summary: 'Only lines younger than 5s, 2m, 3h' },
  timestamps: { type: 'boolean', summary: 'The time before each line' },
  prefix: { type: 'boolean', summary: 'Pod and container before each line (as when there are several)' },
  ...namespaceOption,
  ...connectionOptions,
} as const;

type LogsContext = CommandContext<typeof options>;

/** One log to print. */
interface Source {
  readonly pod: PodObject;
  readonly container: string;
}

/** `fairlead logs`. */
export const command = defineCommand({
  name: 'logs',
  summary: 'Show what the containers of a Pod wrote',
  usage: ['logs POD [flags]', 'logs TYPE/NAME [flags]', 'logs -l LABELS [flags]'],
  options,
  examples: [
    { command: 'fairlead logs deploy/hello', does: 'One Pod of a Deployment' },
    { command: 'fairlead logs -f --tail 20 -l app=hello', does: 'Follow every Pod of hello from its last 20 lines' },
    { command: 'fairlead logs -p hello-7d9f', does: 'Why did it restart?' },
  ],
  run,
});

async function run(context: LogsContext): Promise<ExitCode> {
  const { options, args, signal } = context;
  if ((options.selector === undefined) === (args.length === 0)) throw new UsageError('name a Pod, or give -l LABELS');
  await using connection = await connect(context);
  const { transport, namespace } = connection;
  const types = await loadResourceTypes(transport, signal);
  const sources = await findSources(context, { transport, types, namespace, signal });
  if (sources.length === 0) context.stderr.write('No resources found.\n');
  const prefixed = options.prefix || sources.length > 1;
  const show = (source: Source) => showLog(context, transport, findResourceType(types, 'pods'), source, prefixed);
  if (options.follow) return worst(await Promise.all(sources.map(show)));
  const codes: ExitCode[] = [];
  for (const source of sources) codes.push(await show(source));
  return worst(codes);
}

function worst(codes: readonly ExitCode[]): ExitCode {
  return codes.find((code) => code !== exitCodes.ok) ?? exitCodes.ok;
}

async function findSources(context: LogsContext, search: PodSearch): Promise<readonly Source[]> {
  const { options, args, stderr } = context;
  if (options.selector !== undefined) {
    return (await podsWithLabels(search, options.selector)).flatMap((pod) => sourcesOf(pod, options));
  }
  const [pod, ...others] = await podsOf(search, args);
  if (others.length > 0)
    stderr.write(`${others.length + 1} Pods; showing ${pod.metadata.name} (all of them: -l LABELS)\n`);
  return sourcesOf(pod, options);
}

function sourcesOf(pod: PodObject, options: LogsContext['options']): readonly Source[] {
  if (!options['all-containers']) return [{ pod, container: containerOf(pod, options.container) }];
  const containers = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  return containers.map(({ name }) => ({ pod, container: name }));
}

/** One log to the end; a log that cannot be read does not keep the others from being shown. */
async function showLog(
  context: LogsContext,
  transport: Transport,
  type: ResourceType,
  { pod, container }: Source,
  prefixed: boolean,
): Promise<ExitCode> {
  const { stdout, signal } = context;
  const { name = '', namespace = '' } = pod.metadata;
  const path = `${objectPath(type, name, namespace, 'log')}?${logQuery(context.options, container)}`;
  try {
    const { body } = await requestOk(transport, { method: 'GET', path, signal });
    if (!prefixed) for await (const chunk of body) stdout.write(chunk);
    else
      for await (const lines of readLines(body))
        for (const line of lines) stdout.write(`[${name}/${container}] ${line}\n`);
  } catch (error) {
    if (!signal.aborted) return reportFailure(error, context);
  }
  return exitCodes.ok;
}

function logQuery(options: LogsContext['options'], container: string): URLSearchParams {
  const query = new URLSearchParams({ container });
  if (options.follow) query.set('follow', 'true');
  if (options.previous) query.set('previous', 'true');
  if (options.timestamps) query.set('timestamps', 'true');
  if (options.tail !== undefined && options.tail >= 0) query.set('tailLines', String(options.tail));
  if (options.since !== undefined) query.set('sinceSeconds', String(Math.max(1, Math.ceil(options.since / 1000))));
  return query;
}
