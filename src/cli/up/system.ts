import { join } from 'node:path';
import { setUpNodeNetwork, tearDownNodeNetwork } from '../../agent/network/node-network.ts';
import { startAgent } from '../../agent/run.ts';
import type { AgentHandle } from '../../agent/config.ts';
import { mastersGroup } from '../../apiserver/auth/identity.ts';
import { startApiServer } from '../../apiserver/run.ts';
import type { ApiServer } from '../../apiserver/run.ts';
import { createCaches } from '../../client/caches.ts';
import type { Caches } from '../../client/caches.ts';
import type { Client } from '../../client/client.ts';
import { createClient } from '../../client/rest-client.ts';
import { startControllers } from '../../controllers/start.ts';
import type { Dns } from '../../dns/config.ts';
import { startDns } from '../../dns/run.ts';
import { clusterServer } from '../../dns/settings/cluster-server.ts';
import type { Logger } from '../../observe/log.ts';
import type { Metrics } from '../../observe/metrics.ts';
import type { Proxy } from '../../proxy/config.ts';
import { startProxy } from '../../proxy/run.ts';
import { openSqliteStore } from '../../store/sqlite.ts';
import { hostResolvers } from '../component/host-resolvers.ts';
import type { Progress } from './progress.ts';
import type { UpSettings } from './settings.ts';

/** Everything that `up` runs, in one process. Disposing of it stops all of it and takes away what it made. */
export interface RunningSystem extends AsyncDisposable {
  readonly api: ApiServer;
  readonly agent: AgentHandle;
  readonly proxy: Proxy;
  readonly dns: Dns;
}

interface Shared {
  readonly settings: UpSettings;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly progress: Progress;
  readonly version: string;
  /** A crashed run left Pods and kernel state: a start that fails leaves them as they are. */
  readonly takesOver: boolean;
}

/** What an end means: a start that fails to take over a crashed run must leave what still works. */
interface Fate {
  takesEverythingAway: boolean;
}

/**
 * Starts every part in the order of the journey of a Service. What an earlier run left (after a crash) is taken over. When
 * a part cannot start, those that run are stopped again and what they made is taken away.
 */
