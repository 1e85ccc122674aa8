import { resolve } from 'node:path';
import { startProxy } from '../proxy/run.ts';
import { defineCommand } from './command.ts';
import type { CommandContext } from './command.ts';
import { readCidrs } from './component/addresses.ts';
import { aborted, componentOptions, connectComponent, nodeName, nodeOption } from './component/connected.ts';
import { exitCodes } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';

const options = {
  ...nodeOption,
  plane: {
    type: 'string',
    value: 'PLANE',
    choices: ['auto', 'nftables', 'userspace'],
    default: 'auto',
    summary: 'Data plane (default: auto)',
  },
  'pod-cidr': { type: 'strings', value: 'CIDR', summary: 'Addresses of Pods on this node' },
  'cluster-cidr': { type: 'strings', value: 'CIDR', summary: 'Addresses of all Pods; other sources are masqueraded' },
  'service-cidr': { type: 'strings', value: 'CIDR', summary: 'Addresses of Services; unused ones are refused' },
  'nodeport-addresses': {
    type: 'strings',
    value: 'CIDR',
    summary: 'Where node ports answer (default: every address but loopback)',
  },
  state: { type: 'string', value: 'DIR', summary: 'Folder of the last known state, for starts without the API server' },
  'remove-on-exit': { type: 'boolean', summary: 'Take the rules away at the end; else traffic goes on as it is' },
  ...componentOptions,
} as const;

/** `fairlead proxy`. */
export const command = defineCommand({
  name: 'proxy',
  summary: 'Run the node proxy alone, against any API server',
  usage: ['proxy [flags]'],
  description: `Makes the addresses of Services work on this node. What it programmed stays in force when it ends, so a restart loses
nothing; --remove-on-exit takes it away.`,
  options,
  examples: [
    {
      command: 'fairlead proxy --kubeconfig node.kubeconfig --cluster-cidr 10.244.0.0/16',
      does: 'On a node of a cluster',
    },
  ],
  run,
});

async function run(context: CommandContext<typeof options>): Promise<ExitCode> {
  const { options } = context;
  await using connected = await connectComponent('proxy', context);
  const { client, caches, logger, metrics } = connected;
  const proxy = await startProxy({
    client,
    caches,
    logger,
    metrics,
    nodeName: nodeName(options),
    plane: options.plane,
    network: {
      podCidrs: readCidrs('pod-cidr', options['pod-cidr']),
      clusterCidrs: readCidrs('cluster-cidr', options['cluster-cidr']),
      serviceCidrs: readCidrs('service-cidr', options['service-cidr']),
      nodePortAddresses: readCidrs('nodeport-addresses', options['nodeport-addresses']),
    },
    ...(options.state === undefined ? {} : { dataDir: resolve(context.cwd, options.state) }),
  });
  context.stdout.write(`Programming ${proxy.choice.plane}: ${proxy.choice.reason}\n`);
  await aborted(context.signal);
  await (options['remove-on-exit'] ? proxy.remove() : proxy[Symbol.asyncDispose]());
  return exitCodes.ok;
}
