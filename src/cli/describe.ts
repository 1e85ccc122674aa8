import type { Event } from '../api/core/event.ts';
import type { Transport } from '../client/client.ts';
import { CommandError, UsageError } from './command-error.ts';
import { defineCommand } from './command.ts';
import type { CommandContext } from './command.ts';
import { connect, connectionOptions, namespaceOption } from './connection.ts';
import { eventTable } from './describe/common.ts';
import { describeObject } from './describe/describers.ts';
import type { Surroundings } from './describe/describers.ts';
import { renderFields } from './describe/fields.ts';
import { exitCodes } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';
import { readTargets } from './objects/arguments.ts';
import type { Target } from './objects/arguments.ts';
import { listObjects, readObject } from './objects/read.ts';
import { findResourceType, loadResourceTypes } from './objects/resource-types.ts';
import type { ResourceType } from './objects/resource-types.ts';
import type { AnyObject } from './objects/rest.ts';
import { selectionOptions } from './objects/selection-options.ts';

const options = { ...namespaceOption, ...selectionOptions, ...connectionOptions } as const;

type DescribeContext = CommandContext<typeof options>;

/** `fairlead describe`. */
export const command = defineCommand({
  name: 'describe',
  summary: 'Explain objects: their state, what belongs to them, and what happened',
  usage: ['describe TYPE [NAME…] [flags]', 'describe TYPE/NAME… [flags]'],
  options,
  examples: [
    { command: 'fairlead describe svc hello', does: 'A Service with every endpoint and its state' },
    { command: 'fairlead describe pods -l app=hello', does: 'Why are these Pods not ready?' },
  ],
  run,
});

async function run(context: DescribeContext): Promise<ExitCode> {
  const { options, args, signal } = context;
  if (args.length > 1 && options.selector !== undefined)
    throw new UsageError('name objects or select them (-l), not both');
  await using connection = await connect(context);
  const { transport } = connection;
  const types = await loadResourceTypes(transport, signal);
  const namespace = options['all-namespaces'] ? undefined : connection.namespace;
  const texts: string[] = [];
  for (const target of readTargets(types, args)) {
    for (const object of await read(context, transport, target, namespace)) {
      texts.push(await describe(object, transport, types, signal));
    }
  }
  if (texts.length === 0) throw new CommandError('nothing matches', { code: exitCodes.notFound });
  context.stdout.write(texts.join('\n\n'));
  return exitCodes.ok;
}

async function read(
  { options, signal }: DescribeContext,
  transport: Transport,
  { type, name }: Target,
  namespace: string | undefined,
): Promise<readonly AnyObject[]> {
  if (name !== undefined) return [await readObject<AnyObject>(transport, type, name, namespace ?? '', signal)];
  const selection = { type, namespace, labelSelector: options.selector, fieldSelector: options['field-selector'] };
  return (await listObjects<AnyObject>(transport, selection, signal)).items;
}

async function describe(
  object: AnyObject,
  transport: Transport,
  types: readonly ResourceType[],
  signal: AbortSignal,
): Promise<string> {
  const { namespace, name = '' } = object.metadata;
  const around: Surroundings = {
    nowMs: Date.now(),
    list: async <T extends AnyObject>(word: string, selectors = {}) =>
      (await listObjects<T>(transport, { type: findResourceType(types, word), namespace, ...selectors }, signal)).items,
  };
  const fields = await describeObject(object, around);
  const about = await around.list<AnyObject & Event>('events.v1', { fieldSelector: `involvedObject.name=${name}` });
  const events = about.filter(({ involvedObject }) => involvedObject.kind === object.kind);
  return renderFields([...fields, ['Events', eventTable(events, around.nowMs)]]);
}
