import type { Namespace } from '../api/core/namespace.ts';
import type { Pod } from '../api/core/pod.ts';
import type { Service } from '../api/core/service.ts';
import type { EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import { serviceNameLabel } from '../routing/labels.ts';
import { apexData, clusterVersion, multiclusterVersion, serverData, soaOf, versionData } from './apex.ts';
import type { ApexConfig } from './apex.ts';
import type { PodRecords } from './config.ts';
import { concat, nextSerial, recordsOfNames } from './listed-names.ts';
import type { ListedName } from './listed-names.ts';
import { emptyName } from './name-data.ts';
import { retire } from './name-data.ts';
import type { NameData, Owner } from './name-data.ts';
import { PodNames } from './pod-names.ts';
import { ReverseIndex } from './reverse-index.ts';
import { importedServiceLabel, serviceOfImport, sourceClusterLabel } from './service-import.ts';
import type { ServiceImport } from './service-import.ts';
import { serviceName } from './service-names.ts';
import { ServiceTree, whyNotBelow } from './service-tree.ts';
import { parseReverse, zonesOf } from './zone.ts';
import type { Zone } from './zone.ts';
import type { ResourceRecord } from './wire/message.ts';
import { isWithin, labelsBefore, labelsOf } from './wire/names.ts';
import type { Name } from './wire/names.ts';

export interface RecordsConfig {
  readonly clusterDomain: string;
  /** Service and Pod ranges: their reverse zones are ours. */
  readonly cidrs?: readonly string[];
  /** Zones of a cluster set (KEP-1645), with the names of ServiceImports. */
  readonly multicluster?: readonly string[];
  /** Seconds. */
  readonly ttlSeconds?: number;
  readonly pods?: PodRecords;
  /** What `ns.dns.<zone>` answers. */
  readonly serverAddresses?: readonly string[];
  /** Only objects of these Namespaces have names; empty for all. */
  readonly namespaces?: readonly string[];
  readonly zonal?: boolean;
  readonly hidesEmptyServices?: boolean;
  readonly namesEndpointsByPod?: boolean;
  /** Told the serial of the zones whenever it has changed. */
  readonly serialChanged?: (serial: number) => void;
}

/** One change of one object: `old` undefined when it was created, `new` undefined when it was deleted. */
export type RecordChange =
  | { readonly type: 'service'; readonly old?: Service; readonly new?: Service }
  | { readonly type: 'slice'; readonly old?: EndpointSlice; readonly new?: EndpointSlice }
  | { readonly type: 'namespace'; readonly old?: Namespace; readonly new?: Namespace }
  | { readonly type: 'pod'; readonly old?: Pod; readonly new?: Pod }
  | { readonly type: 'import'; readonly old?: ServiceImport; readonly new?: ServiceImport };

/** What names say about a name. */
export type Found =
  /** The name exists; `zone` is undefined for a reverse name outside the zones of this server. */
  | { readonly kind: 'data'; readonly data: NameData; readonly zone: Zone | undefined }
  /** In a zone of this server, and it does not exist. */
  | { readonly kind: 'missing'; readonly zone: Zone }
  /** Not a name of this server: others know. */
  | { readonly kind: 'outside' };

/** A name that does not exist, as none below it does (RFC 8020). */
export interface Absence {
  readonly top: Name;
  /** Whose change may make it exist. */
  readonly owner: Owner;
}

/** Names that answers are made of. */
export interface Names {
  readonly zones: readonly Zone[];
  /** `key` is the name in lower case. */
  find(key: Name): Found;
  /** More about a missing name, for who keeps it in mind; undefined when it should not be kept. */
  absence?(key: Name): Absence | undefined;
  /** Why a name is missing, for people. */
  why(key: Name): string;
  /** The SOA record that negative answers of a zone carry. */
  soa(zone: Zone): ResourceRecord;
  /** Every record of a zone but its SOA, as it is now, however late it is read: what a transfer sends. Without Pods. */
  listed(zone: Zone): Iterable<ResourceRecord>;
  /** Unix time of the last change, in seconds; a little more when a zone is given away more often than that changes. */
  readonly serial: number;
}

/**
 * The cluster's names: objects in, names out. Pure and incremental: a change only replaces the one Service it concerns,
 * and the records of a name are put together when they are asked for.
 */
export interface Records extends Names {
  /** `nowSeconds` (Unix) becomes the serial of the zones. */
  apply(changes: readonly RecordChange[], nowSeconds: number): void;
}

/** Records without objects: only the apex of each zone exists. Throws RangeError for a malformed domain or range. */
export function createRecords(config: RecordsConfig): Records {
  return new ClusterRecords(config);
}

const outside: Found = { kind: 'outside' };

/** Owns what only settings could change. */
const forever: Owner = { isCurrent: true };

/** Whether the label at `at` is one under which this server has names of its own. */
function isOwn(key: Name, at: number): boolean {
  return key.startsWith('\x03dns', at) || key.startsWith('\x0bdns-version', at);
}

/** A zone with the names of Services: the cluster's, or a cluster set's. */
interface ServiceZone {
  readonly zone: Zone;
  readonly tree: ServiceTree;
  readonly isMulticluster: boolean;
  /** What is said of every name in it that does not exist. */
  readonly missing: Found;
}

class ClusterRecords implements Records {
  readonly zones: readonly [Zone, ...Zone[]];
  serial = 0;
  readonly #apex: ApexConfig;
  readonly #serviceZones: readonly [ServiceZone, ...ServiceZone[]];
  readonly #shown: ReadonlySet<string>;
  readonly #namespaces = new Set<string>();
  readonly #reverse = new ReverseIndex();
  readonly #pods: PodNames;
  /** The zone of this serial was given to somebody, who keeps it until there is another one. */
  #isGiven = false;
  readonly #serialChanged: RecordsConfig['serialChanged'];
  /** That Services which are not there are not there; another one as soon as one comes. */
  #absence: Owner = { isCurrent: true };
  /** Where the labels of the name at hand start: a search makes nothing. */
  readonly #starts = new Uint8Array(128);

  constructor(config: RecordsConfig) {
    const { ttlSeconds: ttl = 5, pods = 'insecure', serverAddresses = [] } = config;
    this.zones = zonesOf(config.clusterDomain, config.cidrs ?? [], config.multicluster ?? []);
    this.#apex = { clusterZone: this.zones[0].name, ttl, serverAddresses };
    const [cluster, ...others] = this.zones;
    this.#serviceZones = [
      this.#serviceZone(cluster, config, false),
      ...others.filter(({ isReverse }) => !isReverse).map((zone) => this.#serviceZone(zone, config, true)),
    ];
    this.#shown = new Set(config.namespaces);
    this.#pods = new PodNames(pods, ttl);
    this.#serialChanged = config.serialChanged;
  }

  apply(changes: readonly RecordChange[], nowSeconds: number): void {
    let isSeen = false;
    for (const change of changes) isSeen = this.#note(change) || isSeen;
    let hasNew = false;
    for (const { tree } of this.#serviceZones) {
      const settled = tree.settle();
      isSeen = settled !== 'nothing' || isSeen;
      hasNew = settled === 'new' || hasNew;
    }
    if (hasNew) this.#renewAbsence();
    if (!isSeen) return;
    this.serial = nextSerial(this.serial, this.#isGiven, nowSeconds);
    this.#isGiven = false;
    this.#serialChanged?.(this.serial);
  }

  listed(zone: Zone): Iterable<ResourceRecord> {
    this.#isGiven = true;
    const apex: ListedName = [zone.name, apexData(zone, this.#apex, this.serial)];
    const services = this.#serviceZones.find((each) => each.zone === zone);
    if (services === undefined) {
      return recordsOfNames(concat([apex], this.#reverse.listed(zone.name, this.#apex.ttl)));
    }
    const { tree, isMulticluster } = services;
    const version = versionData(isMulticluster ? multiclusterVersion : clusterVersion);
    const own: ListedName[] = [apex, [`\x0bdns-version${zone.name}`, version]];
    if (!isMulticluster) own.push([`\x02ns\x03dns${zone.name}`, serverData(this.#apex)]);
    return recordsOfNames(concat(own, tree.listed()));
  }

  soa(zone: Zone): ResourceRecord {
    return soaOf(zone, this.#apex, this.serial);
  }

  find(key: Name): Found {
    for (const serviceZone of this.#serviceZones) {
      const count = labelsBefore(key, serviceZone.zone.name, this.#starts);
      if (count < 0) continue;
      const data = this.#findBelow(key, count, serviceZone);
      return data === undefined ? serviceZone.missing : { kind: 'data', data, zone: serviceZone.zone };
    }
    return this.#findReverse(key);
  }

  absence(key: Name): Absence | undefined {
    for (const { zone, tree } of this.#serviceZones) {
      const count = labelsBefore(key, zone.name, this.#starts);
      if (count > 0) return this.#absenceBelow(key, count, tree);
    }
    return undefined;
  }

  #absenceBelow(key: Name, count: number, tree: ServiceTree): Absence | undefined {
    const first = this.#starts[count - 1] ?? 0;
    if (key.startsWith('\x03pod', first)) return undefined;
    if (!key.startsWith('\x03svc', first)) return { top: isOwn(key, first) ? key : key.slice(first), owner: forever };
    // A Service may be seen before its Namespace, so that a missing Namespace says nothing about what is below.
    if (count < 3) return undefined;
    const base = key.slice(this.#starts[count - 3]);
    const names = tree.get(base);
    if (names === undefined) return { top: base, owner: this.#absence };
    if (count === 4 && names.isOpen === true) return undefined;
    return { top: names.base() === undefined ? base : key, owner: names };
  }

  #renewAbsence(): void {
    const before = this.#absence;
    this.#absence = { isCurrent: true };
    retire(before);
  }

  why(key: Name): string {
    for (const { zone, tree, isMulticluster } of this.#serviceZones) {
      if (!isWithin(key, zone.name)) continue;
      const all = labelsOf(key);
      const [top = '', namespace = '', ...below] = all.slice(0, all.length - labelsOf(zone.name).length).toReversed();
      return this.#whyMissing({ top, namespace, below: below.toReversed(), tree, zone, isMulticluster });
    }
    const address = parseReverse(labelsOf(key));
    return `no Service and no headless endpoint has the address ${address ?? ''}`.trim();
  }

  #whyMissing({ top, namespace, below, tree, zone, isMulticluster }: Missed): string {
    if (top === 'pod' && !isMulticluster && this.#namespaces.has(namespace)) {
      return `no Pod of namespace ${namespace} has the address that ${below[0]} stands for`;
    }
    if (top !== 'svc' && top !== 'pod') {
      return `names of the cluster end in svc${isMulticluster ? '' : ' or pod'} before the domain, not in ${top}`;
    }
    if (!this.#isShown(namespace)) return `Namespace ${namespace} is not among the namespaces that are shown`;
    const service = below.at(-1);
    if (service === undefined || top === 'pod') return `there is no Namespace ${namespace}`;
    const names = tree.get(serviceName(namespace, service, rootOf(zone)));
    const kind = isMulticluster ? 'ServiceImport' : 'Service';
    return whyNotBelow(`${kind} ${namespace}/${service}`, names, below.slice(0, -1));
  }

  #findReverse(key: Name): Found {
    if (!key.endsWith('\x04arpa\0')) return outside;
    const zone = this.zones.find((candidate) => candidate.isReverse && isWithin(key, candidate.name));
    const address = parseReverse(labelsOf(key));
    const known = address === undefined || address === 'part' ? undefined : this.#reverse.get(address, this.#apex.ttl);
    if (known !== undefined) return { kind: 'data', data: known, zone };
    if (zone === undefined) return outside;
    if (key === zone.name) return { kind: 'data', data: apexData(zone, this.#apex, this.serial), zone };
    // Inside a range of the cluster a shorter name always has room for names below it: never NXDOMAIN (RFC 8020).
    if (address === 'part') return { kind: 'data', data: emptyName('part of an address'), zone };
    return { kind: 'missing', zone };
  }

  /** Data of a name with `count` labels before a zone with Services; undefined when it does not exist. */
  #findBelow(key: Name, count: number, { zone, tree, isMulticluster }: ServiceZone): NameData | undefined {
    if (count === 0) return apexData(zone, this.#apex, this.serial);
    const top = this.#starts[count - 1] ?? 0;
    if (key.startsWith('\x03svc', top)) return this.#findService(key, count, tree);
    if (key.startsWith('\x0bdns-version', top)) {
      return count === 1 ? versionData(isMulticluster ? multiclusterVersion : clusterVersion) : undefined;
    }
    if (isMulticluster) return undefined;
    if (key.startsWith('\x03pod', top)) return this.#findPod(key, count);
    if (!key.startsWith('\x03dns', top)) return undefined;
    if (count === 1) return emptyName('dns');
    return count === 2 && key.startsWith('\x02ns') ? serverData(this.#apex) : undefined;
  }

  /** A name that ends in `svc`: most of what search lists make comes here and finds no Service. */
  #findService(key: Name, count: number, tree: ServiceTree): NameData | undefined {
    if (count === 1) return emptyName('svc');
    if (count === 2) return this.#findNamespace(this.#label(key, 0));
    const names = tree.get(count === 3 ? key : key.slice(this.#starts[count - 3]));
    if (names === undefined) return undefined;
    if (count === 3) return names.base();
    return names.below(
      key,
      Array.from({ length: count - 3 }, (_, index) => this.#label(key, index)),
    );
  }

  #findPod(key: Name, count: number): NameData | undefined {
    if (count === 1) return emptyName('pod');
    const namespace = this.#label(key, count - 2);
    const found = this.#findNamespace(namespace);
    if (count === 2 || found === undefined) return found;
    return count === 3 ? this.#pods.get(this.#label(key, 0), namespace) : undefined;
  }

  #findNamespace(namespace: string): NameData | undefined {
    return this.#namespaces.has(namespace) ? emptyName(`Namespace ${namespace}`) : undefined;
  }

  #label(key: Name, index: number): string {
    const start = this.#starts[index] ?? 0;
    return key.slice(start + 1, start + 1 + key.charCodeAt(start));
  }

  #serviceZone(zone: Zone, config: RecordsConfig, isMulticluster: boolean): ServiceZone {
    const scheme = {
      root: rootOf(zone),
      ttl: this.#apex.ttl,
      namesByPod: config.namesEndpointsByPod ?? false,
      zonal: config.zonal ?? false,
      namesAllEndpoints: !isMulticluster,
      hidesEmpty: !isMulticluster && (config.hidesEmptyServices ?? false),
      clusterLabel: isMulticluster ? sourceClusterLabel : undefined,
    };
    const ownerLabel = isMulticluster ? importedServiceLabel : serviceNameLabel;
    // An address of a cluster set may be one of the cluster, which then names it: there is no second name (KEP-1645).
    const reverse = isMulticluster ? undefined : this.#reverse;
    const tree = new ServiceTree({ scheme, ownerLabel, reverse });
    return { zone, tree, isMulticluster, missing: { kind: 'missing', zone } };
  }

  #isShown(namespace: string | undefined): boolean {
    return this.#shown.size === 0 || this.#shown.has(namespace ?? '');
  }

  /** Takes a change; whether names that are no Service's show it. */
  #note(change: RecordChange): boolean {
    const { namespace, name = '' } = (change.new ?? change.old)?.metadata ?? {};
    if (!this.#isShown(change.type === 'namespace' ? name : namespace)) return false;
    const [cluster, ...sets] = this.#serviceZones;
    switch (change.type) {
      case 'service':
        cluster.tree.noteService(change.new ?? change.old, change.new);
        return false;
      case 'slice':
        for (const { tree } of this.#serviceZones) tree.noteSlice(change.new ?? change.old, change.new);
        return false;
      case 'import':
        for (const { tree } of sets) tree.noteService(change.new ?? change.old, serviceOfImport(change.new));
        return false;
      case 'pod':
        this.#pods.change(change.old, change.new);
        return true;
      case 'namespace':
        if (change.new) this.#namespaces.add(name);
        else this.#namespaces.delete(name);
        return true;
    }
  }
}

function rootOf(zone: Zone): Name {
  return `\x03svc${zone.name}`;
}

/** A name that does not exist, in parts. */
interface Missed {
  /** `svc` or `pod`, if it is right. */
  readonly top: string;
  readonly namespace: string;
  /** From left to right: what comes before the namespace. */
  readonly below: readonly string[];
  readonly tree: ServiceTree;
  readonly zone: Zone;
  readonly isMulticluster: boolean;
}
