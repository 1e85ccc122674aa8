import { UsageError } from './command-error.ts';
import { defineCommand } from './command.ts';
import { connect } from './connection.ts';
import { exitCodes } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';
import { readTargets } from './objects/arguments.ts';
import { showObjects } from './objects/get-objects.ts';
import { getOptions } from './objects/get-request.ts';
import type { GetContext } from './objects/get-request.ts';
import { showTables } from './objects/get-tables.ts';
import { loadResourceTypes } from './objects/resource-types.ts';

/** `fairlead get`. */
export const command = defineCommand({
  name: 'get',
  summary: 'Show objects in a table, or as JSON or YAML',
  usage: ['get TYPE[,TYPE] [NAME…] [flags]', 'get TYPE/NAME… [flags]', 'get all [flags]'],
  description:
    'Types have short names: pods (po), services (svc), endpointslices, deployments (deploy), replicasets (rs),\n' +
    'nodes (no), namespaces (ns), configmaps (cm), secrets, serviceaccounts (sa), events (ev), endpoints (ep).',
  options: getOptions,
  examples: [
    { command: 'fairlead get pods,svc', does: 'Pods and Services of the namespace default' },
    { command: 'fairlead get pods -A -o wide', does: 'Pods of every namespace, with addresses and nodes' },
    { command: 'fairlead get svc hello -o yaml', does: 'One Service as YAML' },
    {
      command: 'fairlead get endpointslices -l kubernetes.io/service-name=hello -w',
      does: 'Follow the endpoints of hello',
    },
  ],
  run,
});

async function run(context: GetContext): Promise<ExitCode> {
  await using connection = await connect(context);
  const { transport } = connection;
  const targets = readTargets(await loadResourceTypes(transport, context.signal), context.args);
  const named = targets.some((target) => target.name !== undefined);
  const { options } = context;
  if (named && options['all-namespaces']) throw new UsageError('an object is named within one namespace: leave out -A');
  if (named && (options.selector ?? options['field-selector']) !== undefined) {
    throw new UsageError('name objects or select them (-l, --field-selector), not both');
  }
  const namespace = options['all-namespaces'] ? undefined : connection.namespace;
  const request = { transport, targets, namespace, context };
  if (options.watch && new Set(targets.map((target) => target.type)).size > 1) {
    throw new UsageError('only one type can be watched at a time');
  }
  const { output } = options;
  if (output === undefined || output === 'wide') await showTables(request);
  else await showObjects(request);
  return exitCodes.ok;
}
