import type { Service } from '../api/core/service.ts';
import type { EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import type { ApiObject } from '../api/meta/object-meta.ts';
import { objectKey } from '../routing/labels.ts';
import type { ListedName } from './listed-names.ts';
import { retire } from './name-data.ts';
import { addressesByLabel } from './endpoint-label.ts';
import { HeadlessNames, readHeadlessSlice } from './headless-names.ts';
import type { HeadlessSlice } from './headless-names.ts';
import type { ReverseIndex } from './reverse-index.ts';
import { isHeadless, namesOfService, serviceName } from './service-names.ts';
import type { NamingScheme, ServiceNames } from './service-names.ts';
import type { Name } from './wire/names.ts';

interface ServiceState {
  /** The one text of it that all its names share. */
  readonly base: Name;
  service: Service | undefined;
  readonly slices: Map<string, SliceState>;
  names: ServiceNames | undefined;
}

/** A slice, and what names need of it once they do. */
interface SliceState {
  readonly slice: EndpointSlice;
  read: HeadlessSlice | undefined;
  /** What was read of it before it changed. */
  before: HeadlessSlice | undefined;
  /** The same for Services with a cluster IP, once an endpoint is asked for. */
  byLabel: ReturnType<typeof addressesByLabel> | undefined;
}

export interface ServiceTreeOptions {
  readonly scheme: NamingScheme;
  /** Label of a slice that names its Service. */
  readonly ownerLabel: string;
  /** Where the addresses of its names go; undefined for a zone without reverse names. */
  readonly reverse: ReverseIndex | undefined;
}

/** The Services of one zone, each with its names, by their names, lower case. */
export class ServiceTree {
  readonly #options: ServiceTreeOptions;
  readonly #services = new Map<Name, ServiceState>();
  readonly #owners = new Map<string, Name>();
  readonly #concerned = new Set<Name>();
  #hasNew = false;

  constructor(options: ServiceTreeOptions) {
    this.#options = options;
  }

  /** The names of a Service; undefined when there is none. */
  get(base: Name): ServiceNames | undefined {
    return this.#services.get(base)?.names;
  }

  /** All names that have records, as they are now: versions of Services do not change. */
  listed(): Iterable<ListedName> {
    const all = Array.from(this.#services, ([base, { names }]) => [base, names] as const);
    return all.values().flatMap(([base, names]) => names?.listed(base) ?? []);
  }

  /** `object` is what changed, `now` what it is; undefined when it has no names any more. */
  noteService(object: ApiObject | undefined, now: Service | undefined): void {
    if (object === undefined) return;
    const base = this.#baseOf(object.metadata.namespace, object.metadata.name);
    const state = this.#state(base);
    // Another one, whose name differs by case, may have come in its place.
    if (now === undefined && state.service !== undefined && state.service.metadata.name !== object.metadata.name)
      return;
    state.service = now;
    this.#concerned.add(base);
  }

  /** A slice may move from one Service to another by its label. */
  noteSlice(object: ApiObject | undefined, now: EndpointSlice | undefined): void {
    if (object === undefined) return;
    const sliceKey = objectKey(object);
    const before = this.#owners.get(sliceKey);
    const owner = now?.metadata.labels?.[this.#options.ownerLabel];
    const after = now === undefined || !owner ? undefined : this.#baseOf(now.metadata.namespace, owner);
    const known =
      after === before && before !== undefined ? this.#services.get(before)?.slices.get(sliceKey) : undefined;
    if (before !== undefined && before !== after) {
      this.#services.get(before)?.slices.delete(sliceKey);
      this.#owners.delete(sliceKey);
      this.#noteEndpoints(before);
    }
    if (now === undefined || after === undefined) return;
    const state = { slice: now, read: undefined, before: known?.read ?? known?.before, byLabel: undefined };
    this.#state(after).slices.set(sliceKey, state);
    if (after !== before) this.#owners.set(sliceKey, after);
    this.#noteEndpoints(after);
  }

  /** Gives the Services that changed their names; whether there were any, and any that had none before. */
  settle(): 'nothing' | 'changed' | 'new' {
    const isChanged = this.#concerned.size > 0;
    this.#hasNew = false;
    for (const base of this.#concerned) this.#rename(base);
    this.#concerned.clear();
    if (this.#hasNew) return 'new';
    return isChanged ? 'changed' : 'nothing';
  }

  #baseOf(namespace = '', name = ''): Name {
    return serviceName(namespace, name, this.#options.scheme.root);
  }

  /** The kept names of a Service with a cluster IP do not depend on its endpoints. */
  #noteEndpoints(base: Name): void {
    const state = this.#services.get(base);
    if (state === undefined) return;
    if (state.service === undefined && state.slices.size === 0) this.#services.delete(base);
    else if (this.#options.scheme.hidesEmpty || isHeadless(state.service)) this.#concerned.add(base);
  }

  #state(base: Name): ServiceState {
    let state = this.#services.get(base);
    if (state === undefined)
      this.#services.set(base, (state = { base, service: undefined, slices: new Map(), names: undefined }));
    return state;
  }

  /** Gives a Service its names anew; of the reverse names only those that differ. */
  #rename(base: Name): void {
    const state = this.#services.get(base);
    if (state === undefined) return;
    const before = state.names;
    const after = this.#namesOf(state);
    state.names = after;
    if (before !== undefined) retire(before);
    else if (after !== undefined) this.#hasNew = true;
    this.#reverse(before?.reverse ?? [], after?.reverse ?? []);
    if (state.service === undefined && state.slices.size === 0) this.#services.delete(base);
  }

  #reverse(before: ServiceNames['reverse'], after: ServiceNames['reverse']): void {
    const { reverse } = this.#options;
    if (reverse === undefined) return;
    const groups = new Set(before);
    const added = new Set(after.filter((group) => !groups.delete(group)).flat());
    const gone = new Set([...groups].flat());
    for (const entry of added) if (!gone.delete(entry)) reverse.add(entry);
    for (const entry of gone) reverse.remove(entry);
  }

  #namesOf({ base, service, slices }: ServiceState): ServiceNames | undefined {
    if (service === undefined) return undefined;
    const { scheme } = this.#options;
    const source = `Service ${objectKey(service)}`;
    if (!isHeadless(service)) {
      const ofLabel = (state: SliceState, label: string): readonly string[] =>
        (state.byLabel ??= addressesByLabel(state.slice, scheme.namesByPod)).get(label) ?? [];
      return namesOfService({
        service,
        source,
        base,
        scheme,
        slices: () => slices.values().map(({ slice }) => slice),
        endpoints: (label) => [...slices.values()].flatMap((state) => ofLabel(state, label)),
      });
    }
    const read = Array.from(slices.values(), (state) => readOf(state, base, scheme));
    return new HeadlessNames(source, scheme, read);
  }
}

function readOf(state: SliceState, base: Name, scheme: NamingScheme): HeadlessSlice {
  state.read ??= readHeadlessSlice(state.slice, base, scheme, state.before);
  state.before = undefined;
  return state.read;
}

/** Why a Service's names do not have one, for people: `labels` are those before the Service's. */
export function whyNotBelow(source: string, names: ServiceNames | undefined, labels: readonly string[]): string {
  if (names === undefined) return `there is no ${source}`;
  if (names.base() === undefined) return `${source} has no ready endpoint, so it has no names`;
  const [first = '', second = ''] = labels;
  if (labels.length === 1) return `${source} has no ready endpoint named ${first}`;
  if (labels.length === 2) return `${source} has no port ${first}.${second}, or no ready endpoint`;
  return `${source} has no names that deep`;
}
