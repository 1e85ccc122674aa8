import type { Node } from '../api/core/node.ts';
import type { Service } from '../api/core/service.ts';
import type { EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import { readRunRecord } from '../proxy/run-record.ts';
import { CommandError } from './command-error.ts';
import { defineCommand } from './command.ts';
import type { CommandContext } from './command.ts';
import { connect, connectionOptions } from './connection.ts';
import type { Connection } from './connection.ts';
import { dataOption } from './data-folder.ts';
import { exitCodes } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';
import { listObjects } from './objects/read.ts';
import { findResourceType, loadResourceTypes } from './objects/resource-types.ts';
import type { PodObject } from './objects/pods-of.ts';
import { requestJson } from './objects/rest.ts';
import type { AnyObject } from './objects/rest.ts';
import { isRunning } from './run-file.ts';
import type { RunFile } from './run-file.ts';
import { findRunFile } from './running.ts';
import { formatStatus } from './status/format.ts';
import { countReady, withPlaneInForce } from './status/report.ts';
import type { ClusterObjects } from './status/report.ts';

const options = {
  output: { type: 'string', short: 'o', value: 'FORMAT', choices: ['json'], summary: 'How to print' },
  ...dataOption,
  ...connectionOptions,
} as const;

type StatusContext = CommandContext<typeof options>;

/** `fairlead status`. */
export const command = defineCommand({
  name: 'status',
  summary: 'Show what runs, where, and what of it is ready',
  usage: ['status [flags]'],
  description: 'The exit code is 4 when nothing runs or the API server does not answer.',
  options,
  examples: [{ command: 'fairlead status -o json', does: 'For a script' }],
  run,
});

async function run(context: StatusContext): Promise<ExitCode> {
  const found = findRunFile(context.options, context);
  if (found !== undefined && !isRunning(found)) throw ended(found);
  const kubeconfig = context.options.kubeconfig ?? found?.kubeconfig;
  await using connection = await connect({ ...context, options: { ...context.options, kubeconfig } });
  const startedAt = performance.now();
  const version = await requestJson<{ gitVersion: string }>(connection.transport, {
    method: 'GET',
    path: '/version',
    signal: context.signal,
  });
  const answeredInMs = Math.round(performance.now() - startedAt);
  const api = { server: connection.credentials.server, version: version.gitVersion, answeredInMs };
  const objects = await readObjects(connection, context.signal);
  const report = {
    run: found !== undefined && isOf(found, connection) ? withPlaneInForce(found, readRunRecord()) : undefined,
    api,
    ...countReady(objects),
  };
  if (context.options.output === 'json') context.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
  else context.stdout.write(formatStatus(report));
  return exitCodes.ok;
}

function ended(run: RunFile): CommandError {
  return new CommandError(`the Fairlead of ${run.dataDir} (process ${run.pid}) has ended without cleaning up`, {
    code: exitCodes.notReachable,
    hint: 'start it again with fairlead up, which takes over what still runs; or take everything away: fairlead down',
  });
}

/** Whether the connection leads to the Fairlead of this run file, and not to another cluster. */
function isOf(run: RunFile, { credentials }: Connection): boolean {
  return new URL(run.api).port === new URL(credentials.server).port;
}

async function readObjects({ transport }: Connection, signal: AbortSignal): Promise<ClusterObjects> {
  const types = await loadResourceTypes(transport, signal);
  const list = async <T extends AnyObject>(word: string) =>
    (await listObjects<T>(transport, { type: findResourceType(types, word), namespace: undefined }, signal)).items;
  const [nodes, pods, services, slices] = await Promise.all([
    list<AnyObject & Node>('nodes'),
    list<PodObject>('pods'),
    list<AnyObject & Service>('services'),
    list<AnyObject & EndpointSlice>('endpointslices'),
  ]);
  return { nodes, pods, services, slices };
}
