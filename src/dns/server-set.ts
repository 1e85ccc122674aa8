import type { Labels } from '../observe/metrics.ts';
import type { ClientPods } from './client-pods.ts';
import type { DnsConfig } from './config.ts';
import type { ExternalConfig } from './external/external-names.ts';
import { createForwarder } from './forward/forwarder.ts';
import { isOwnAddress } from './forward/own-address.ts';
import type { Resolver } from './forward/resolver.ts';
import { openTap, type Tap } from './dnstap/tap.ts';
import { followClients, followFamilies, followOutside, followRecords, serverAddressesOf } from './followed.ts';
import type { Followed } from './followed.ts';
import type { ClusterParts } from './handlers/handler.ts';
import type { ListenerServers } from './listen/open-listeners.ts';
import { thisMachine } from './machine.ts';
import { pluginNames, pluginNumber, serverLabel, zonesLabel } from './coredns-names.ts';
import { createServer, serverFinder, type GivenParts, type Server } from './servers.ts';
import { noCache } from './settings/cluster-server.ts';
import type { Query } from './wire/query.ts';
import type { DnsSettings, ForwardSettings, ListenSettings, ServerSettings } from './settings/settings.ts';

/** A server with what it was made of. */
interface Made {
  readonly settings: ServerSettings;
  readonly server: Server;
}

type SharedTap = Tap & AsyncDisposable;

function sharedTap(tap: Tap): SharedTap {
  return { ...tap, [Symbol.asyncDispose]: async () => tap[Symbol.dispose]() };
}

/** Servers made of settings, not yet in service. */
export interface Prepared {
  readonly listeners: readonly ListenerServers[];
  /** Resolves once the cluster is read completely. */
  readonly synced: Promise<void>;
  /** Makes these the servers that stay; those before and what only they used are taken away. */
  readonly commit: () => Promise<void>;
  /** Takes away what was made for these alone. */
  readonly discard: () => Promise<void>;
}

/**
 * Makes servers of settings, again and again. What did not change between two settings is the same object in both: the
 * records of a cluster, and a resolver with its cache.
 */
export class ServerSet implements AsyncDisposable {
  readonly #config: DnsConfig;
  readonly #resolvers = new Shared<Resolver>();
  readonly #taps = new Shared<SharedTap>();
  readonly #clusters = new Shared<Followed<ClusterParts>>();
  readonly #external = new Shared<Followed<ClusterParts>>();
  readonly #clients = new Shared<Followed<ClientPods>>();
  readonly #ipv6 = new Shared<Followed<() => boolean>>();
  #servers: readonly Server[] = [];
  /** Labels of the handlers that metrics tell of. */
  #enabled: readonly Labels[] = [];

  constructor(config: DnsConfig) {
    this.#config = config;
  }

  get resolvers(): readonly Resolver[] {
    return this.#resolvers.values();
  }

