import { Namespace } from '../api/core/namespace.ts';
import { Pod } from '../api/core/pod.ts';
import { Service } from '../api/core/service.ts';
import { EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import type { DnsConfig } from './config.ts';
import { ExternalNames } from './external/external-names.ts';
import type { ExternalConfig } from './external/external-names.ts';
import { followExternal } from './external/follow-external.ts';
import { createForwarder } from './forward/forwarder.ts';
import { isOwnAddress } from './forward/own-address.ts';
import type { Resolver } from './forward/resolver.ts';
import { openTap, type Tap } from './dnstap/tap.ts';
import { followCluster } from './follow-cluster.ts';
import type { ClusterParts } from './handlers/handler.ts';
import type { ListenerServers } from './listen/open-listeners.ts';
import { NegativeReplies } from './negative.ts';
import { PrebuiltWriter } from './prebuilt/writer.ts';
import { createRecords } from './records.ts';
import { createServer, type Server } from './servers.ts';
import { noCache } from './settings/cluster-server.ts';
import type { ClusterSettings, DnsSettings, ForwardSettings, ServerSettings } from './settings/settings.ts';

/** What is known of a cluster, followed until it is disposed of. */
interface FollowedCluster extends AsyncDisposable {
  readonly parts: ClusterParts;
  readonly synced: Promise<void>;
}

/** A server with what it was made of. */
interface Made {
  readonly settings: ServerSettings;
  readonly server: Server;
  readonly tap: Tap | undefined;
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
  readonly #clusters = new Shared<FollowedCluster>();
  readonly #external = new Shared<FollowedCluster>();
  readonly #resolvers = new Shared<Resolver>();
  readonly #taps = new Shared<SharedTap>();
  #servers: readonly Server[] = [];

  constructor(config: DnsConfig) {
    this.#config = config;
  }

  get resolvers(): readonly Resolver[] {
    return this.#resolvers.values();
  }

  /** Questions that the servers in service were asked. */
  asked(): number {
    return this.#servers.reduce((sum, server) => sum + server.asked(), 0);
  }

  /** Rejects with what is wrong with the settings, such as a zone file that is none; then nothing has changed. */
  async prepare(settings: DnsSettings): Promise<Prepared> {
    const clusters = this.#clusters.next();
    const external = this.#external.next();
    const resolvers = this.#resolvers.next();
    const taps = this.#taps.next();
    const made: Made[] = [];
    const discard = async (): Promise<void> => {
      for (const { server } of made) server[Symbol.dispose]();
      await Promise.all([clusters.discard(), external.discard(), resolvers.discard()]);
    };
    try {
      for (const each of settings.servers) {
        const { cluster: wanted, listen } = each;
        const cluster = wanted && (await clusters.get(wanted, () => this.#follow(wanted, listen)));
        const forwards = othersOf(each);
        const resolver =
          forwards.length === 0
            ? undefined
            : await resolvers.get({ forwards, cache: each.cache }, async () => this.#resolver(forwards, each));
        const { logger, metrics } = this.#config;
        const outside = externalConfigOf(each, this.#serverAddresses(listen));
        const shown = outside && (await external.get(outside, async () => this.#followExternal(outside)));
        const parts = { cluster: cluster?.parts, external: shown?.parts, resolver, logger, metrics, now: Date.now };
        const tapped = each.dnstap;
        const tap = tapped && (await taps.get(tapped, async () => sharedTap(openTap(tapped, logger, metrics))));
        made.push({ settings: each, server: createServer(each, parts), tap });
      }
    } catch (error) {
      await discard();
      throw error;
    }
    const followed = [...clusters.values(), ...external.values()];
    const synced = Promise.all(followed.map((each) => each.synced)).then(() => undefined);
    return {
      listeners: listening(made),
      synced,
      discard,
      commit: async () => {
        for (const server of this.#servers) server[Symbol.dispose]();
        this.#servers = made.map(({ server }) => server);
        await Promise.all([clusters.commit(), external.commit(), resolvers.commit()]);
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers) server[Symbol.dispose]();
    await this.#resolvers[Symbol.asyncDispose]();
    await this.#taps[Symbol.asyncDispose]();
    await this.#external[Symbol.asyncDispose]();
    await this.#clusters[Symbol.asyncDispose]();
  }

  /** Reads the cluster, first from disk, then from the API. */
  async #follow(cluster: ClusterSettings, listen: ServerSettings['listen']): Promise<FollowedCluster> {
    const { caches, logger, metrics, dataDir } = this.#config;
    const memo = new PrebuiltWriter();
    const records = createRecords({
      serialChanged: (serial) => (memo.serial = serial),
      clusterDomain: cluster.zone,
      cidrs: cluster.cidrs,
      multicluster: cluster.multicluster,
      ttlSeconds: cluster.ttlSeconds,
      pods: cluster.pods,
      namespaces: cluster.namespaces,
      zonal: cluster.zonal,
      hidesEmptyServices: cluster.hidesEmptyServices,
      namesEndpointsByPod: cluster.namesEndpointsByPod,
      serverAddresses: this.#serverAddresses(listen),
    });
    const following = await followCluster({
      records,
      caches: {
        service: caches.of(Service),
        slice: caches.of(EndpointSlice),
        namespace: caches.of(Namespace),
        pod: cluster.pods === 'verified' ? caches.of(Pod) : undefined,
      },
      hidesEmptyServices: cluster.hidesEmptyServices,
      imports: cluster.multicluster.length > 0 ? caches : undefined,
      dataDir,
      logger,
      metrics,
      now: Date.now,
    });
    const { knowledge, synced } = following;
    const parts = { records, negatives: new NegativeReplies(records), memo, knowledge };
    return { parts, synced, [Symbol.asyncDispose]: () => following[Symbol.asyncDispose]() };
  }

  /** Reads what leads into the cluster from outside. */
  #followExternal(config: ExternalConfig): FollowedCluster {
    const { caches, logger } = this.#config;
    const records = new ExternalNames(config);
    const following = followExternal(records, { caches, logger, now: Date.now });
    const { knowledge, synced } = following;
    const parts = { records, negatives: new NegativeReplies(records), memo: new PrebuiltWriter(), knowledge };
    return { parts, synced, [Symbol.asyncDispose]: async () => following[Symbol.dispose]() };
  }

  /** Where askers reach this server: its Service, else where it listens. */
  #serverAddresses(listen: ServerSettings['listen']): readonly string[] {
    const ownIp = this.#config.advertise?.serviceIp;
    return ownIp ? [ownIp] : listen.map(({ address }) => address);
  }

  #resolver(forwards: readonly ForwardSettings[], { cache }: ServerSettings): Resolver {
    const { logger, metrics } = this.#config;
    const onLoop = (upstream: string): void => {
      logger.error('an upstream server sends our questions back to us; it is not asked any more', { upstream });
      this.#config.onLoop?.(upstream);
    };
    return createForwarder({ forwards, cache: cache ?? noCache, logger, metrics, now: Date.now, onLoop });
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

/** The servers of each listener, in the order of the settings. */
function listening(made: readonly Made[]): ListenerServers[] {
  const byAddress = new Map<string, ListenerServers & { readonly servers: Server[] }>();
  for (const { settings, server, tap } of made) {
    for (const where of settings.listen) {
      const key = `${where.transport} ${where.address} ${where.port}`;
      const known = byAddress.get(key);
      if (known === undefined) byAddress.set(key, { where, servers: [server], tap });
      else known.servers.push(server);
    }
  }
  return [...byAddress.values()];
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
