import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Namespace } from '../api/core/namespace.ts';
import { Pod } from '../api/core/pod.ts';
import { Service } from '../api/core/service.ts';
import { EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import { advertise } from './advertise.ts';
import type { Dns, DnsConfig } from './config.ts';
import { createForwarder } from './forward/forwarder.ts';
import { isOwnAddress } from './forward/own-address.ts';
import { followCluster } from './follow-cluster.ts';
import type { Identity } from './answer-options.ts';
import { streamIdleMs } from './listen/tcp.ts';
import { listenAll } from './listen/listen-all.ts';
import { NegativeReplies } from './negative.ts';
import { createRecords } from './records.ts';
import { ReplyMemo } from './reply-memo.ts';
import type { ClusterParts } from './handlers/handler.ts';
import type { Resolver } from './forward/resolver.ts';
import type { ListenerServers } from './listen/listen-all.ts';
import { createServer } from './servers.ts';
import type { Server } from './servers.ts';
import { noCache } from './settings/cluster-server.ts';
import type { ClusterSettings, ForwardSettings, ServerSettings } from './settings/settings.ts';

/**
 * Starts the DNS server: restores the last known state, listens, and follows the cluster. Resolves when it answers on all
 * addresses; rejects with the system's error when one cannot be had.
 */
export async function startDns(config: DnsConfig): Promise<Dns> {
  const { caches, logger, metrics, advertise: advertising } = config;
  const stop = new AbortController();
  await using stack = new AsyncDisposableStack();
  const servers: { readonly settings: ServerSettings; readonly server: Server }[] = [];
  const resolvers: Resolver[] = [];
  const clusters = new Map<ClusterSettings, ClusterParts & { readonly synced: Promise<void> }>();
  for (const settings of config.settings.servers) {
    const cluster = settings.cluster && (clusters.get(settings.cluster) ?? (await followFor(config, settings, stack)));
    if (settings.cluster !== undefined && cluster !== undefined) clusters.set(settings.cluster, cluster);
    const resolver = resolverFor(config, settings);
    if (resolver !== undefined) resolvers.push(stack.use(resolver));
    const parts = { cluster, resolver, logger, metrics, now: Date.now };
    servers.push({ settings, server: stack.use(createServer(settings, parts)) });
  }
  const listeners = stack.use(await listenAll(listening(servers), { ...config, identity: await identityOf(config) }));
  const advertised = advertising
    ? advertise({ config: advertising, client: config.client, caches, logger, signal: stop.signal })
    : Promise.resolve();
  for (const resolver of resolvers) void resolver.findLoops();
  logger.info('answering', {
    listen: listeners.listening,
    udp: listeners.udp,
    zones: servers.flatMap(({ settings }) => settings.zones),
  });

  const owned = stack.move();
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    stop.abort();
    await advertised;
    await owned.disposeAsync();
  };
  const dispose = (): Promise<void> => (closing ??= close());
  config.signal?.addEventListener('abort', () => void dispose(), { once: true });
  if (config.signal?.aborted) await dispose();
  return {
    listening: listeners.listening,
    udp: listeners.udp,
    synced: Promise.all(Array.from(clusters.values(), ({ synced }) => synced)).then(() => undefined),
    [Symbol.asyncDispose]: dispose,
  };
}

/** Throws RangeError when the secret's file does not hold one. */
async function identityOf({ settings: { identity, cookieSecretFile } }: DnsConfig): Promise<Identity> {
  const text = cookieSecretFile && (await readFile(cookieSecretFile, 'utf8')).trim();
  if (text !== undefined && !/^[0-9a-f]{32}$/i.test(text)) {
    throw new RangeError(`${cookieSecretFile} does not hold a secret of 32 hex digits`);
  }
  const cookieSecret = text === undefined ? randomBytes(16) : Buffer.from(text, 'hex');
  return { name: identity, cookieSecret, idleMs: streamIdleMs, now: Date.now };
}

/** Reads the cluster for a server, first from disk, then from the API. */
async function followFor(
  config: DnsConfig,
  { cluster, listen }: ServerSettings,
  stack: AsyncDisposableStack,
): Promise<(ClusterParts & { readonly synced: Promise<void> }) | undefined> {
  if (cluster === undefined) return undefined;
  const { caches, logger, metrics, dataDir } = config;
  const ownIp = config.advertise?.serviceIp;
  const records = createRecords({
    clusterDomain: cluster.zone,
    cidrs: cluster.cidrs,
    ttlSeconds: cluster.ttlSeconds,
    pods: cluster.pods,
    serverAddresses: ownIp ? [ownIp] : listen.map(({ address }) => address),
  });
  const following = stack.use(
    await followCluster({
      records,
      caches: {
        service: caches.of(Service),
        slice: caches.of(EndpointSlice),
        namespace: caches.of(Namespace),
        pod: cluster.pods === 'verified' ? caches.of(Pod) : undefined,
      },
      dataDir,
      logger,
      metrics,
      now: Date.now,
    }),
  );
  return {
    records,
    negatives: new NegativeReplies(records),
    memo: new ReplyMemo(),
    knowledge: following.knowledge,
    synced: following.synced,
  };
}

/** Own addresses among the upstream servers are left out: they would ask themselves. */
function resolverFor(
  { logger, metrics }: DnsConfig,
  { forwards, listen, cache }: ServerSettings,
): Resolver | undefined {
  const others = forwards
    .map((forward) => ({ ...forward, upstreams: forward.upstreams.filter((each) => !isOwnAddress(each, listen)) }))
    .filter(({ upstreams }) => upstreams.length > 0);
  const count = (all: readonly ForwardSettings[]): number => all.flatMap(({ upstreams }) => upstreams).length;
  if (count(others) < count(forwards)) logger.warn('left out upstream servers that are this server itself', { listen });
  if (others.length === 0) return undefined;
  return createForwarder({ forwards: others, cache: cache ?? noCache, logger, metrics, now: Date.now, onLoop });

  function onLoop(upstream: string): void {
    logger.error('an upstream server sends our questions back to us; it is not asked any more', { upstream });
  }
}

/** The servers of each listener, in the order of the settings. */
function listening(
  servers: readonly { readonly settings: ServerSettings; readonly server: Server }[],
): ListenerServers[] {
  const byAddress = new Map<string, ListenerServers & { readonly servers: Server[] }>();
  for (const { settings, server } of servers) {
    for (const where of settings.listen) {
      const key = `${where.transport} ${where.address} ${where.port}`;
      const known = byAddress.get(key);
      if (known === undefined) byAddress.set(key, { where, servers: [server] });
      else known.servers.push(server);
    }
  }
  return [...byAddress.values()];
}
