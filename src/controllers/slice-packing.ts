import { isDeepStrictEqual } from 'node:util';
import type { Endpoint, EndpointPort, EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import type { OwnerReference } from '../api/meta/object-meta.ts';
import type { Family } from './service-endpoints.ts';

/**
 * How endpoints are spread over EndpointSlices, for every controller that writes them. The aim is few writes: change
 * slices in place, fill those that change anyway, and only then touch another slice or make a new one. Pure.
 */

/** Endpoints that share their ports and family: they may share slices. */
export interface EndpointGroup {
  readonly addressType: Family;
  readonly ports: readonly EndpointPort[];
  readonly endpoints: readonly Endpoint[];
}

/** What all slices of one source carry. */
export interface SliceTemplate {
  readonly namespace: string;
  readonly generateName: string;
  readonly ownerReference: OwnerReference;
  readonly labels: Readonly<Record<string, string>>;
  /** Set on every slice that is written for another reason; undefined takes an annotation away. */
  readonly annotations?: Readonly<Record<string, string | undefined>>;
  /** Annotations that must be there: their absence is a reason to write. */
  readonly requiredAnnotations?: Readonly<Record<string, string>>;
  /** Annotations that tell of a slice's own endpoints: another value is a reason to write; undefined is none. */
  readonly annotationsOf?: (endpoints: readonly Endpoint[]) => Readonly<Record<string, string | undefined>>;
  /** Endpoints a slice holds at most. */
  readonly maxEndpoints: number;
}

export interface SliceChanges {
  readonly create: readonly EndpointSlice[];
  /** With the `resourceVersion` they were decided on. */
  readonly update: readonly EndpointSlice[];
  readonly delete: readonly EndpointSlice[];
}

/** A slice while it is being packed; `slice` is undefined for one that is to be created. */
interface Packed {
  readonly slice: EndpointSlice | undefined;
  readonly addressType: Family;
  readonly ports: readonly EndpointPort[];
  endpoints: Endpoint[];
  isChanged: boolean;
}

/** The changes that make `existing` show exactly `groups`. Slices of no group are deleted. */
export function packSlices(
  existing: readonly EndpointSlice[],
  groups: readonly EndpointGroup[],
  template: SliceTemplate,
): SliceChanges {
  const left = new Map<string, EndpointSlice[]>();
  for (const slice of existing) {
    const key = groupKey(slice.addressType, slice.ports ?? []);
    left.set(key, [...(left.get(key) ?? []), slice]);
  }
  const packed = groups.flatMap((group) => {
    const key = groupKey(group.addressType, group.ports);
    const mine = left.get(key) ?? [];
    left.delete(key);
    return packGroup(mine, group, template);
  });
  const orphans = [...left.values()].flat();
  return toChanges(packed, orphans, template);
}

/** The order of ports says nothing. */
function groupKey(addressType: string, ports: readonly EndpointPort[]): string {
  const texts = ports.map(({ name = '', protocol = 'TCP', port, appProtocol }) =>
    JSON.stringify([name, protocol, port, appProtocol ?? '']),
  );
  return `${addressType} ${texts.sort().join()}`;
}

/** Slices of the group after packing, with those that lost all endpoints kept as empty. */
function packGroup(slices: readonly EndpointSlice[], group: EndpointGroup, template: SliceTemplate): Packed[] {
  const missing = new Map(group.endpoints.map((endpoint) => [endpointKey(endpoint), endpoint]));
  const packed = slices.map((slice) => keepWanted(slice, group, missing));
  const rest = [...missing.values()];
  fillChanged(packed, rest, template.maxEndpoints);
  while (rest.length > 0) placeRest(packed, rest, group, template.maxEndpoints);
  // A group without endpoints still shows its ports: the placeholder.
  if (group.endpoints.length === 0 && packed.length === 0) packed.push(newSlice(group));
  return packed;
}

/** One endpoint is the same as before when its address and its target are. */
function endpointKey({ addresses, targetRef, hostname }: Endpoint): string {
  return JSON.stringify([addresses, targetRef?.namespace, targetRef?.name, targetRef === undefined ? hostname : '']);
}

/** First pass: what stays in this slice, in its place; takes it out of `missing`. */
function keepWanted(slice: EndpointSlice, group: EndpointGroup, missing: Map<string, Endpoint>): Packed {
  const endpoints: Endpoint[] = [];
  let isChanged = false;
  for (const old of slice.endpoints ?? []) {
    const key = endpointKey(old);
    const wanted = missing.get(key);
    if (wanted === undefined) {
      isChanged = true;
      continue;
    }
    missing.delete(key);
    const isSame = isDeepStrictEqual(old, wanted);
    endpoints.push(isSame ? old : wanted);
    isChanged ||= !isSame;
  }
  return { slice, addressType: group.addressType, ports: slice.ports ?? [], endpoints, isChanged };
}

/** Second pass: slices that are written anyway take what fits, the fullest first. */
function fillChanged(packed: readonly Packed[], rest: Endpoint[], maxEndpoints: number): void {
  const changed = packed.filter(({ isChanged }) => isChanged);
  for (const each of changed.sort((a, b) => b.endpoints.length - a.endpoints.length)) {
    each.endpoints.push(...rest.splice(0, Math.max(0, maxEndpoints - each.endpoints.length)));
  }
}

/** Third pass: a full new slice, or the unchanged slice where the rest fits closest, or a new one. */
function placeRest(packed: Packed[], rest: Endpoint[], group: EndpointGroup, maxEndpoints: number): void {
  const fitting = packed
    .filter(({ isChanged, endpoints }) => !isChanged && endpoints.length + rest.length <= maxEndpoints)
    .sort((a, b) => b.endpoints.length - a.endpoints.length);
  const target = (rest.length < maxEndpoints ? fitting[0] : undefined) ?? newSlice(group);
  if (target.slice === undefined) packed.push(target);
  target.endpoints = [...target.endpoints, ...rest.splice(0, maxEndpoints)];
  target.isChanged = true;
}

function newSlice(group: EndpointGroup): Packed {
  return { slice: undefined, addressType: group.addressType, ports: group.ports, endpoints: [], isChanged: true };
}

/**
 * Turns packed slices into writes. A slice without endpoints is deleted when its family has another slice, else it stays
 * as the placeholder; a slice to delete becomes one that was to be created, which saves a write.
 */
function toChanges(
  packed: readonly Packed[],
  orphans: readonly EndpointSlice[],
  template: SliceTemplate,
): SliceChanges {
  const kept = withoutNeedlessEmpty(packed);
  const dropped = packed.filter((each) => !kept.includes(each)).flatMap(({ slice }) => slice ?? []);
  const unused = [...orphans, ...dropped];
  const create: EndpointSlice[] = [];
  const update: EndpointSlice[] = [];
  for (const each of kept) {
    const reused = each.slice === undefined ? takeSame(unused, each.addressType) : undefined;
    const base = each.slice ?? reused;
    if (base === undefined) create.push(build(each, undefined, template));
    else if (reused !== undefined || each.isChanged || !hasTemplate(base, each.endpoints, template)) {
      update.push(build(each, base, template));
    }
  }
  return { create, update, delete: unused };
}

function withoutNeedlessEmpty(packed: readonly Packed[]): readonly Packed[] {
  return packed.filter((each, index) => {
    if (each.endpoints.length > 0) return true;
    const others = packed.filter(({ addressType }) => addressType === each.addressType);
    return others.every(({ endpoints }) => endpoints.length === 0) && packed.indexOf(others[0] ?? each) === index;
  });
}

function takeSame(unused: EndpointSlice[], addressType: Family): EndpointSlice | undefined {
  const index = unused.findIndex((slice) => slice.addressType === addressType);
  return index < 0 ? undefined : unused.splice(index, 1)[0];
}

function hasTemplate({ metadata }: EndpointSlice, endpoints: readonly Endpoint[], template: SliceTemplate): boolean {
  const { labels, ownerReference, requiredAnnotations, annotationsOf } = template;
  const isOwned = metadata.ownerReferences?.some(({ uid }) => uid === ownerReference.uid) ?? false;
  const { annotations = {} } = metadata;
  const wanted = Object.entries({ ...requiredAnnotations, ...annotationsOf?.(endpoints) });
  const isAnnotated = wanted.every(([name, value]) => annotations[name] === value);
  return isOwned && isAnnotated && isDeepStrictEqual(metadata.labels ?? {}, labels);
}

function annotationsOn(
  base: EndpointSlice | undefined,
  endpoints: readonly Endpoint[],
  { requiredAnnotations, annotations, annotationsOf }: SliceTemplate,
): Record<string, string> {
  const wanted = {
    ...base?.metadata.annotations,
    ...requiredAnnotations,
    ...annotationsOf?.(endpoints),
    ...annotations,
  };
  const present = Object.entries(wanted).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
  return Object.fromEntries(present);
}

function build(packed: Packed, base: EndpointSlice | undefined, template: SliceTemplate): EndpointSlice {
  const { namespace, generateName, labels, ownerReference } = template;
  const identity = base?.metadata ?? { namespace, generateName };
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      ...identity,
      labels,
      annotations: annotationsOn(base, packed.endpoints, template),
      ownerReferences: [ownerReference],
    },
    addressType: packed.addressType,
    endpoints: packed.endpoints,
    ports: packed.ports,
  };
}
