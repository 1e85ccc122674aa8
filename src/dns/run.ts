import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import { advertise } from './advertise.ts';
import type { Identity } from './answer-options.ts';
import type { Dns, DnsConfig } from './config.ts';
import { Endpoints } from './endpoints.ts';
import { dnsService, lameDuck, sendsClients } from './lame-duck.ts';
import { OpenListeners } from './listen/open-listeners.ts';
import { QueryCounts } from './metrics.ts';
import { NodeCache } from './node/node-cache.ts';
import { streamIdleMs } from './listen/tcp.ts';
import { leaveRoot } from './leave-root.ts';
import { thisMachine } from './machine.ts';
import { Shadow } from './shadow/shadow.ts';
import { ServerSet } from './server-set.ts';
import type { DnsSettings } from './settings/settings.ts';

/** What sockets, threads and cookies were made with stays as it is until the end. */
const startSettings = ['identity', 'cookieSecretFile', 'workers'] as const;

/**
 * Starts the DNS server: restores the last known state, listens, and follows the cluster. Resolves when it answers on all
 * addresses; rejects with the system's error when one cannot be had, or with what is wrong with the settings.
 */
export async function startDns(config: DnsConfig): Promise<Dns> {
  const { caches, logger, advertise: advertising, machine: { clock } = thisMachine } = config;
  const stop = new AbortController();
  await using stack = new AsyncDisposableStack();
  const node = config.nodeCache && stack.use(new NodeCache({ addresses: config.nodeCache, logger }));
  const servers = stack.use(new ServerSet(config));
  const counts = stack.use(new QueryCounts(config.metrics));
  const shadow = stack.use(new Shadow({ ...thisMachine, ...config.machine, logger, metrics: config.metrics }));
  const listeners = stack.use(
    new OpenListeners({
      ...config,
      counts,
      shadow,
      reusePort: node !== undefined,
      workers: config.settings.workers,
      identity: await identityOf(config.settings),
    }),
  );

  /** Gives a function: a promise of a promise would wait for both. */
  let isReady = false;
  let isLeaving = false;
  const endpoints = stack.use(
    new Endpoints({
      logger,
      metrics: config.metrics,
      isReady: () => isReady,
      isLeaving: () => isLeaving,
      shadowPage: () => shadow.page(),
    }),
  );
  let { health, shadow: shadowed } = config.settings;
  const become = async (settings: DnsSettings): Promise<{ readonly synced: Promise<void> }> => {
    const prepared = await servers.prepare(settings);
    try {
      await node?.mayListen(prepared.synced, config.signal);
      shadow.become(settings.shadow);
      await listeners.become(prepared.listeners);
    } catch (error) {
      shadow.become(shadowed);
      await prepared.discard();
      throw error;
    }
    node?.listens();
    await prepared.commit();
    endpoints.become(settings);
    ({ health, shadow: shadowed } = settings);
    const waiting = startSettings.filter((name) => settings[name] !== config.settings[name]);
    if (waiting.length > 0) logger.warn('settings that count at the next start have changed', { settings: waiting });
    void prepared.synced.then(() => (isReady = true));
    for (const resolver of servers.resolvers) void resolver.findLoops();
    return { synced: prepared.synced };
  };
  const { synced } = await become(config.settings);
  if (config.user !== undefined) await leaveRoot(config.user, { ...config, node });
  const advertised = advertising
    ? advertise({ config: advertising, client: config.client, caches, logger, signal: stop.signal })
    : Promise.resolve();
  logger.info('answering', { listen: listeners.listening, udp: listeners.udp });

  const owned = stack.move();
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    isLeaving = true;
    const mostMs = health?.lameDuckMs ?? 0;
    if (node !== undefined) {
      await node.mayLeave(mostMs);
      node.leave();
    } else if (mostMs > 0)
      await lameDuck({ clock, mostMs, isAdvertised: () => isAdvertised(config), queries: () => counts.asked() });
    stop.abort();
    await advertised;
    await owned.disposeAsync();
  };
  const dispose = (): Promise<void> => (closing ??= close());
  config.signal?.addEventListener('abort', () => void dispose(), { once: true });
  if (config.signal?.aborted) await dispose();
  return {
    get listening() {
      return listeners.listening;
    },
    udp: listeners.udp,
    synced,
    async become(settings) {
      await become(settings);
    },
    [Symbol.asyncDispose]: dispose,
  };
}

/** Whether an EndpointSlice of the DNS Service still sends clients to an address of this machine. */
function isAdvertised({ caches, service = dnsService }: DnsConfig): boolean {
  const own = Object.values(networkInterfaces()).flatMap((link = []) => link.map(({ address }) => address));
  return sendsClients(caches.of(EndpointSlice).list(), service, new Set(own));
}

/** Throws RangeError when the secret's file does not hold one. */
async function identityOf({ identity, cookieSecretFile }: DnsSettings): Promise<Identity> {
  const text = cookieSecretFile && (await readFile(cookieSecretFile, 'utf8')).trim();
  if (text !== undefined && !/^[0-9a-f]{32}$/i.test(text)) {
    throw new RangeError(`${cookieSecretFile} does not hold a secret of 32 hex digits`);
  }
  const cookieSecret = text === undefined ? randomBytes(16) : Buffer.from(text, 'hex');
  return { name: identity, cookieSecret, idleMs: streamIdleMs, now: Date.now };
}