export async function startSystem(shared: Shared): Promise<RunningSystem> {
  const { logger, metrics } = shared;
  await using stack = new AsyncDisposableStack();
  const fate = { takesEverythingAway: !shared.takesOver };
  await startNetwork(shared, stack, fate);
  const api = stack.use(await startApi(shared, stack));
  const client = clientOf(api, 'fairlead');
  const caches = stack.use(createCaches(client, { logger: logger.child({ component: 'client' }), metrics }));
  const stop = new AbortController();
  stack.defer(() => stop.abort());

  stack.use(await startControlLoops(shared, api, caches, stop.signal));
  const [proxy, dns] = await Promise.all([
    startProxyPart(shared, clientOf(api, 'fairlead-proxy'), caches),
    startDnsPart(shared, clientOf(api, 'fairlead-dns'), caches),
  ]);
  stack.defer(() => (fate.takesEverythingAway ? proxy.remove() : proxy[Symbol.asyncDispose]()));
  stack.use(dns);
  const agent = await startAgentPart(shared, api, caches);
  stack.defer(() => (fate.takesEverythingAway ? agent.removeEverything() : agent.close()));
  await Promise.all([proxy.synced, dns.synced]);
  fate.takesEverythingAway = true;
  const owned = stack.move();
  return { api, agent, proxy, dns, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

function clientOf(api: ApiServer, name: string): Client {
  return createClient(api.inProcess({ name: `system:${name}`, groups: [mastersGroup], userAgent: name }));
}

/** The API server's second address is on the bridge, so the bridge comes first. */
async function startNetwork({ settings, progress }: Shared, stack: AsyncDisposableStack, fate: Fate): Promise<void> {
  if (settings.mode !== 'root') return;
  const agentDir = join(settings.dataDir, 'agent');
  const { network } = settings;
  const text = `bridge with ${network.gateway}, Services ${network.serviceCidr}`;
  await progress.step(
    'Network',
    async () => setUpNodeNetwork(agentDir, network),
    () => text,
  );
  stack.defer(() => {
    if (fate.takesEverythingAway) tearDownNodeNetwork(agentDir);
  });
}

async function startApi(
  { settings, logger, metrics, progress }: Shared,
  stack: AsyncDisposableStack,
): Promise<ApiServer> {
  const { network, api } = settings;
  const start = async (): Promise<ApiServer> => {
    const store = stack.use(openSqliteStore(join(settings.dataDir, 'store.db')));
    return startApiServer({
      store,
      dataDir: settings.dataDir,
      listen: api.addresses.map((address) => ({ address, port: api.port })),
      advertiseAddress: settings.mode === 'root' ? network.gateway : '127.0.0.1',
      serviceCidrs: [network.serviceCidr],
      clusterDomain: settings.clusterDomain,
      allowLoopback: settings.mode === 'rootless',
      logger: logger.child({ component: 'apiserver' }),
      metrics,
    });
  };
  return progress.step('API server', start, ({ url }) => url);
}

/** They share the caches: one watch per kind for the whole process, and what they write is seen at once. */
function startControlLoops(
  shared: Shared,
  api: ApiServer,
  caches: Caches,
  signal: AbortSignal,
): Promise<AsyncDisposable> {
  const { logger, metrics } = shared;
  const start = (): Promise<AsyncDisposable> =>
    startControllers({
      client: clientOf(api, 'fairlead-controllers'),
      caches,
      logger: logger.child({ component: 'controllers' }),
      metrics,
      signal,
      rootCa: api.authority,
    });
  return shared.progress.step('Controllers', start, () => 'endpoints, Deployments, garbage, namespaces, nodes');
}

function startProxyPart(
  { settings, logger, metrics, progress }: Shared,
  client: Client,
  caches: Caches,
): Promise<Proxy> {
  const { network } = settings;
  const start = (): Promise<Proxy> =>
    startProxy({
      client,
      caches,
      nodeName: settings.nodeName,
      isOnlyNode: true,
      plane: settings.plane,
      defaults: settings.serviceDefaults,
      allowExternalIps: settings.allowExternalIps,
      network: {
        podCidrs: [network.podCidr],
        clusterCidrs: [network.clusterCidr],
        serviceCidrs: [network.serviceCidr],
        nodePortAddresses: [],
      },
      dataDir: join(settings.dataDir, 'proxy'),
      logger: logger.child({ component: 'proxy' }),
      metrics,
    });
  return progress.step('Data plane', start, ({ choice }) => choice.plane);
}

function startDnsPart({ settings, logger, metrics, progress }: Shared, client: Client, caches: Caches): Promise<Dns> {
  const { network, dns } = settings;
  const start = (): Promise<Dns> =>
    startDns({
      client,
      caches,
      settings: clusterServer({
        clusterDomain: settings.clusterDomain,
        listen: dns.listen,
        upstreams: hostResolvers(),
        cidrs: [network.serviceCidr, network.clusterCidr],
      }),
      advertise: { serviceIp: dns.clusterAddress, addresses: [dns.listen.at(-1) ?? dns.host] },
      dataDir: join(settings.dataDir, 'dns'),
      logger: logger.child({ component: 'dns' }),
      metrics,
    });
  return progress.step('DNS', start, ({ listening }) =>
    listening.map(({ address, port }) => `${address}:${port}`).join(', '),
  );
}

async function startAgentPart(shared: Shared, api: ApiServer, caches: Caches): Promise<AgentHandle> {
  const { settings, logger, metrics, version } = shared;
  const { network } = settings;
  const start = async (): Promise<AgentHandle> => {
    const serving = await api.issueServingCertificate(`system:node:${settings.nodeName}`, {
      dnsNames: [settings.nodeName],
      addresses: [network.gateway, '127.0.0.1'],
    });
    return startAgent({
      client: clientOf(api, 'fairlead-agent'),
      caches,
      nodeName: settings.nodeName,
      dataDir: join(settings.dataDir, 'agent'),
      runtime: settings.mode === 'root' ? 'netns' : 'plain',
      network,
      clusterDns: settings.mode === 'root' ? [settings.dns.clusterAddress] : [],
      clusterDomain: settings.clusterDomain,
      tls: { cert: serving.certificate, key: serving.key, clientCa: api.authority },
      listen: { host: network.gateway, port: 0 },
      version,
      logger: logger.child({ component: 'agent' }),
      metrics,
    });
  };
  return shared.progress.step('Node agent', start, ({ runtime }) =>
    runtime === 'netns' ? 'Pods as processes in network namespaces' : 'Pods as plain processes',
  );
}
