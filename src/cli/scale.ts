import { objectPath } from '../client/paths.ts';
import { UsageError } from './command-error.ts';
import { defineCommand } from './command.ts';
import type { CommandContext } from './command.ts';
import { connect, connectionOptions, namespaceOption } from './connection.ts';
import { exitCodes } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';
import { readTargets } from './objects/arguments.ts';
import { objectLabel } from './objects/print.ts';
import { loadResourceTypes } from './objects/resource-types.ts';
import { requestJson } from './objects/rest.ts';

const options = {
  replicas: { type: 'number', value: 'N', summary: 'How many Pods there should be' },
  ...namespaceOption,
  ...connectionOptions,
} as const;

/** `fairlead scale`. */
export const command = defineCommand({
  name: 'scale',
  summary: 'Change how many Pods a Deployment or ReplicaSet has',
  usage: ['scale TYPE NAME… --replicas N [flags]', 'scale TYPE/NAME… --replicas N [flags]'],
  options,
  examples: [{ command: 'fairlead scale deployment hello --replicas 10', does: 'Ten Pods behind hello' }],
  run,
});

async function run(context: CommandContext<typeof options>): Promise<ExitCode> {
  const { options, args, signal } = context;
  const { replicas } = options;
  if (replicas === undefined) throw new UsageError('say how many: --replicas N');
  await using connection = await connect(context);
  const { transport, namespace } = connection;
  for (const { type, name } of readTargets(await loadResourceTypes(transport, signal), args)) {
    if (name === undefined) throw new UsageError(`name the ${type.singular} to scale`);
    if (!type.subresources.includes('scale')) throw new UsageError(`a ${type.singular} cannot be scaled`);
    await requestJson(transport, {
      method: 'PATCH',
      path: `${objectPath(type, name, namespace, 'scale')}?fieldManager=fairlead`,
      headers: { 'content-type': 'application/merge-patch+json', accept: 'application/json' },
      body: JSON.stringify({ spec: { replicas } }),
      signal,
    });
    context.stdout.write(`${objectLabel(type, name)} scaled\n`);
  }
  return exitCodes.ok;
}
