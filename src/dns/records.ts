import type { Namespace } from '../api/core/namespace.ts';
import type { Pod } from '../api/core/pod.ts';
import type { Service } from '../api/core/service.ts';
import type { EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import { objectKey, serviceKeyOfSlice } from '../routing/labels.ts';
import { apexData, serverData, soaOf, versionData } from './apex.ts';
import type { ApexConfig } from './apex.ts';
import type { PodRecords } from './config.ts';
import { emptyName } from './name-data.ts';
import type { NameData } from './name-data.ts';
import { PodNames } from './pod-names.ts';
import { ReverseIndex } from './reverse-index.ts';
import { namesOfHeadless, readHeadlessSlice } from './headless-names.ts';
import type { HeadlessSlice } from './headless-names.ts';
import { isHeadless, namesOfService, serviceName } from './service-names.ts';
import type { ServiceNames } from './service-names.ts';
import { parseReverse, zonesOf } from './zone.ts';
import type { Zone } from './zone.ts';
import type { ResourceRecord } from './wire/message.ts';
import { isWithin, labelsOf } from './wire/names.ts';
import type { Name } from './wire/names.ts';

export interface RecordsConfig {
  readonly clusterDomain: string;
  /** Service and Pod ranges: their reverse zones are ours. */
  readonly cidrs?: readonly string[];
  /** Seconds. */
  readonly ttlSeconds?: number;
  readonly pods?: PodRecords;
  /** What `ns.dns.<zone>` answers. */
  readonly serverAddresses?: readonly string[];
}

/** One change of one object: `old` undefined when it was created, `new` undefined when it was deleted. */
export type RecordChange =
  | { readonly type: 'service'; readonly old?: Service; readonly new?: Service }
  | { readonly type: 'slice'; readonly old?: EndpointSlice; readonly new?: EndpointSlice }
  | { readonly type: 'namespace'; readonly old?: Namespace; readonly new?: Namespace }
  | { readonly type: 'pod'; readonly old?: Pod; readonly new?: Pod };

/** What the records say about a name. */
export type Found =
  /** The name exists; `zone` is undefined for a reverse name outside the zones of this server. */
  | { readonly kind: 'data'; readonly data: NameData; readonly zone: Zone | undefined }
  /** In a zone of this server, and it does not exist. */
  | { readonly kind: 'missing'; readonly zone: Zone; readonly why: string }
  /** Not a name of this server: others know. */
  | { readonly kind: 'outside' };

/**
 * The cluster's names: objects in, names out. Pure and incremental: a change only replaces the one Service it concerns,
 * and the records of a name are put together when they are asked for.
 */
export interface Records {
  readonly zones: readonly Zone[];
  /** `nowSeconds` (Unix) becomes the serial of the zones. */
  apply(changes: readonly RecordChange[], nowSeconds: number): void;
  /** `key` is the name in lower case. */
  find(key: Name): Found;
  /** The SOA record that negative answers of a zone carry. */
  soa(zone: Zone): ResourceRecord;
  /** Unix time of the last change, in seconds. */
  readonly serial: number;
}

interface ServiceState {
  service: Service | undefined;
  readonly slices: Map<string, SliceState>;
  names: ServiceNames | undefined;
}

/** A slice, and what names need of it once they do. */
interface SliceState {
  readonly slice: EndpointSlice;
  read: HeadlessSlice | undefined;
}

/** Records without objects: only the apex of each zone exists. */
export function createRecords(config: RecordsConfig): Records {
  const zones = zonesOf(config.clusterDomain, config.cidrs ?? []);
  return new ClusterRecords(zones, config);
}

class ClusterRecords implements Records {
  readonly zones: readonly [Zone, ...Zone[]];
  serial = 0;
  readonly #apex: ApexConfig;
  readonly #clusterLabels: number;
  readonly #services = new Map<string, ServiceState>();
  readonly #owners = new Map<string, string>();
  readonly #namespaces = new Set<string>();
  readonly #reverse = new ReverseIndex();
  readonly #pods: PodNames;

  constructor(zones: readonly [Zone, ...Zone[]], config: RecordsConfig) {
    const { ttlSeconds: ttl = 5, pods = 'insecure', serverAddresses = [] } = config;
    this.zones = zones;
    this.#apex = { clusterZone: zones[0].name, ttl, serverAddresses };
    this.#clusterLabels = labelsOf(zones[0].name).length;
    this.#pods = new PodNames(pods, ttl);
  }

  apply(changes: readonly RecordChange[], nowSeconds: number): void {
    const concerned = new Set<string>();
    for (const change of changes) this.#note(change, concerned);
    for (const key of concerned) this.#rename(key);
    const isSeen = concerned.size > 0 || changes.some(({ type }) => type === 'namespace' || type === 'pod');
    if (isSeen) this.serial = nowSeconds;
  }

  soa(zone: Zone): ResourceRecord {
    return soaOf(zone, this.#apex, this.serial);
  }

  find(key: Name): Found {
    const [cluster] = this.zones;
    if (!isWithin(key, cluster.name)) return this.#findReverse(key);
    const labels = labelsOf(key);
    const relative = labels.slice(0, labels.length - this.#clusterLabels);
    const found = relative.length === 0 ? apexData(cluster, this.#apex, this.serial) : this.#findBelow(relative);
    if (typeof found === 'string') return { kind: 'missing', zone: cluster, why: found };
    return { kind: 'data', data: found, zone: cluster };
  }

  #findReverse(key: Name): Found {
    if (!key.endsWith('\x04arpa\0')) return { kind: 'outside' };
    const zone = this.zones.find((candidate) => candidate.isReverse && isWithin(key, candidate.name));
    const address = parseReverse(labelsOf(key));
    const known = address === undefined || address === 'part' ? undefined : this.#reverse.get(address, this.#apex.ttl);
    if (known !== undefined) return { kind: 'data', data: known, zone };
    if (zone === undefined) return { kind: 'outside' };
    if (key === zone.name) return { kind: 'data', data: apexData(zone, this.#apex, this.serial), zone };
    // Inside a range of the cluster a shorter name always has room for names below it: never NXDOMAIN (RFC 8020).
    if (address === 'part') return { kind: 'data', data: emptyName('part of an address'), zone };
    return {
      kind: 'missing',
      zone,
      why: `no Service and no headless endpoint has the address ${address ?? ''}`.trim(),
    };
  }

  /** Data of a name below the cluster zone, or why there is none. */
  #findBelow(labels: readonly string[]): NameData | string {
    const [first = '', second = ''] = labels;
    switch (labels.at(-1)) {
      case 'svc':
        return this.#findService(labels.slice(0, -1));
      case 'pod':
        return this.#findPod(labels.slice(0, -1));
      case 'dns-version':
        return labels.length === 1 ? versionData() : `nothing is below ${first}.dns-version`;
      case 'dns':
        if (labels.length === 1) return emptyName('dns');
        return labels.length === 2 && first === 'ns' ? serverData(this.#apex) : `${first} is not a name of this server`;
      default:
        return `names of the cluster end in svc or pod before the domain, not in ${labels.at(-1) ?? second}`;
    }
  }

  /** `labels`: [[[port] protocol or endpoint] service] namespace. */
  #findService(labels: readonly string[]): NameData | string {
    const namespace = labels.at(-1);
    if (namespace === undefined) return emptyName('svc');
    if (labels.length === 1) return this.#findNamespace(namespace);
    const service = `${namespace}/${labels.at(-2)}`;
    const names = this.#services.get(service)?.names;
    if (names === undefined) return `there is no Service ${service}`;
    const [first = '', second = ''] = labels;
    if (labels.length === 2) return names.base() ?? `headless Service ${service} has no ready endpoint`;
    if (labels.length === 3) return names.below(first) ?? `Service ${service} has no ready endpoint named ${first}`;
    if (labels.length > 4) return `Service ${service} has no names that deep`;
    return names.port(first, second) ?? `Service ${service} has no port ${first}.${second}, or no ready endpoint`;
  }

  #findPod(labels: readonly string[]): NameData | string {
    const namespace = labels.at(-1);
    if (namespace === undefined) return emptyName('pod');
    const found = this.#findNamespace(namespace);
    if (labels.length === 1 || typeof found === 'string') return found;
    const data = labels.length === 2 ? this.#pods.get(labels[0] ?? '', namespace) : undefined;
    return data ?? `no Pod of namespace ${namespace} has the address that ${labels[0]} stands for`;
  }

  #findNamespace(namespace: string): NameData | string {
    const source = `Namespace ${namespace}`;
    return this.#namespaces.has(namespace) ? emptyName(source) : `there is no Namespace ${namespace}`;
  }

  #note(change: RecordChange, concerned: Set<string>): void {
    switch (change.type) {
      case 'service':
        return this.#noteService(change.new ?? change.old, change.new, concerned);
      case 'slice':
        return this.#noteSlice(change.new ?? change.old, change.new, concerned);
      case 'pod':
        return this.#pods.change(change.old, change.new);
      case 'namespace':
        if (change.new) this.#namespaces.add(change.new.metadata.name ?? '');
        else this.#namespaces.delete(change.old?.metadata.name ?? '');
    }
  }

  #noteService(object: Service | undefined, now: Service | undefined, concerned: Set<string>): void {
    if (object === undefined) return;
    const key = objectKey(object).toLowerCase();
    this.#state(key).service = now;
    concerned.add(key);
  }

  /** A slice may move from one Service to another by its label. */
  #noteSlice(object: EndpointSlice | undefined, now: EndpointSlice | undefined, concerned: Set<string>): void {
    if (object === undefined) return;
    const sliceKey = objectKey(object);
    const before = this.#owners.get(sliceKey);
    const after = now && serviceKeyOfSlice(now)?.toLowerCase();
    if (before !== undefined) {
      this.#services.get(before)?.slices.delete(sliceKey);
      this.#owners.delete(sliceKey);
      this.#noteEndpoints(before, concerned);
    }
    if (now === undefined || after === undefined) return;
    this.#state(after).slices.set(sliceKey, { slice: now, read: undefined });
    this.#owners.set(sliceKey, after);
    this.#noteEndpoints(after, concerned);
  }

  /** Endpoints of Services with a cluster IP have no names. */
  #noteEndpoints(key: string, concerned: Set<string>): void {
    const state = this.#services.get(key);
    if (state === undefined) return;
    if (isHeadless(state.service)) concerned.add(key);
    else if (state.service === undefined && state.slices.size === 0) this.#services.delete(key);
  }

  #state(key: string): ServiceState {
    let state = this.#services.get(key);
    if (state === undefined)
      this.#services.set(key, (state = { service: undefined, slices: new Map(), names: undefined }));
    return state;
  }

  /** Gives a Service its names anew; of the reverse names only those that differ. */
  #rename(key: string): void {
    const state = this.#services.get(key);
    if (state === undefined) return;
    const before = state.names;
    const after = this.#namesOf(state);
    if (before !== undefined) before.isCurrent = false;
    state.names = after;
    const old = new Set(before?.reverse);
    for (const group of after?.reverse ?? []) if (!old.delete(group)) this.#reverse.add(group);
    for (const group of old) this.#reverse.remove(group);
    if (state.service === undefined && state.slices.size === 0) this.#services.delete(key);
  }

  #namesOf({ service, slices }: ServiceState): ServiceNames | undefined {
    if (service === undefined) return undefined;
    const { name = '', namespace = '' } = service.metadata;
    const scheme = { zone: this.#apex.clusterZone, ttl: this.#apex.ttl };
    const source = `Service ${namespace}/${name}`;
    const base = serviceName(namespace, name, scheme.zone);
    if (!isHeadless(service)) return namesOfService(service, source, base, scheme);
    const read = Array.from(slices.values(), (state) => (state.read ??= readHeadlessSlice(state.slice, base)));
    return namesOfHeadless(source, scheme, read);
  }
}
