import { join, resolve } from 'node:path';
import { startApiServer } from '../apiserver/run.ts';
import { createMetrics } from '../observe/metrics.ts';
import { openSqliteStore } from '../store/sqlite.ts';
import { UsageError } from './command-error.ts';
import { defineCommand } from './command.ts';
import type { CommandContext } from './command.ts';
import { readAddress, readCidrs } from './component/addresses.ts';
import { aborted } from './component/connected.ts';
import { logOptions, loggerOf } from './component/options.ts';
import { dataOption, defaultDataFolder, makeDataFolder } from './data-folder.ts';
import { exitCodes } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';

const options = {
  ...dataOption,
  listen: {
    type: 'strings',
    value: 'ADDRESS:PORT',
    summary: 'Where to serve (default: 127.0.0.1:6443)',
  },
  advertise: { type: 'string', value: 'ADDRESS', summary: 'Where Pods reach it (default: the last --listen address)' },
  'service-cidr': { type: 'strings', value: 'CIDR', summary: 'Addresses of Services (default: 10.96.0.0/16)' },
  'node-ports': {
    type: 'string',
    value: 'FROM-TO',
    default: '30000-32767',
    summary: 'Range of node ports (default: 30000-32767)',
  },
  'cluster-domain': {
    type: 'string',
    value: 'NAME',
    default: 'cluster.local',
    summary: 'Zone of the cluster DNS (default: cluster.local)',
  },
  name: {
    type: 'strings',
    value: 'NAME',
    summary: 'Further name or address for the serving certificate',
  },
  ...logOptions,
} as const;

/** `fairlead server`. */
export const command = defineCommand({
  name: 'server',
  summary: 'Run the API server alone',
  usage: ['server [flags]'],
  description: `Serves the Kubernetes API over HTTPS from a SQLite store in the data folder. On the first start it makes a certificate
authority and an administrator's kubeconfig (mode 0600) there.`,
  options,
  examples: [{ command: 'fairlead server --data ./state', does: 'An API server for tests of controllers' }],
  run,
});

async function run(context: CommandContext<typeof options>): Promise<ExitCode> {
  const { options } = context;
  const dataDir = options.data === undefined ? defaultDataFolder(context) : resolve(context.cwd, options.data);
  const listen = (options.listen.length > 0 ? options.listen : ['127.0.0.1:6443']).map((text) =>
    readAddress('listen', text, 6443),
  );
  const serviceCidrs = readCidrs(
    'service-cidr',
    options['service-cidr'].length > 0 ? options['service-cidr'] : ['10.96.0.0/16'],
  );
  const advertise = options.advertise ?? listen.at(-1)?.address ?? '127.0.0.1';
  makeDataFolder(dataDir, 0o700);
  await using store = openSqliteStore(join(dataDir, 'store.db'));
  await using server = await startApiServer({
    store,
    dataDir,
    listen,
    advertiseAddress: advertise,
    serviceCidrs,
    nodePortRange: readPortRange(options['node-ports']),
    clusterDomain: options['cluster-domain'],
    extraNames: options.name,
    allowLoopback: advertise.startsWith('127.'),
    logger: loggerOf('apiserver', options, context),
    metrics: createMetrics(),
  });
  context.stdout.write(`Serving at ${server.url}\nexport KUBECONFIG=${server.kubeconfig}\n`);
  await aborted(context.signal);
  return exitCodes.ok;
}

function readPortRange(text: string): { readonly from: number; readonly to: number } {
  const [from = 0, to = 0] = text.split('-').map(Number);
  if (Number.isInteger(from) && Number.isInteger(to) && from >= 1 && to >= from && to <= 65_535) return { from, to };
  throw new UsageError(`--node-ports: "${text}" is not a range like 30000-32767`);
}
