import { cidrContainsCidr, parseCidr } from '../../lib/cidr.ts';
import { familyOf } from '../../lib/ip.ts';
import type { Backend, Frontend, Target } from '../../routing/frontend.ts';
import { assignSlots, fillBuckets } from '../buckets.ts';
import { backendName } from '../backend-name.ts';
import { hashBuckets } from '../rendezvous.ts';
import { classOf, drawOf, outsideOffset, slotMark } from './classes.ts';
import {
  addressKey,
  backendData,
  backendsKey,
  frontendKey,
  hairpinKey,
  identityComment,
  markData,
  numberedKey,
  rangeEnd,
  sourceRangeKeys,
} from './keys.ts';
import { type FrontendSet, shelfSet, type Space, spaceOf, spaces } from './schema.ts';

/** Which backend has which buckets, and under affinity which slot. */
export interface Spread {
  /** Backend names by bucket. */
  readonly buckets: readonly string[];
  /** Numbers that affinity remembers, by backend name; undefined without affinity. */
  readonly slots: ReadonlyMap<string, number> | undefined;
}

/** A frontend as it stands in the kernel. */
export interface Programmed {
  readonly frontend: Frontend;
  readonly internal: Spread;
  /** Set when clients from outside have backends of their own (a Local policy). */
  readonly outside: Spread | undefined;
  /** Where its backends are; 0 but in the space of addresses. */
  readonly shelf: number;
  /** Addresses of backends on this node that get connections, in order, without duplicates. */
  readonly local: readonly string[];
}

/** One element that a frontend needs. */
export interface Element {
  readonly set: FrontendSet;
  readonly key: Buffer;
  readonly keyEnd?: Buffer;
  readonly data?: Buffer;
  readonly comment?: string;
}

/** Whether two elements with the same identity (set and key) say the same. */
export function isSameElement(a: Omit<Element, 'set'>, b: Omit<Element, 'set'>): boolean {
  return isSameBytes(a.data, b.data) && isSameBytes(a.keyEnd, b.keyEnd) && a.comment === b.comment;
}

function isSameBytes(a: Buffer | undefined, b: Buffer | undefined): boolean {
  return a === undefined || b === undefined ? a === b : a.equals(b);
}

const nothing: Spread = { buckets: [], slots: undefined };

/**
 * Decides the buckets of a frontend so that as little as possible differs from what it has now; `shelf` is for one that has
 * none. Pure.
 */
export function program(frontend: Frontend, previous: Programmed | undefined, shelf = 0): Programmed {
  return {
    frontend,
    internal: spreadOf(frontend, frontend.internal, previous?.internal ?? nothing),
    outside: hasOutside(frontend) ? spreadOf(frontend, frontend.external, previous?.outside ?? nothing) : undefined,
    shelf: spaceOf(frontend) === 'address' ? (previous?.shelf ?? shelf) : 0,
    local: localAddresses(frontend),
  };
}

/** Whether clients from outside get something else than those inside. */
export function hasOutside({ internal, external }: Frontend): boolean {
  if (internal === external) return false;
  if (internal.verdict !== external.verdict || internal.backends.length !== external.backends.length) return true;
  return internal.backends.some((backend, index) => !isSameShare(backend, external.backends[index]));
}

function isSameShare(a: Backend, b: Backend | undefined): boolean {
  return a.address === b?.address && a.port === b.port && a.weight === b.weight;
}

function spreadOf(frontend: Frontend, target: Target, previous: Spread): Spread {
  if (target.verdict !== 'forward') return nothing;
  const shares = target.backends.map((backend) => ({ name: backendName(backend), weight: backend.weight }));
  const buckets = drawOf(frontend.scheduler) === 'random' ? fillBuckets(previous.buckets, shares) : hashBuckets(shares);
  if (frontend.affinity === undefined) return { buckets, slots: undefined };
  return { buckets, slots: assignSlots(previous.slots ?? new Map(), [...new Set(buckets)]) };
}

