import type { Service } from '../../api/core/service.ts';
import type { EndpointSlice } from '../../api/discovery/endpoint-slice.ts';
import type { ApiObject } from '../../api/meta/object-meta.ts';
import { objectKey, serviceNameLabel } from '../../routing/labels.ts';
import { apexData, serverData, soaOf } from '../apex.ts';
import type { ApexConfig } from '../apex.ts';
import { concat, nextSerial, recordsOfNames } from '../listed-names.ts';
import type { ListedName } from '../listed-names.ts';
import { emptyName } from '../name-data.ts';
import type { NameData } from '../name-data.ts';
import type { Found, Names } from '../records.ts';
import { ReverseIndex } from '../reverse-index.ts';
import { ServiceTree, whyNotBelow } from '../service-tree.ts';
import { forwardZone, parseReverse } from '../zone.ts';
import type { Zone } from '../zone.ts';
import type { ResourceRecord } from '../wire/message.ts';
import { isWithin, labelsBefore, labelsOf } from '../wire/names.ts';
import type { Name } from '../wire/names.ts';
import { HostNames } from './host-names.ts';
import type { Gateway, Ingress, Route } from './kinds.ts';
import { gatewaysOf, hostsOfGateway, hostsOfIngress, hostsOfRoute, outsideOf } from './targets.ts';

export interface ExternalConfig {
  readonly zones: readonly string[];
  /** Seconds. */
  readonly ttlSeconds: number;
  /** Headless Services have names too, with the addresses of their Pods. */
  readonly headless: boolean;
  /** Only Services of these Namespaces have names; empty for all. */
  readonly namespaces: readonly string[];
  /** What `ns.dns.<zone>` answers. */
  readonly serverAddresses: readonly string[];
}

/** One change of one object. `kind` of a route tells routes of one name apart. */
export type ExternalChange =
  | { readonly type: 'service'; readonly old?: Service; readonly new?: Service }
  | { readonly type: 'slice'; readonly old?: EndpointSlice; readonly new?: EndpointSlice }
  | { readonly type: 'ingress'; readonly old?: Ingress; readonly new?: Ingress }
  | { readonly type: 'gateway'; readonly old?: Gateway; readonly new?: Gateway }
  | { readonly type: 'route'; readonly kind: string; readonly old?: Route; readonly new?: Route };

interface ExternalZone {
  readonly zone: Zone;
  readonly apex: ApexConfig;
  readonly tree: ServiceTree;
  readonly missing: Found;
}

/**
 * Names for those outside the cluster: `<svc>.<ns>.<zone>` for Services with outside addresses, and the hosts of Ingresses,
 * Gateways and routes that are in the zones. Pure and incremental, as the records of the cluster are.
 */
export class ExternalNames implements Names {
  readonly zones: readonly Zone[];
  serial = 0;
  readonly #config: ExternalConfig;
  readonly #zones: readonly ExternalZone[];
  readonly #reverse = new ReverseIndex();
  readonly #hosts: HostNames;
  /** How many Services of a Namespace have names. */
  readonly #namespaces = new Map<string, number>();
  readonly #shown = new Set<string>();
  readonly #gateways = new Map<string, Gateway>();
  readonly #routes = new Map<string, Route>();
  #isGiven = false;
  readonly #starts = new Uint8Array(128);

