import { resolve } from 'node:path';
import type { SocketAddress } from '../dns/config.ts';
import { startDns } from '../dns/run.ts';
import { slimCaches } from '../dns/slim-caches.ts';
import { clusterServer } from '../dns/settings/cluster-server.ts';
import type { DnsSettings, ListenSettings } from '../dns/settings/settings.ts';
import { collectGarbage } from '../lib/collect-garbage.ts';
import { UsageError } from './command-error.ts';
import { SettingsFollower } from './dns/follow-settings.ts';
import { readSettings, type ReadSettings } from './dns/settings-source.ts';
import { fairleadVersion } from './version.ts';
import { defineCommand } from './command.ts';
import type { CommandContext } from './command.ts';
import { readAddress, readCidrs } from './component/addresses.ts';
import { aborted, componentOptions, connectComponent } from './component/connected.ts';
import { hostResolvers } from './component/host-resolvers.ts';
import { readUser } from './component/user.ts';
import { exitCodes } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';

const options = {
  config: {
    type: 'string',
    value: 'FILE',
    summary: 'Settings (docs/reference/dns-settings.md); no other flag of names',
  },
  corefile: { type: 'string', value: 'FILE', summary: 'The same as a Corefile of CoreDNS' },
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
  workers: {
    type: 'number',
    value: 'COUNT',
    min: 0,
    max: 64,
    summary: 'Threads that answer UDP beside the main one (default: 0, or as the file says)',
  },
  'node-cache': {
    type: 'strings',
    value: 'ADDRESS',
    summary: "Be this node's DNS at an address of its own, usually 169.254.20.10 (Linux, root)",
  },
  shadow: {
    type: 'string',
    value: 'ADDRESS:PORT',
    summary: 'Another server that is asked the same, to compare answers (default: none, or as the file says)',
  },
  'shadow-percent': {
    type: 'number',
    value: 'PERCENT',
    min: 1,
    max: 100,
    default: 10,
    summary: 'How many of a hundred questions --shadow is asked (default: 10)',
  },
  user: {
    type: 'string',
    value: 'USER',
    summary: 'Who to be once the sockets are bound: a name, UID or UID:GID (as root)',
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
  description: `Settings are read again when their file changes, as often as they say, and on SIGHUP; a wrong file is said and those
before stay. With --user what is read again must be readable for that user. On SIGTERM it goes on answering until the API sends no client here any more, at most health.lameDuck.`,
  examples: [
    { command: 'fairlead dns --corefile /etc/coredns/Corefile', does: "In CoreDNS's place" },
    {
      command: 'fairlead dns --config dns.yaml --node-cache 169.254.20.10',
      does: "On every node, beside the cluster's DNS",
    },
    { command: 'fairlead dns --listen 127.0.0.1:5353', does: 'The names of the current cluster, for this machine' },
  ],
  run,
});

type DnsContext = CommandContext<typeof options>;

async function run(context: DnsContext): Promise<ExitCode> {
  const { options, stdout } = context;
  const nodeAddresses = options['node-cache'].map((text) => readAddress('node-cache', text, 53));
  const read = atAddresses(nodeAddresses, withFlags(options, settingsReader(context)));
  const { settings, notes } = read();
  for (const note of notes) stdout.write(`Without effect: ${note}\n`);
  const user = options.user === undefined ? undefined : readUser('user', options.user);
  if (user !== undefined && process.getuid?.() !== 0) throw new UsageError('--user is for a start as root');
  await using connected = await connectComponent('dns', context);
  const { client, logger, metrics } = connected;
  metrics
    .gauge({
      name: 'coredns_build_info',
      help: 'Which program this is.',
      labels: ['version', 'revision', 'goversion'],
    })
    .set(1, { version: `fairlead-${await fairleadVersion()}`, revision: '', goversion: `node-${process.version}` });
  const caches = slimCaches(connected.caches);
  await using dns = await startDns({
    client,
    caches,
    logger,
    metrics,
    settings,
    user,
    ...(nodeAddresses.length === 0 ? {} : { nodeCache: nodeAddresses, signal: context.signal }),
    ...(options.state === undefined ? {} : { dataDir: resolve(context.cwd, options.state) }),
  });
  using follower = new SettingsFollower({ dns, read: () => read().settings, initial: settings, logger, metrics });
  const addresses = dns.listening.map(addressText).join(', ');
  stdout.write(`Answering ${settings.servers.flatMap(({ zones }) => zones).join(' ')} on ${addresses}\n`);
  // Reading a large cluster leaves as much garbage as objects.
  void dns.synced.then(collectGarbage);
  using _hangUp = onHangUp(() => void follower.look());
  await aborted(context.signal);
  return exitCodes.ok;
}

/** Reads the settings: of the file that a flag names, else of the flags. Throws `CommandError`. */
function settingsReader(context: DnsContext): () => ReadSettings {
  const { cwd, env } = context;
  const { config, corefile } = context.options;
  if (config !== undefined && corefile !== undefined)
    throw new UsageError('--config and --corefile are two ways of one thing');
  const file = config ?? corefile;
  if (file === undefined) {
    const settings = settingsOfFlags(context.options);
    return () => ({ settings, notes: [] });
  }
  const flag = (['listen', 'upstream', 'cidr'] as const).find((name) => context.options[name].length > 0);
  if (flag !== undefined) throw new UsageError(`--${flag} belongs into ${file}`);
  const format = config === undefined ? 'corefile' : 'settings';
  return () => readSettings({ path: resolve(cwd, file), format, environment: env });
}

/** What is read, with as many threads and the shadow that flags ask for. */
function withFlags(flags: DnsContext['options'], read: () => ReadSettings): () => ReadSettings {
  const to = flags.shadow === undefined ? undefined : readAddress('shadow', flags.shadow, 53);
  return () => {
    const { settings, notes } = read();
    const { workers = settings.workers } = flags;
    const shadow = to === undefined ? settings.shadow : { to, percent: flags['shadow-percent'] };
    return { settings: { ...settings, workers, shadow }, notes };
  };
}

/** What is read, with plain DNS at these addresses alone; without any, wherever the settings say. */
function atAddresses(addresses: readonly SocketAddress[], read: () => ReadSettings): () => ReadSettings {
  if (addresses.length === 0) return read;
  const own = addresses.map((address) => ({ ...address, transport: 'dns' }) as const);
  return () => {
    const { settings, notes } = read();
    const servers = settings.servers.map((server) => ({
      ...server,
      listen: [...own, ...server.listen.filter(({ transport }) => transport !== 'dns')],
    }));
    return { settings: { ...settings, servers }, notes };
  };
}

function settingsOfFlags(flags: DnsContext['options']): DnsSettings {
  const listen = flags.listen.length > 0 ? flags.listen : ['127.0.0.1:10053'];
  return clusterServer({
    clusterDomain: flags['cluster-domain'],
    listen: listen.map((text) => readAddress('listen', text, 53)),
    upstreams:
      flags.upstream.length > 0 ? flags.upstream.map((text) => readAddress('upstream', text, 53)) : hostResolvers(),
    cidrs: readCidrs('cidr', flags.cidr),
    pods: flags.pods,
    ttlSeconds: flags.ttl,
  });
}

function addressText({ transport, address, port }: ListenSettings): string {
  const text = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
  return transport === 'dns' ? text : `${transport}://${text}`;
}

function onHangUp(listener: () => void): Disposable {
  process.on('SIGHUP', listener);
  return { [Symbol.dispose]: () => void process.off('SIGHUP', listener) };
}
