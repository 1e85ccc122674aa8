import type { Node } from '../api/core/node.ts';
import type { Service } from '../api/core/service.ts';
import type { EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import { canonicalIp } from '../lib/ip.ts';
import type { Claimant } from './claims.ts';
import type { HealthCheck } from './health-check.ts';
import { objectKey, serviceKeyOfSlice } from './labels.ts';
import type { Notice } from './notice.ts';
import { readSlice } from './slice.ts';
import type { ReadSlice } from './slice.ts';
import type { Growth } from './slow-start.ts';
import type { NodePlace } from './topology.ts';

/** One change of one object: `old` undefined when it was created, `new` undefined when it was deleted. */
export type ObjectChange =
  | { readonly type: 'service'; readonly old?: Service; readonly new?: Service }
  | { readonly type: 'slice'; readonly old?: EndpointSlice; readonly new?: EndpointSlice }
  | { readonly type: 'node'; readonly old?: Node; readonly new?: Node };

/** What the router keeps about one Service; slices may come before it and stay behind it. */
export interface ServiceState extends Claimant {
  service: Service | undefined;
  slices: readonly ReadSlice[];
  healthCheck: HealthCheck | undefined;
  /** All that stands now. */
  notices: readonly Notice[];
  /** Of a Service with slow start. */
  growth: Growth | undefined;
}

/** The objects that were told, by the Service that each one concerns. */
export class KnownObjects {
  readonly #states = new Map<string, ServiceState>();
  /** Which Service each slice was counted to: it may move to another by its label. */
  readonly #owners = new Map<string, ServiceState>();
  readonly #allowLoopback: boolean;
  #place: NodePlace;

  constructor(place: NodePlace, allowLoopback: boolean) {
    this.#place = place;
    this.#allowLoopback = allowLoopback;
  }

  /** Where the router is, as far as the Node told. */
  get place(): NodePlace {
    return this.#place;
  }

  states(): Iterable<ServiceState> {
    return this.#states.values();
  }

  /** Takes one change in; adds the Services that it concerns. */
  take(change: ObjectChange, concerned: Set<ServiceState>): void {
    if (change.type === 'service') this.#takeService(change.old, change.new, concerned);
    else if (change.type === 'slice') this.#takeSlice(change.old, change.new, concerned);
    else this.#takeNode(change.new, concerned);
  }

  /** Forgets a Service of which nothing is left. */
  tidy(state: ServiceState): void {
    if (state.service === undefined && state.slices.length === 0) this.#states.delete(state.key);
  }

  #takeService(old: Service | undefined, now: Service | undefined, concerned: Set<ServiceState>): void {
    const object = now ?? old;
    if (object === undefined) return;
    const state = this.#stateOf(objectKey(object));
    state.service = now;
    concerned.add(state);
  }

  #takeSlice(old: EndpointSlice | undefined, now: EndpointSlice | undefined, concerned: Set<ServiceState>): void {
    const object = now ?? old;
    if (object === undefined) return;
    const key = objectKey(object);
    const before = this.#owners.get(key);
    if (before !== undefined) {
      before.slices = withoutSlice(before, object);
      this.#owners.delete(key);
      concerned.add(before);
    }
    const owner = now && serviceKeyOfSlice(now);
    const read = now && readSlice(now, this.#place.nodeName, this.#allowLoopback);
    if (owner === undefined || read === undefined) return;
    const after = this.#stateOf(owner);
    after.slices = after.slices.concat([read]);
    this.#owners.set(key, after);
    concerned.add(after);
  }

  /** Only the own node matters. When it moves, every hint means something else. */
  #takeNode(now: Node | undefined, concerned: Set<ServiceState>): void {
    const { nodeName, zone, addresses } = this.#place;
    if (now?.metadata.name !== nodeName) return;
    const next = { nodeName, zone: now.metadata.labels?.['topology.kubernetes.io/zone'], addresses: addressesOf(now) };
    if (next.zone === zone && next.addresses.join() === addresses.join()) return;
    this.#place = next;
    for (const state of this.#states.values()) concerned.add(state);
  }

  #stateOf(key: string): ServiceState {
    const known = this.#states.get(key);
    if (known !== undefined) return known;
    const state: ServiceState = {
      key,
      createdAt: '',
      service: undefined,
      slices: [],
      frontends: [],
      healthCheck: undefined,
      notices: [],
      growth: undefined,
      conflicts: undefined,
    };
    this.#states.set(key, state);
    return state;
  }
}

function withoutSlice({ slices }: ServiceState, { metadata }: EndpointSlice): readonly ReadSlice[] {
  return slices.filter((slice) => slice.name !== metadata.name);
}

function addressesOf({ status }: Node): readonly string[] {
  const addresses = (status?.addresses ?? []).flatMap(({ type, address }) =>
    type === 'InternalIP' || type === 'ExternalIP' ? (canonicalIp(address) ?? []) : [],
  );
  return addresses.sort();
}