  /** Throws RangeError for a malformed zone. */
  constructor(config: ExternalConfig) {
    this.#config = config;
    this.zones = config.zones.map(forwardZone);
    // With several zones reverse names lead to the first.
    this.#zones = this.zones.map((zone, index) => this.#externalZone(zone, index === 0 ? this.#reverse : undefined));
    this.#hosts = new HostNames(
      this.zones.map((zone) => zone.name),
      config.ttlSeconds,
    );
  }

  /** `nowSeconds` (Unix) becomes the serial of the zones. */
  apply(changes: readonly ExternalChange[], nowSeconds: number): void {
    let isSeen = false;
    for (const change of changes) isSeen = this.#note(change) || isSeen;
    for (const { tree } of this.#zones) isSeen = tree.settle() !== 'nothing' || isSeen;
    if (!isSeen) return;
    this.serial = nextSerial(this.serial, this.#isGiven, nowSeconds);
    this.#isGiven = false;
  }

  listed(zone: Zone): Iterable<ResourceRecord> {
    this.#isGiven = true;
    const external = this.#zones.find((each) => each.zone === zone);
    const own = [zone.name, `\x02ns\x03dns${zone.name}`, ...this.#hosts.listed(zone.name)].flatMap(
      (name): ListedName[] => {
        const found = this.find(name);
        return found.kind === 'data' ? [[name, found.data]] : [];
      },
    );
    return recordsOfNames(concat(own, external?.tree.listed() ?? []));
  }

  soa(zone: Zone): ResourceRecord {
    return soaOf(zone, this.#apexOf(zone), this.serial);
  }

  find(key: Name): Found {
    for (const external of this.#zones) {
      const count = labelsBefore(key, external.zone.name, this.#starts);
      if (count < 0) continue;
      const data = this.#findBelow(key, count, external);
      return data === undefined ? external.missing : { kind: 'data', data, zone: external.zone };
    }
    if (!key.endsWith('\x04arpa\0')) return outside;
    const address = parseReverse(labelsOf(key));
    const data = address === undefined ? undefined : this.#reverse.get(address, this.#config.ttlSeconds);
    return data === undefined ? outside : { kind: 'data', data, zone: undefined };
  }

  why(key: Name): string {
    const external = this.#zones.find(({ zone }) => isWithin(key, zone.name));
    if (external === undefined) return 'no Service has that address';
    const below = labelsOf(key).slice(0, -labelsOf(external.zone.name).length);
    const [namespace = '', service, ...labels] = below.toReversed();
    const host = `nor is it a host of an Ingress, Gateway or route with an address`;
    if (service === undefined) return `no Service of a Namespace ${namespace} has an outside address, ${host}`;
    const names = external.tree.get(
      key.slice(key.length - external.zone.name.length - namespace.length - service.length - 2),
    );
    const source = `Service ${namespace}/${service}`;
    if (names !== undefined) return `${whyNotBelow(source, names, labels.toReversed())}, ${host}`;
    return `there is no ${source} with an outside address, ${host}`;
  }

  #findBelow(key: Name, count: number, { zone, apex, tree }: ExternalZone): NameData | undefined {
    if (count === 0) return apexData(zone, apex, this.serial);
    if (count <= 2 && key.endsWith(`\x03dns${zone.name}`)) {
      if (count === 1) return emptyName('dns');
      if (key.startsWith('\x02ns')) return serverData(apex);
    }
    const names = count === 1 ? undefined : tree.get(key.slice(this.#starts[count - 2]));
    if (names !== undefined) {
      const data = count === 2 ? names.base() : names.below(key, labelsOf(key).slice(0, count - 2));
      if (data !== undefined) return data;
    }
    if (count === 1 && this.#namespaces.has(key.slice(1, 1 + key.charCodeAt(0)))) return emptyName('Services below it');
    return this.#hosts.find(key);
  }

  #note(change: ExternalChange): boolean {
    const object = change.new ?? change.old;
    if (object === undefined || !this.#isShown(object)) return false;
    const key = objectKey(object);
    switch (change.type) {
      case 'service':
        this.#noteService(key, object, outsideOf(change.new, this.#config.headless));
        return false;
      case 'slice':
        if (this.#config.headless) for (const { tree } of this.#zones) tree.noteSlice(object, change.new);
        return false;
      case 'ingress':
        this.#hosts.set(`Ingress ${key}`, change.new && hostsOfIngress(change.new));
        return true;
      case 'gateway':
        this.#noteGateway(key, change.new);
        return true;
      case 'route':
        this.#noteRoute(`${change.kind} ${key}`, change.new);
        return true;
    }
  }

  #noteService(key: string, object: ApiObject, now: Service | undefined): void {
    if (now === undefined && !this.#shown.has(key)) return;
    for (const { tree } of this.#zones) tree.noteService(object, now);
    const namespace = (object.metadata.namespace ?? '').toLowerCase();
    const by = Number(now !== undefined) - Number(this.#shown.has(key));
    const count = (this.#namespaces.get(namespace) ?? 0) + by;
    if (count > 0) this.#namespaces.set(namespace, count);
    else this.#namespaces.delete(namespace);
    if (now === undefined) this.#shown.delete(key);
    else this.#shown.add(key);
  }

  #noteGateway(key: string, now: Gateway | undefined): void {
    if (now === undefined) this.#gateways.delete(key);
    else this.#gateways.set(key, now);
    this.#hosts.set(`Gateway ${key}`, now && hostsOfGateway(now));
    for (const [name, route] of this.#routes) if (gatewaysOf(route).includes(key)) this.#noteRoute(name, route);
  }

  #noteRoute(name: string, now: Route | undefined): void {
    if (now === undefined) this.#routes.delete(name);
    else this.#routes.set(name, now);
    this.#hosts.set(name, now && hostsOfRoute(now, (key) => this.#gateways.get(key)));
  }

  #isShown({ metadata }: ApiObject): boolean {
    const { namespaces } = this.#config;
    return namespaces.length === 0 || namespaces.includes(metadata.namespace ?? '');
  }

  #externalZone(zone: Zone, reverse: ReverseIndex | undefined): ExternalZone {
    const scheme = {
      root: zone.name,
      ttl: this.#config.ttlSeconds,
      namesByPod: false,
      zonal: false,
      namesAllEndpoints: false,
      hidesEmpty: false,
      clusterLabel: undefined,
    };
    const tree = new ServiceTree({ scheme, ownerLabel: serviceNameLabel, reverse });
    return { zone, apex: this.#apexOf(zone), tree, missing: { kind: 'missing', zone } };
  }

  #apexOf(zone: Zone): ApexConfig {
    const { ttlSeconds: ttl, serverAddresses } = this.#config;
    return { clusterZone: zone.name, ttl, serverAddresses };
  }
}

const outside: Found = { kind: 'outside' };