  /** Rejects with what is wrong with the settings, such as a zone file that is none; then nothing has changed. */
  async prepare(settings: DnsSettings): Promise<Prepared> {
    const drafts = {
      clusters: this.#clusters.next(),
      external: this.#external.next(),
      clients: this.#clients.next(),
      ipv6: this.#ipv6.next(),
      resolvers: this.#resolvers.next(),
      taps: this.#taps.next(),
    };
    const made: Made[] = [];
    const discard = async (): Promise<void> => {
      for (const { server } of made) server[Symbol.dispose]();
      await Promise.all(Object.values(drafts).map((draft) => draft.discard()));
    };
    try {
      for (const each of settings.servers) {
        const { dnstap } = each;
        const { logger, metrics } = this.#config;
        const tap = dnstap && (await drafts.taps.get(dnstap, async () => sharedTap(openTap(dnstap, logger, metrics))));
        const parts = { ...(await this.#partsOf(each, drafts)), serverFor: finderAt(each.listen, made) };
        const server = createServer(each, parts, tap);
        made.push({ settings: each, server });
      }
    } catch (error) {
      await discard();
      throw error;
    }
    const { clusters, external, clients } = drafts;
    const followed = [...clusters.values(), ...external.values(), ...clients.values()];
    return {
      listeners: listening(made),
      synced: Promise.all(followed.map((each) => each.synced)).then(() => undefined),
      discard,
      commit: async () => {
        for (const server of this.#servers) server[Symbol.dispose]();
        this.#servers = made.map(({ server }) => server);
        await Promise.all(Object.values(drafts).map((draft) => draft.commit()));
        this.#tellHandlers(made);
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers) server[Symbol.dispose]();
    for (const shared of [this.#resolvers, this.#taps, this.#ipv6, this.#clients, this.#external, this.#clusters]) {
      await shared[Symbol.asyncDispose]();
    }
  }

  /** Which handlers the servers in service have. */
  #tellHandlers(made: readonly Made[]): void {
    const enabled = this.#config.metrics.gauge({
      name: 'coredns_plugin_enabled',
      help: 'What takes part in answering, by server.',
      labels: ['server', 'zone', 'view', 'name'],
    });
    const series = made.flatMap(({ settings, server }) =>
      settings.listen.flatMap((where) =>
        settings.zones.flatMap((zone) =>
          server.handlers.map((handler) => {
            const name = pluginNames[pluginNumber(handler)] ?? '';
            return { server: serverLabel(where), zone: zonesLabel([zone]), view: server.view, name };
          }),
        ),
      ),
    );
    for (const labels of this.#enabled) enabled.remove(labels);
    for (const labels of series) enabled.set(1, labels);
    this.#enabled = series;
  }

  async #partsOf(settings: ServerSettings, drafts: Drafts): Promise<GivenParts> {
    const { cluster, listen, autopath, visibility, aaaa, cache } = settings;
    const config = this.#config;
    const addresses = serverAddressesOf(config, listen);
    const outside = externalConfigOf(settings, addresses);
    const forwards = othersOf(settings);
    const hasClients = autopath !== undefined || visibility.length > 0;
    const known = cluster && (await drafts.clusters.get(cluster, () => followRecords(config, cluster, addresses)));
    const shown = outside && (await drafts.external.get(outside, async () => followOutside(config, outside)));
    const clients = hasClients ? await drafts.clients.get({}, async () => followClients(config)) : undefined;
    const cidrs = cluster?.cidrs ?? [];
    const ipv6 = aaaa === 'auto' ? await drafts.ipv6.get(cidrs, async () => followFamilies(config, cidrs)) : undefined;
    const resolver =
      forwards.length === 0
        ? undefined
        : await drafts.resolvers.get({ forwards, cache }, async () => this.#resolver(forwards, settings));
    const { logger, metrics, machine: { clock } = thisMachine } = config;
    return {
      cluster: known?.parts,
      external: shown?.parts,
      clientPods: clients?.parts,
      hasIpv6: ipv6?.parts ?? (() => true),
      resolver,
      logger,
      metrics,
      now: clock.now,
    };
  }

  #resolver(forwards: readonly ForwardSettings[], settings: ServerSettings): Resolver {
    const { logger, metrics, machine: { clock, network, random } = thisMachine } = this.#config;
    const { cache = noCache, listen, zones, view } = settings;
    const [where] = listen;
    const labels = {
      server: where === undefined ? '' : serverLabel(where),
      zones: zonesLabel(settings.cache?.zones ?? zones),
      view: view?.name ?? '',
    };
    const onLoop = (upstream: string): void => {
      logger.error('an upstream server sends our questions back to us; it is not asked any more', { upstream });
      this.#config.onLoop?.(upstream);
    };
    return createForwarder({ forwards, cache, labels, logger, metrics, clock, network, random, onLoop });
  }
}

function externalConfigOf(
  { external, cluster }: ServerSettings,
  serverAddresses: readonly string[],
): ExternalConfig | undefined {
  return external && { ...external, namespaces: cluster?.namespaces ?? [], serverAddresses };
}

/** Own addresses among the upstream servers are left out: they would ask themselves. */
function othersOf({ forwards, listen }: ServerSettings): readonly ForwardSettings[] {
  return forwards
    .map((forward) => ({ ...forward, upstreams: forward.upstreams.filter((each) => !isOwnAddress(each, listen)) }))
    .filter(({ upstreams }) => upstreams.length > 0);
}

/** Finds the server of a query that comes in where one listens: among those in `made` by then that listen there too. */
function finderAt(listen: ServerSettings['listen'], made: readonly Made[]): (query: Query) => Server | undefined {
  const addresses = new Set(listen.map(addressKey));
  const sharing = (): Server[] =>
    made
      .filter(({ settings }) => settings.listen.some((where) => addresses.has(addressKey(where))))
      .map(({ server }) => server);
  let find: ReturnType<typeof serverFinder> | undefined;
  return (query) => (find ??= serverFinder(sharing()))(query)?.server;
}

function addressKey({ transport, address, port }: ListenSettings): string {
  return `${transport} ${address} ${port}`;
}

/** The servers of each listener, in the order of the settings. */
function listening(made: readonly Made[]): ListenerServers[] {
  const byAddress = new Map<string, ListenerServers & { readonly servers: Server[] }>();
  for (const { settings, server } of made) {
    for (const where of settings.listen) {
      const key = addressKey(where);
      const known = byAddress.get(key);
      if (known === undefined) byAddress.set(key, { where, servers: [server] });
      else known.servers.push(server);
    }
  }
  return [...byAddress.values()];
}

/** What is being made for the next settings. */
interface Drafts {
  readonly clusters: SharedDraft<Followed<ClusterParts>>;
  readonly external: SharedDraft<Followed<ClusterParts>>;
  readonly clients: SharedDraft<Followed<ClientPods>>;
  readonly ipv6: SharedDraft<Followed<() => boolean>>;
  readonly resolvers: SharedDraft<Resolver>;
  readonly taps: SharedDraft<SharedTap>;
}

/** Things made from settings, kept from one settings to the next as long as their part of them is equal. */
class Shared<T extends AsyncDisposable> implements AsyncDisposable {
  #current = new Map<string, T>();

  values(): T[] {
    return [...this.#current.values()];
  }

  next(): SharedDraft<T> {
    const draft = new Map<string, T>();
    const end = async (kept: ReadonlyMap<string, T>, others: ReadonlyMap<string, T>): Promise<void> => {
      const gone = [...others].filter(([key, value]) => kept.get(key) !== value).map(([, value]) => value);
      await Promise.all(gone.map((value) => value[Symbol.asyncDispose]()));
    };
    return {
      get: async (settings, make) => {
        const key = JSON.stringify(settings);
        const value = draft.get(key) ?? this.#current.get(key) ?? (await make());
        draft.set(key, value);
        return value;
      },
      values: () => [...draft.values()],
      commit: async () => {
        const before = this.#current;
        this.#current = draft;
        await end(draft, before);
      },
      discard: () => end(this.#current, draft),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.values().map((value) => value[Symbol.asyncDispose]()));
  }
}

interface SharedDraft<T> {
  readonly get: (settings: unknown, make: () => Promise<T>) => Promise<T>;
  readonly values: () => T[];
  readonly commit: () => Promise<void>;
  readonly discard: () => Promise<void>;
}
