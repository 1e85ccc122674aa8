import { networkInterfaces } from 'node:os';
import { Namespace } from '../api/core/namespace.ts';
import { Pod } from '../api/core/pod.ts';
import { Service } from '../api/core/service.ts';
import { EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import type { Cache } from '../client/caches.ts';
import { familyOf, isUnspecified, parseIp } from '../lib/ip.ts';
import { ClientPods, keepClient } from './client-pods.ts';
import type { DnsConfig } from './config.ts';
import { ExternalNames } from './external/external-names.ts';
import type { ExternalConfig } from './external/external-names.ts';
import { followExternal } from './external/follow-external.ts';
import { followCluster } from './follow-cluster.ts';
import type { ClusterParts } from './handlers/handler.ts';
import { followIpv6 } from './ipv6-evidence.ts';
import { thisMachine } from './machine.ts';
import { NegativeReplies } from './negative.ts';
import { PrebuiltWriter } from './prebuilt/writer.ts';
import { createRecords } from './records.ts';
import type { Names } from './records.ts';
import type { ClusterSettings, ServerSettings } from './settings/settings.ts';

/** Something that is kept up to date until it is disposed of. */
export interface Followed<T> extends AsyncDisposable {
  readonly parts: T;
  /** Resolves once it is read completely. Never rejects. */
  readonly synced: Promise<void>;
}

/** Reads the cluster, first from disk, then from the API. */
export async function followRecords(
  { caches, logger, metrics, dataDir, machine: { clock } = thisMachine }: DnsConfig,
  cluster: ClusterSettings,
  serverAddresses: readonly string[],
): Promise<Followed<ClusterParts>> {
  const memo = new PrebuiltWriter(clock.now);
  const serialChanged = (serial: number): void => {
    memo.serial = serial;
  };
  const records = createRecords({ ...cluster, clusterDomain: cluster.zone, serverAddresses, serialChanged });
  const following = await followCluster({
    records,
    caches: {
      service: caches.of(Service),
      slice: caches.of(EndpointSlice),
      namespace: caches.of(Namespace),
      pod: cluster.pods === 'verified' ? podsOf({ caches }) : undefined,
    },
    hidesEmptyServices: cluster.hidesEmptyServices,
    imports: cluster.multicluster.length > 0 ? caches : undefined,
    dataDir,
    logger,
    metrics,
    clock,
  });
  const parts = partsOf(records, memo, following.knowledge);
  return { parts, synced: following.synced, [Symbol.asyncDispose]: () => following[Symbol.asyncDispose]() };
}

/** Reads what leads into the cluster from outside. */
export function followOutside(
  { caches, logger, machine: { clock } = thisMachine }: DnsConfig,
  config: ExternalConfig,
): Followed<ClusterParts> {
  const names = new ExternalNames(config);
  const following = followExternal(names, { caches, logger, clock });
  const parts = partsOf(names, new PrebuiltWriter(clock.now), following.knowledge);
  return { parts, synced: following.synced, [Symbol.asyncDispose]: async () => following[Symbol.dispose]() };
}

/** Reads who may ask. */
export function followClients(config: DnsConfig): Followed<ClientPods> {
  const parts = new ClientPods();
  const cache = podsOf(config);
  const subscription = cache.subscribe((changes) => {
    for (const { old, current } of changes) parts.change(old, current);
  });
  return { parts, synced: cache.synced, [Symbol.asyncDispose]: async () => subscription[Symbol.dispose]() };
}

/** Looks for IPv6: whether anybody could use it. */
export function followFamilies(
  { caches, machine = thisMachine }: DnsConfig,
  cidrs: readonly string[],
): Followed<() => boolean> {
  const evidence = followIpv6({ caches, cidrs, machineHasIpv6: machine.hasIpv6 });
  const { hasIpv6: parts, synced } = evidence;
  return { parts, synced, [Symbol.asyncDispose]: async () => evidence[Symbol.dispose]() };
}

/** Pods without most of what they are: there may be a hundred thousand. */
function podsOf({ caches }: Pick<DnsConfig, 'caches'>): Cache<Pod> {
  return caches.of(Pod, { view: 'clients', transform: keepClient });
}

function partsOf(records: Names, memo: PrebuiltWriter, knowledge: ClusterParts['knowledge']): ClusterParts {
  return { records, negatives: new NegativeReplies(records), memo, knowledge };
}

/** Where askers reach this server: its Service, else where it listens. */
export function serverAddressesOf({ advertise }: DnsConfig, listen: ServerSettings['listen']): readonly string[] {
  if (advertise?.serviceIp) return [advertise.serviceIp];
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const reached = own.filter(({ internal, scopeid }) => !internal && !scopeid);
  const all = listen.flatMap(({ address }) => {
    const bytes = parseIp(address);
    if (bytes === undefined || !isUnspecified(bytes)) return [address];
    return reached.filter(({ family }) => family === familyOf(address)).map((each) => each.address);
  });
  return [...new Set(all)];
}
