import { isNotFound } from '../api/errors.ts';
import type { Transport } from '../client/client.ts';
import { deleteBody, objectPath } from '../client/paths.ts';
import { UsageError } from './command-error.ts';
import { defineCommand } from './command.ts';
import type { CommandContext } from './command.ts';
import { connect, connectionOptions, namespaceOption } from './connection.ts';
import type { Connection } from './connection.ts';
import { exitCodes } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';
import { readTargets } from './objects/arguments.ts';
import { locate } from './objects/locate.ts';
import { readManifests } from './objects/manifests.ts';
import { objectLabel } from './objects/print.ts';
import { listObjects } from './objects/read.ts';
import { loadResourceTypes } from './objects/resource-types.ts';
import type { ResourceType } from './objects/resource-types.ts';
import { requestJson } from './objects/rest.ts';
import type { AnyObject } from './objects/rest.ts';
import { selectionOptions } from './objects/selection-options.ts';
import { waitUntilGone } from './objects/wait-gone.ts';
import { reportFailure } from './report-error.ts';

const options = {
  filename: { type: 'strings', short: 'f', value: 'PATH', summary: 'Delete what a file, folder or - describes' },
  recursive: { type: 'boolean', short: 'R', summary: 'Folders inside folders too' },
  ...namespaceOption,
  ...selectionOptions,
  all: { type: 'boolean', summary: 'Every object of the type in the namespace' },
  wait: { type: 'boolean', default: true, summary: 'Return when the objects are gone' },
  timeout: { type: 'duration', value: 'TIME', summary: 'How long to wait (default: as long as it takes)' },
  'grace-period': {
    type: 'number',
    min: -1,
    value: 'SECONDS',
    summary: 'Time for Pods to end (default: what they ask for)',
  },
  force: { type: 'boolean', summary: 'At once, without waiting for the processes to end' },
  cascade: {
    type: 'string',
    value: 'HOW',
    choices: ['background', 'foreground', 'orphan'],
    default: 'background',
    summary: 'What happens to objects that it owns',
  },
  'ignore-not-found': { type: 'boolean', summary: 'A missing object is no failure' },
  output: { type: 'string', short: 'o', value: 'FORMAT', choices: ['name'], summary: 'Print names only' },
  ...connectionOptions,
} as const;

type DeleteContext = CommandContext<typeof options>;

interface Doomed {
  readonly type: ResourceType;
  readonly name: string;
  readonly namespace: string;
}

const policies = { background: 'Background', foreground: 'Foreground', orphan: 'Orphan' } as const;

/** `fairlead delete`. */
export const command = defineCommand({
  name: 'delete',
  summary: 'Delete objects',
  usage: [
    'delete TYPE NAME… [flags]',
    'delete TYPE/NAME… [flags]',
    'delete TYPE (-l LABELS | --all)',
    'delete -f PATH…',
  ],
  options,
  examples: [
    { command: 'fairlead delete -f examples/hello/', does: 'What a folder describes' },
    { command: 'fairlead delete pod hello-7d9f --grace-period 0', does: 'One Pod, at once' },
    { command: 'fairlead delete deploy,svc -l app=hello', does: 'By label' },
  ],
  run,
});

async function run(context: DeleteContext): Promise<ExitCode> {
  checkUsage(context);
  await using connection = await connect(context);
  const doomed = await findDoomed(context, connection);
  if (doomed.length === 0) context.stderr.write('No resources found.\n');
  let result: ExitCode = exitCodes.ok;
  const waits: Promise<void>[] = [];
  for (const item of doomed) {
    try {
      const left = await deleteOne(context, connection.transport, item);
      if (left !== undefined && context.options.wait) waits.push(waitFor(context, connection.transport, item, left));
    } catch (error) {
      if (isNotFound(error) && context.options['ignore-not-found']) continue;
      result ||= reportFailure(error, context);
    }
  }
  await Promise.all(waits);
  return result;
}

function checkUsage({ options, args }: DeleteContext): void {
  const selects = options.selector !== undefined || options['field-selector'] !== undefined || options.all;
  const names = args.length > 1 || args.some((argument) => argument.includes('/'));
  if (options.filename.length > 0 && args.length > 0) throw new UsageError('name objects or files (-f), not both');
  if (names && selects) throw new UsageError('name objects or select them (-l, --field-selector, --all), not both');
  if (args.length === 1 && !names && !selects) throw new UsageError(`which ${args[0]}? give names, -l LABELS or --all`);
}

async function findDoomed(context: DeleteContext, connection: Connection): Promise<readonly Doomed[]> {
  const { options, args, signal } = context;
  const { transport, namespace } = connection;
  const types = await loadResourceTypes(transport, signal);
  if (options.filename.length > 0) {
    const namespaces = { fallback: namespace, required: options.namespace };
    const manifests = await readManifests(options.filename, options.recursive, context);
    return manifests.map((manifest) => locate(types, manifest, namespaces));
  }
  const doomed: Doomed[] = [];
  for (const { type, name } of readTargets(types, args)) {
    if (name === undefined) doomed.push(...(await selectDoomed(context, transport, type, namespace)));
    else doomed.push({ type, name, namespace });
  }
  return doomed;
}

async function selectDoomed(
  { options, signal }: DeleteContext,
  transport: Transport,
  type: ResourceType,
  namespace: string,
): Promise<readonly Doomed[]> {
  const selection = {
    type,
    namespace: options['all-namespaces'] ? undefined : namespace,
    labelSelector: options.selector,
    fieldSelector: options['field-selector'],
  };
  const { items } = await listObjects<AnyObject>(transport, selection, signal);
  return items.map(({ metadata }) => ({ type, name: metadata.name ?? '', namespace: metadata.namespace ?? '' }));
}

/** Asks the server to delete; returns the object when it is still there, on its way out. */
async function deleteOne(
  context: DeleteContext,
  transport: Transport,
  { type, name, namespace }: Doomed,
): Promise<AnyObject | undefined> {
  const { options, stdout, signal } = context;
  const grace = options.force ? 0 : options['grace-period'];
  const answer = await requestJson<AnyObject>(transport, {
    method: 'DELETE',
    path: objectPath(type, name, namespace),
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: deleteBody({
      gracePeriodSeconds: grace === -1 ? undefined : grace,
      propagationPolicy: policies[options.cascade],
    }),
    signal,
  });
  const label = objectLabel(type, name);
  stdout.write(options.output === 'name' ? `${label}\n` : `${label} deleted${options.force ? ' (forced)' : ''}\n`);
  return answer.kind === 'Status' || answer.metadata.deletionTimestamp === undefined ? undefined : answer;
}

async function waitFor(context: DeleteContext, transport: Transport, item: Doomed, left: AnyObject): Promise<void> {
  const { timeout } = context.options;
  await waitUntilGone(transport, { ...item, uid: left.metadata.uid }, { timeoutMs: timeout, signal: context.signal });
}
