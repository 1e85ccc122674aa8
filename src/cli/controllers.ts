import { readFileSync } from 'node:fs';
import { startControllers } from '../controllers/start.ts';
import { defineCommand } from './command.ts';
import type { CommandContext } from './command.ts';
import { aborted, componentOptions, connectComponent } from './component/connected.ts';
import { exitCodes } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';

const options = {
  'root-ca': { type: 'string', value: 'FILE', summary: "Authority for kube-root-ca.crt (default: the kubeconfig's)" },
  ...componentOptions,
} as const;

/** `fairlead controllers`. */
export const command = defineCommand({
  name: 'controllers',
  summary: 'Run the controllers alone, against any API server',
  usage: ['controllers [flags]'],
  description:
    'EndpointSlices, Endpoints, Deployments, ReplicaSets, garbage collection, namespaces, service accounts and nodes.',
  options,
  examples: [{ command: 'fairlead controllers --kubeconfig ./state/kubeconfig', does: 'Beside fairlead server' }],
  run,
});

async function run(context: CommandContext<typeof options>): Promise<ExitCode> {
  await using connected = await connectComponent('controllers', context);
  const { client, caches, logger, metrics, connection } = connected;
  const file = context.options['root-ca'];
  const rootCa = file === undefined ? connection.credentials.ca : readFileSync(file, 'utf8');
  await using _controllers = await startControllers({
    client,
    caches,
    logger,
    metrics,
    signal: context.signal,
    rootCa,
  });
  context.stdout.write(`Controllers work against ${connection.credentials.server}\n`);
  await aborted(context.signal);
  return exitCodes.ok;
}
