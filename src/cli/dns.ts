import { resolve } from 'node:path';
import { startDns } from '../dns/run.ts';
import { clusterServer } from '../dns/settings/cluster-server.ts';
import { defineCommand } from './command.ts';
import type { CommandContext } from './command.ts';
import { readAddress, readCidrs } from './component/addresses.ts';
import { aborted, componentOptions, connectComponent } from './component/connected.ts';
import { hostResolvers } from './component/host-resolvers.ts';
import { exitCodes } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';

const options = {
  listen: {
    type: 'strings',
    value: 'ADDRESS:PORT',
    summary: 'Where to answer (default: 127.0.0.1:10053)',
  },
  'cluster-domain': {
    type: 'string',
    value: 'NAME',
    default: 'cluster.local',
    summary: 'Zone to answer (default: cluster.local)',
  },
  upstream: {
    type: 'strings',
    value: 'ADDRESS:PORT',
    summary: "Who is asked for other names (default: this machine's resolvers)",
  },
  cidr: {
    type: 'strings',
    value: 'CIDR',
    summary: 'Service and Pod ranges: their reverse names are never asked upstream',
  },
  pods: {
    type: 'string',
    value: 'MODE',
    choices: ['insecure', 'verified', 'disabled'],
    default: 'insecure',
    summary: 'Names of Pods by address (default: insecure)',
  },
  ttl: {
    type: 'number',
    value: 'SECONDS',
    min: 0,
    max: 3600,
    default: 5,
    summary: 'Time to live of cluster names (default: 5)',
  },
  state: { type: 'string', value: 'DIR', summary: 'Folder of the last known state, for starts without the API server' },
  ...componentOptions,
} as const;

/** `fairlead dns`. */
export const command = defineCommand({
  name: 'dns',
  summary: 'Run the DNS server alone, against any API server',
  usage: ['dns [flags]'],
  options,
  examples: [
    { command: 'fairlead dns --listen 127.0.0.1:5353', does: 'The names of the current cluster, for this machine' },
  ],
  run,
});

async function run(context: CommandContext<typeof options>): Promise<ExitCode> {
  const { options } = context;
  const listen = options.listen.length > 0 ? options.listen : ['127.0.0.1:10053'];
  await using connected = await connectComponent('dns', context);
  const { client, caches, logger, metrics } = connected;
  await using dns = await startDns({
    client,
    caches,
    logger,
    metrics,
    settings: clusterServer({
      clusterDomain: options['cluster-domain'],
      listen: listen.map((text) => readAddress('listen', text, 53)),
      upstreams:
        options.upstream.length > 0
          ? options.upstream.map((text) => readAddress('upstream', text, 53))
          : hostResolvers(),
      cidrs: readCidrs('cidr', options.cidr),
      pods: options.pods,
      ttlSeconds: options.ttl,
    }),
    ...(options.state === undefined ? {} : { dataDir: resolve(context.cwd, options.state) }),
  });
  const addresses = dns.listening.map(({ address, port }) => `${address}:${port}`).join(', ');
  context.stdout.write(`Answering ${options['cluster-domain']} on ${addresses}\n`);
  await aborted(context.signal);
  return exitCodes.ok;
}
