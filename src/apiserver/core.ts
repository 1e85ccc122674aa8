import { randomBytes, randomUUID } from 'node:crypto';
import { ServiceAccount } from '../api/core/service-account.ts';
import type { OpenApi } from '../api/openapi.ts';
import { buildOpenApi } from '../api/openapi.ts';
import { isJsonObject } from '../lib/json.ts';
import { namespaceLifecycle } from './admission/namespace-lifecycle.ts';
import { nodePlacement } from './admission/node-placement.ts';
import { createPodCounts } from './admission/pod-counts.ts';
import { serviceAccountRule } from './admission/service-account.ts';
import { createRepair, eventOf } from './allocate/repair-run.ts';
import { serviceAllocation } from './allocate/service-allocation.ts';
import { answer } from './answer.ts';
import type { RoleLookup } from './auth/authorize.ts';
import { mastersGroup, parseServiceAccount } from './auth/identity.ts';
import { rolesAnnotation } from './auth/roles.ts';
import { createTokens } from './auth/tokens.ts';
import { objectAs } from './cache/item.ts';
import { WatchCache } from './cache/watch-cache.ts';
import type { ApiServerConfig } from './config.ts';
import { kubernetesVersion } from './discovery/version.ts';
import type { InProcess, InProcessIdentity } from './http/in-process.ts';
import { inProcess } from './http/in-process.ts';
import { createServerMetrics } from './metrics.ts';
import type { KeyPair } from './pki/certificate.ts';
import type { Server } from './server.ts';
import { createAgentConnector } from './subresources/agent-connection.ts';
import { ensureSystemObjects } from './system/ensure.ts';
import { systemObjects } from './system/system-objects.ts';

/** Keys that the server works with, out of the PKI. */
export interface CoreKeys {
  /** PKCS 8 PEM. */
  readonly tokenKey: string;
  readonly agentClient: KeyPair;
}

/** The server without its listeners: everything behind `answer`. */
export interface Core extends AsyncDisposable {
  readonly server: Server;
  /** A transport for a component of this process. */
  inProcess(identity: InProcessIdentity): InProcess;
  /** Makes the system objects and keeps them. `port` is the one the server is reached at. Ready when it resolves. */
  makeReady(port: number): Promise<void>;
}

const repairIntervalMs = 30_000;
const systemIdentity: InProcessIdentity = {
  name: 'system:apiserver',
  groups: [mastersGroup],
  userAgent: 'kube-apiserver',
};

/** Reads the store into memory and sets up what requests need. The store stays the caller's. */
export async function openCore(config: ApiServerConfig, keys: CoreKeys): Promise<Core> {
  const { logger } = config;
  const cache = await WatchCache.open(config.store, (error) =>
    logger.error('the watch cache lost the store', { error }),
  );
  let notReady: string | undefined = 'system objects are being created';
  let repair: NodeJS.Timeout | undefined;
  const server = createServer(config, keys, cache, () => notReady);
  const open = (identity: InProcessIdentity) => inProcess(identity, (request) => answer(request, server));
  const transport = open(systemIdentity);
  const repairAllocations = createRepair({
    ...allocationCaches(cache),
    store: config.store,
    portRange: config.nodePortRange,
    now: server.now,
    newUid: randomUUID,
    report: (event) => postEvent(transport, eventOf(event, server.now(), randomBytes(6).toString('hex'))),
  });
  return {
    server,
    inProcess: open,
    async makeReady(port) {
      const { serviceCidrs, advertiseAddress } = config;
      const wanted = systemObjects({ serviceCidrs, advertiseAddress, port });
      const putRight = async () => {
        await ensureSystemObjects(transport, wanted);
        await server.cache.fresh();
        await repairAllocations();
      };
      await putRight();
      notReady = undefined;
      repair = setInterval(() => {
        putRight().catch((error: unknown) => logger.warn('cannot repair system objects', { error }));
      }, repairIntervalMs).unref();
    },
    async [Symbol.asyncDispose]() {
      clearInterval(repair);
      for (const stream of server.streams) stream.end('shutdown');
      await transport[Symbol.asyncDispose]();
      await server.agents[Symbol.asyncDispose]();
      await cache[Symbol.asyncDispose]();
    },
  };
}

function createServer(
  config: ApiServerConfig,
  keys: CoreKeys,
  cache: WatchCache,
  readiness: () => string | undefined,
): Server {
  const now = config.now ?? Date.now;
  let openApi: OpenApi | undefined;
  return {
    store: config.store,
    cache,
    tokens: createTokens(keys.tokenKey, `https://kubernetes.default.svc.${config.clusterDomain}`),
    admission: [
      namespaceLifecycle(cache.resource('namespaces')),
      serviceAccountRule(cache.resource('serviceaccounts')),
      serviceAllocation({
        ...allocationCaches(cache),
        portRange: config.nodePortRange,
        now,
        newUid: randomUUID,
        random: Math.random,
        allowLoopback: config.allowLoopback,
      }),
      nodePlacement(cache.resource('nodes'), createPodCounts(cache.resource('pods')), now),
    ],
    rolesFor: rolesFromAnnotations(cache),
    agents: createAgentConnector({ client: keys.agentClient, authority: config.agentAuthority }),
    log: config.logger,
    metrics: createServerMetrics(config.metrics),
    registry: config.metrics,
    now,
    allowLoopback: config.allowLoopback,
    streams: new Set(),
    openApi: () => (openApi ??= buildOpenApi(kubernetesVersion)),
    readiness,
  };
}

function allocationCaches(cache: WatchCache) {
  return {
    services: cache.resource('services'),
    ipAddresses: cache.resource('ipaddresses.networking.k8s.io'),
    serviceCidrs: cache.resource('servicecidrs.networking.k8s.io'),
  };
}

async function postEvent(transport: InProcess, event: Readonly<Record<string, unknown>>): Promise<void> {
  const namespace = isJsonObject(event['metadata']) ? String(event['metadata']['namespace']) : 'default';
  const headers = { 'content-type': 'application/json' };
  await transport.request({
    method: 'POST',
    path: `/api/v1/namespaces/${namespace}/events`,
    headers,
    body: JSON.stringify(event),
  });
}

/** The roles in a ServiceAccount's annotation. */
function rolesFromAnnotations(cache: WatchCache): RoleLookup {
  const accounts = cache.resource('serviceaccounts');
  return (userName) => {
    const account = parseServiceAccount(userName);
    const item = account && accounts.items.get(`${accounts.prefix}${account.namespace}/${account.name}`);
    const text = item && objectAs(ServiceAccount, item).metadata.annotations?.[rolesAnnotation];
    return (text ?? '').split(',').map((role) => role.trim());
  };
}
