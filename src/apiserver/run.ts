import { mkdir } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { ServiceAccount } from '../api/core/service-account.ts';
import type { OpenApi } from '../api/openapi.ts';
import { buildOpenApi } from '../api/openapi.ts';
import { namespaceLifecycle } from './admission/namespace-lifecycle.ts';
import { nodePlacement } from './admission/node-placement.ts';
import { createPodCounts } from './admission/pod-counts.ts';
import { serviceAccountRule } from './admission/service-account.ts';
import { answer, answerUpgrade } from './answer.ts';
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
import { listenHttps } from './http/https-server.ts';
import { createServerMetrics } from './metrics.ts';
import type { KeyPair } from './pki/certificate.ts';
import { renderKubeconfig } from './pki/kubeconfig.ts';
import type { Holder, Pki } from './pki/pki.ts';
import { openPki, writePrivateFile } from './pki/pki.ts';
import type { Server } from './server.ts';
import { createAgentConnector } from './subresources/agent-connection.ts';
import { ensureSystemObjects } from './system/ensure.ts';
import { kubernetesServiceIp, systemObjects } from './system/system-objects.ts';

/** A running API server. Disposing ends its streams and listeners; the store stays open. */
export interface ApiServer extends AsyncDisposable {
  /** `https://127.0.0.1:6443`. */
  readonly url: string;
  readonly addresses: readonly { readonly address: string; readonly port: number }[];
  /** Path of the administrator's kubeconfig, mode 0600. */
  readonly kubeconfig: string;
  /** PEM of the authority that signed the server's certificate. */
  readonly authority: string;
  /** A transport for a component of this process. */
  inProcess(identity: InProcessIdentity): InProcess;
  /** Writes a kubeconfig for a component that runs elsewhere (mode 0600) and gives its path. */
  writeKubeconfig(name: string, holder: Holder): Promise<string>;
  /** A certificate for a component that listens, such as the agent. Lives one year. */
  issueServingCertificate(
    commonName: string,
    names: { dnsNames?: readonly string[]; addresses?: readonly string[] },
  ): Promise<KeyPair>;
}

const repairIntervalMs = 30_000;
const systemIdentity: InProcessIdentity = {
  name: 'system:apiserver',
  groups: [mastersGroup],
  userAgent: 'kube-apiserver',
};

/** Starts the server: certificates, cache, listeners, system objects. Resolves when it is ready to serve. */
export async function startApiServer(config: ApiServerConfig): Promise<ApiServer> {
  const now = config.now ?? Date.now;
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  const pki = await openPki({ folder: join(config.dataDir, 'pki'), ...servingNames(config), now: new Date(now()) });
  const cache = await WatchCache.open(config.store, (error) =>
    config.logger.error('the watch cache lost the store', { error }),
  );
  let notReady: string | undefined = 'system objects are being created';
  const server = createServer(config, pki, cache, () => notReady);
  const transport = inProcess(systemIdentity, (request) => answer(request, server));
  const listeners = await listenHttps({
    listen: config.listen,
    certificate: pki.serving.certificate,
    key: pki.serving.key,
    clientAuthority: pki.authority,
    answer: (request) => answer(request, server),
    upgrade: (request, message: IncomingMessage, socket: Duplex, head: Buffer) =>
      answerUpgrade(request, server, message, socket, head),
  });
  const [first] = listeners.addresses;
  const port = first?.port ?? 0;
  const url = `https://${bracketed(first?.address ?? '127.0.0.1')}:${port}`;
  const wanted = systemObjects({ serviceCidrs: config.serviceCidrs, advertiseAddress: config.advertiseAddress, port });
  await ensureSystemObjects(transport, wanted);
  notReady = undefined;
  const repair = setInterval(() => {
    ensureSystemObjects(transport, wanted).catch((error: unknown) =>
      config.logger.warn('cannot repair system objects', { error }),
    );
  }, repairIntervalMs).unref();
  const writeKubeconfig = (path: string, user: string, client: KeyPair) =>
    writePrivateFile(path, renderKubeconfig({ server: url, authority: pki.authority, user, client }));
  const kubeconfig = join(config.dataDir, 'kubeconfig');
  const admin = await pki.client('admin', { commonName: 'kubernetes-admin', organizations: [mastersGroup] });
  await writeKubeconfig(kubeconfig, 'kubernetes-admin', admin);
  config.logger.info('serving', { url, revision: cache.revision });
  return {
    url,
    addresses: listeners.addresses,
    kubeconfig,
    authority: pki.authority,
    inProcess: (identity) => inProcess(identity, (request) => answer(request, server)),
    async writeKubeconfig(name, holder) {
      const path = join(config.dataDir, 'pki', `${name}.kubeconfig`);
      await writeKubeconfig(path, holder.commonName, await pki.client(name, holder));
      return path;
    },
    issueServingCertificate: (commonName, names) => pki.issue({ commonName, usage: 'server', ...names }),
    async [Symbol.asyncDispose]() {
      clearInterval(repair);
      for (const stream of server.streams) stream.end('shutdown');
      await transport[Symbol.asyncDispose]();
      await listeners[Symbol.asyncDispose]();
      await server.agents[Symbol.asyncDispose]();
      await cache[Symbol.asyncDispose]();
    },
  };
}

function createServer(
  config: ApiServerConfig,
  pki: Pki,
  cache: WatchCache,
  readiness: () => string | undefined,
): Server {
  const now = config.now ?? Date.now;
  let openApi: OpenApi | undefined;
  return {
    store: config.store,
    cache,
    tokens: createTokens(pki.tokenKey, `https://kubernetes.default.svc.${config.clusterDomain}`),
    admission: [
      namespaceLifecycle(cache.resource('namespaces')),
      serviceAccountRule(cache.resource('serviceaccounts')),
      nodePlacement(cache.resource('nodes'), createPodCounts(cache.resource('pods')), now),
    ],
    rolesFor: rolesFromAnnotations(cache),
    agents: createAgentConnector({ client: pki.agentClient, authority: config.agentAuthority }),
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

function servingNames(config: ApiServerConfig): { dnsNames: readonly string[]; addresses: readonly string[] } {
  const isAddress = (name: string) => /^[\d.]+$|:/.test(name);
  const extra = config.extraNames ?? [];
  const listening = config.listen
    .map(({ address }) => address)
    .filter((address) => address !== '0.0.0.0' && address !== '::');
  const addresses = [
    '127.0.0.1',
    '::1',
    config.advertiseAddress,
    kubernetesServiceIp(config.serviceCidrs),
    ...listening,
    ...extra.filter(isAddress),
  ];
  const service = [
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    `kubernetes.default.svc.${config.clusterDomain}`,
  ];
  return {
    dnsNames: ['localhost', ...service, ...extra.filter((name) => !isAddress(name))],
    addresses: [...new Set(addresses)],
  };
}

function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