/** The chains a programmed frontend goes to: for everyone or inside, and for outside when that differs. */
export function classesOf({ frontend, internal, outside, shelf }: Programmed): string[] {
  const inside = { buckets: internal.buckets.length, shelf, isOutside: false };
  const classes = [classOf(frontend, frontend.internal, inside)];
  if (outside === undefined) return classes;
  return [
    ...classes,
    classOf(frontend, frontend.external, { buckets: outside.buckets.length, shelf, isOutside: true }),
  ];
}

/** How many elements its shelf holds for it. */
export function loadOf({ internal, outside }: Programmed): number {
  return internal.buckets.length + (outside?.buckets.length ?? 0);
}

/** What the elements of a frontend depend on besides the frontend. */
export interface ElementContext {
  /** The number of a class's chain. */
  readonly classNumber: (chain: string) => number;
  /** `NodeNetwork.masqueradeAll`. */
  readonly masqueradesAll: boolean;
}

/**
 * The elements that belong to one frontend alone. Pure: the same programmed frontend always has the same elements, so the
 * difference of two states is the difference of their elements.
 */
export function elementsOf(programmed: Programmed, { classNumber, masqueradesAll }: ElementContext): Element[] {
  const { frontend, internal, outside, shelf } = programmed;
  const space = spaceOf(frontend);
  const names = spaces[space];
  const key = frontendKey(frontend);
  const keyEnd = rangeEnd(frontend);
  const backends = keyEnd === undefined ? key : backendsKey(frontend);
  const [classInside = '', classOutside] = classesOf(programmed);
  const comment = identityComment(frontend);
  const elements: Element[] = [{ set: names.classes, key, keyEnd, data: markData(classNumber(classInside)), comment }];
  addSpread(elements, { space, shelf, key: backends }, internal, false);
  if (outside !== undefined && classOutside !== undefined) {
    elements.push({ set: names.outside, key, keyEnd, data: markData(classNumber(classOutside)), comment });
    addSpread(elements, { space, shelf, key: backends }, outside, true);
  }
  if (isMasqueraded(programmed, masqueradesAll)) elements.push({ set: names.masqueraded, key, keyEnd });
  for (const range of sourceRangesOf(programmed)) {
    elements.push({ set: 'source-ranges', ...sourceRangeKeys(key, keyEnd ?? key, range) });
  }
  return elements;
}

function isForwarding({ internal, outside }: Programmed): boolean {
  return internal.buckets.length > 0 || (outside?.buckets.length ?? 0) > 0;
}

/** Whether connections to it leave with the node's address wherever they come from. Cluster addresses have one rule. */
function isMasqueraded(programmed: Programmed, masqueradesAll: boolean): boolean {
  const { kind, masquerade } = programmed.frontend;
  return kind !== 'ClusterIP' && (masqueradesAll || masquerade === 'always') && isForwarding(programmed);
}

function addSpread(
  elements: Element[],
  { space, shelf, key: frontend }: { readonly space: Space; readonly shelf: number; readonly key: Buffer },
  { buckets, slots }: Spread,
  isOutside: boolean,
): void {
  const backendSet = shelfSet(spaces[space].backends, shelf);
  const slotSet = shelfSet(spaces[space].slots, shelf);
  const offset = isOutside ? outsideOffset : 0;
  const dataOf = (name: string) => backendData(name, space === 'range');
  const markOf = (name: string) => slotMark(slots?.get(name) ?? 0, isOutside);
  for (const [bucket, name] of buckets.entries()) {
    const key = numberedKey(frontend, bucket + offset);
    elements.push(
      slots === undefined
        ? { set: backendSet, key, data: dataOf(name) }
        : { set: slotSet, key, data: markData(markOf(name)) },
    );
  }
  for (const name of slots?.keys() ?? []) {
    elements.push({ set: backendSet, key: numberedKey(frontend, markOf(name)), data: dataOf(name) });
  }
}

function sourceRangesOf(programmed: Programmed): string[] {
  return isForwarding(programmed) ? ownSourceRanges(programmed.frontend) : [];
}

/** The source ranges of the frontend's own family without those inside another: ranges of a set may not overlap. */
export function ownSourceRanges(frontend: Frontend): string[] {
  const ranges = (frontend.sourceRanges ?? [])
    .map((text) => parseCidr(text.trim()))
    .filter((cidr) => cidr?.family === frontend.family)
    .filter((cidr) => cidr !== undefined);
  const unique = [...new Map(ranges.map((cidr) => [cidr.text, cidr])).values()];
  return unique
    .filter((cidr) => !unique.some((other) => other !== cidr && cidrContainsCidr(other, cidr)))
    .map((cidr) => cidr.text);
}

/**
 * Whether two states of a frontend have the same elements, without making them: what an adoption finds for nearly every
 * frontend.
 */
export function isSameProgram(a: Programmed, b: Programmed, masqueradesAll: boolean): boolean {
  return (
    a.frontend.service === b.frontend.service &&
    a.frontend.portName === b.frontend.portName &&
    a.frontend.lastPort === b.frontend.lastPort &&
    (a.frontend.kind === 'ClusterIP') === (b.frontend.kind === 'ClusterIP') &&
    isMasqueraded(a, masqueradesAll) === isMasqueraded(b, masqueradesAll) &&
    isSameSpread(a.internal, b.internal) &&
    isSameSpread(a.outside ?? nothing, b.outside ?? nothing) &&
    (a.outside === undefined) === (b.outside === undefined) &&
    isSameList(classesOf(a), classesOf(b)) &&
    isSameList(sourceRangesOf(a).sort(), sourceRangesOf(b).sort()) &&
    isSameList(a.local, b.local)
  );
}

function isSameSpread(a: Spread, b: Spread): boolean {
  if (a.slots?.size !== b.slots?.size || !isSameList(a.buckets, b.buckets)) return false;
  for (const [name, slot] of a.slots ?? []) if (b.slots?.get(name) !== slot) return false;
  return true;
}

function isSameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, at) => item === b[at]);
}

/** Addresses of backends on this node that get connections, in order, without duplicates. */
export function localAddresses({ internal, external }: Frontend): string[] {
  const backends = internal === external ? internal.backends : [...internal.backends, ...external.backends];
  const local = new Set<string>();
  for (const { local: isLocal, weight, address } of backends) if (isLocal && weight > 0) local.add(address);
  return [...local].sort();
}

/** Elements that several frontends may need; each is there while at least one does. */
export function sharedElementsOf({ frontend, local }: Programmed): Element[] {
  const elements: Element[] = [];
  if (frontend.kind === 'ClusterIP' && frontend.address !== undefined) {
    elements.push({ set: 'cluster-ips', key: addressKey(frontend.address) });
  }
  for (const address of local) elements.push({ set: 'hairpins', key: hairpinKey(address) });
  return elements;
}

/** Why the tables cannot hold a frontend; undefined when they can. */
export function unfitReason({ family, address, port, lastPort, internal, external }: Frontend): string | undefined {
  if (address !== undefined && familyOf(address) !== family) return `${address} is not an ${family} address`;
  if (!isPort(port)) return `${port} is not a port`;
  if (lastPort !== undefined && address === undefined) return 'node ports have no ranges';
  if (lastPort !== undefined && (!isPort(lastPort) || lastPort < port))
    return `${port}-${lastPort} is no range of ports`;
  const backends = internal === external ? internal.backends : [...internal.backends, ...external.backends];
  const unfit = backends.find((backend) => familyOf(backend.address) !== family || !isPort(backend.port));
  return unfit && `backend ${backendName(unfit)} is not ${family}`;
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port > 0 && port < 65_536;
}
