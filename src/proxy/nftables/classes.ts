import type { Expression } from '../../linux/nftables/expressions.ts';
import * as x from '../../linux/nftables/expressions.ts';
import type { Frontend, Target } from '../../routing/frontend.ts';
import type { Scheduler } from '../../routing/scheduler.ts';
import { type FamilyLayout, memories, shelfSet, type Space, spaceOf, spaces } from './schema.ts';

/**
 * A class: everything about how a frontend treats a new connection, except its backends. Frontends of one class share
 * one chain, so ten thousand Services need a dozen chains; the numbers in it (buckets, time-out) are rule text in the
 * kernel, which is why they are in the class and not in a map. A class comes into the kernel with its first frontend.
 */
export interface ForwardClass {
  readonly space: Space;
  /** Where the backends are, in the space of addresses; 0 in the others. */
  readonly shelf: number;
  /** First port of a range, in the space of ranges. */
  readonly firstPort: number | undefined;
  readonly buckets: number;
  /** What picks a bucket: chance, or a hash of an address. */
  readonly draw: Draw;
  /** Idle time-out of client affinity; undefined for none. */
  readonly stickySeconds: number | undefined;
  /** For clients from outside under a Local policy: buckets of their own. */
  readonly isOutside: boolean;
  /** Only sources in `source-ranges` may pass. */
  readonly isRestricted: boolean;
}

export type Draw = 'random' | 'source' | 'destination';

/** Chains of the constant rule set that are classes too. */
export const refuseChain = 'refuse';
export const ignoreChain = 'ignore';

/** First class number: they are in the packet mark during a first packet's way. */
export const classBase = 0x1000;
/** Added to the numbers of buckets for clients from outside. */
export const outsideOffset = 0x8000;

/**
 * What affinity remembers and the packet mark carries: a slot, and whether it is one for clients from outside. The marks of
 * 2,048 slots are 0x1000 to 0x1fff and leave alone the bits that others act on: 0x2000 (CNI's portmap), 0x4000 and 0x8000
 * (kube-proxy), and all above 0xffff (Calico, Tailscale), which only larger slots reach.
 */
export function slotMark(slot: number, isOutside: boolean): number {
  return classBase + (slot & 0x7ff) + (isOutside ? 0x800 : 0) + (slot >> 11) * 0x10000;
}

/** Inverse of `slotMark`. */
export function readSlotMark(mark: number): { readonly slot: number; readonly isOutside: boolean } {
  return { slot: (mark & 0x7ff) + ((mark >>> 16) << 11), isOutside: (mark & 0x800) !== 0 };
}

/** The same on every node, so that all send a client to the same backend. */
const hashSeed = 0xfa1e;

const draws: Readonly<Partial<Record<Scheduler, Draw>>> = { sh: 'source', mh: 'source', dh: 'destination' };

/** What picks a bucket under a scheduler. Those that nftables lacks draw at random (`proxy/limits.ts`). */
export function drawOf(scheduler: Scheduler | undefined): Draw {
  return (scheduler && draws[scheduler]) ?? 'random';
}

/** The class's chain: `spread-3`, `sticky-2-10800s`, `port-spread-3`, `range-8000-spread-4096-by-source-outside`. */
export function className(spec: ForwardClass): string {
  const prefix = { address: '', port: 'port-', range: `range-${spec.firstPort ?? 0}-` }[spec.space];
  const how =
    spec.stickySeconds === undefined ? `spread-${spec.buckets}` : `sticky-${spec.buckets}-${spec.stickySeconds}s`;
  const draw = spec.draw === 'random' ? '' : `-by-${spec.draw}`;
  const shelf = spec.shelf === 0 ? '' : `.${spec.shelf + 1}`;
  return `${prefix}${how}${draw}${spec.isOutside ? '-outside' : ''}${spec.isRestricted ? '-restricted' : ''}${shelf}`;
}

const pattern =
  /^(?:(port)-|range-(\d+)-)?(?:spread-(\d+)|sticky-(\d+)-(\d+)s)(?:-by-(source|destination))?(-outside)?(-restricted)?(?:\.(\d+))?$/;

/** Inverse of `className`; undefined for any other chain. */
export function parseClassName(name: string): ForwardClass | undefined {
  const match = pattern.exec(name);
  if (match === null) return undefined;
  const [, port, firstPort, spread, sticky, seconds, draw, outside, restricted, shelf] = match;
  return {
    space: port !== undefined ? 'port' : firstPort === undefined ? 'address' : 'range',
    shelf: shelf === undefined ? 0 : Number(shelf) - 1,
    firstPort: firstPort === undefined ? undefined : Number(firstPort),
    buckets: Number(spread ?? sticky),
    draw: draw === 'source' || draw === 'destination' ? draw : 'random',
    stickySeconds: seconds === undefined ? undefined : Number(seconds),
    isOutside: outside !== undefined,
    isRestricted: restricted !== undefined,
  };
}

/** Which chain a target of a frontend goes to, when it has `buckets` buckets on a shelf. */
export function classOf(
  frontend: Frontend,
  target: Target,
  { buckets, shelf, isOutside }: Pick<ForwardClass, 'buckets' | 'shelf' | 'isOutside'>,
): string {
  if (target.verdict === 'drop') return ignoreChain;
  if (target.verdict === 'reject' || buckets === 0) return refuseChain;
  const space = spaceOf(frontend);
  return className({
    space,
    shelf,
    firstPort: space === 'range' ? frontend.port : undefined,
    buckets,
    draw: drawOf(frontend.scheduler),
    stickySeconds: frontend.affinity?.timeoutSeconds,
    isOutside,
    isRestricted: frontend.sourceRanges !== undefined,
  });
}

/** How many 32-bit registers an address takes. */
function words(layout: FamilyLayout): number {
  return layout.addressBytes / 4;
}

export function sourceAddress(layout: FamilyLayout, to: number): Expression {
  return x.payload('network', layout.sourceOffset, layout.addressBytes, to);
}

export function destinationAddress(layout: FamilyLayout, to: number): Expression {
  return x.payload('network', layout.destinationOffset, layout.addressBytes, to);
}

/** A loaded key and the first free register after it. */
export interface LoadedKey {
  readonly load: readonly Expression[];
  readonly next: number;
}

/** Loads what the packet calls: destination address (not for node ports), protocol, port. */
export function calledFields(layout: FamilyLayout, space: Space, from = 0): LoadedKey {
  const protocol = space === 'port' ? from : from + words(layout);
  const address = space === 'port' ? [] : [destinationAddress(layout, from)];
  return {
    load: [...address, x.meta('l4proto', protocol), x.payload('transport', 2, 2, protocol + 1)],
    next: protocol + 2,
  };
}

/** The same, of the destination that the connection's client called, after it was rewritten. */
export function originalFields(layout: FamilyLayout, space: Space): LoadedKey {
  const protocol = space === 'port' ? 0 : words(layout);
  const address = space === 'port' ? [] : [x.ct(layout.family === 'ip' ? 'dstIp' : 'dstIp6', 0, 'original')];
  return {
    load: [...address, x.meta('l4proto', protocol), x.ct('protoDst', protocol + 1, 'original')],
    next: protocol + 2,
  };
}

/** Loads the key under which a frontend's backends are: what was called; of a range, its first port. */
function frontendFields(layout: FamilyLayout, { space, firstPort }: ForwardClass, from = 0): LoadedKey {
  if (firstPort === undefined) return calledFields(layout, space, from);
  const protocol = from + words(layout);
  // A constant that every `nft` can print inside a key.
  const first = x.numgen(protocol + 1, 1, { offset: firstPort });
  return { load: [destinationAddress(layout, from), x.meta('l4proto', protocol), first], next: protocol + 2 };
}

/** The rules of a class's chain, in order. */
export function classRules(layout: FamilyLayout, spec: ForwardClass): readonly (readonly Expression[])[] {
  const guard = spec.isRestricted ? [sourceGuard(layout)] : [];
  return [...guard, ...(spec.stickySeconds === undefined ? [spreadRule(layout, spec)] : stickyRules(layout, spec))];
}

/** Drops what is not from one of the frontend's source ranges. */
export function sourceGuard(layout: FamilyLayout): readonly Expression[] {
  const { load, next } = calledFields(layout, 'address');
  return [
    ...load,
    sourceAddress(layout, next),
    x.lookup('source-ranges', 0, { invert: true }),
    x.verdict({ kind: 'drop' }),
  ];
}

/** Loads the number of a bucket; uses the registers after it. */
function draw(layout: FamilyLayout, spec: ForwardClass, to: number): readonly Expression[] {
  const offset = spec.isOutside ? outsideOffset : 0;
  if (spec.draw === 'random') return [x.numgen(to, spec.buckets, { offset })];
  const address = spec.draw === 'source' ? sourceAddress : destinationAddress;
  const hash = x.hash(to + 1, layout.addressBytes, to, spec.buckets, { seed: hashSeed, offset });
  return [address(layout, to + 1), hash];
}

function translate(layout: FamilyLayout, { space, shelf }: ForwardClass): readonly Expression[] {
  const port = space === 'range' ? undefined : words(layout);
  return [x.lookup(shelfSet(spaces[space].backends, shelf), 0, { to: 0 }), x.dnat(layout.family, 0, port)];
}

function spreadRule(layout: FamilyLayout, spec: ForwardClass): readonly Expression[] {
  const { load, next } = frontendFields(layout, spec);
  return [...load, ...draw(layout, spec, next), ...translate(layout, spec)];
}

/** Loads the key under which a client is remembered: its address, and what it called. */
function memoryFields(layout: FamilyLayout, spec: ForwardClass): LoadedKey {
  const called = words(layout);
  const { load, next } =
    spec.space === 'range' ? frontendFields(layout, spec, called) : calledFields(layout, 'address', called);
  return { load: [sourceAddress(layout, 0), ...load], next };
}

/**
 * Draws a bucket, finds its slot, and lets an unexpired memory of this client win; the look refreshes the memory. A
 * remembered slot without a backend is forgotten and the draw is made again.
 */
function stickyRules(layout: FamilyLayout, spec: ForwardClass): readonly (readonly Expression[])[] {
  const frontend = frontendFields(layout, spec);
  const client = memoryFields(layout, spec);
  const set = memories[spec.space][spec.isOutside ? 'outside' : 'inside'];
  const timeoutMs = (spec.stickySeconds ?? 0) * 1000;
  const attempt = [
    [...draw(layout, spec, 0), x.setMark(0)],
    [
      ...frontend.load,
      x.meta('mark', frontend.next),
      x.lookup(shelfSet(spaces[spec.space].slots, spec.shelf), 0, { to: frontend.next + 1 }),
      x.setMark(frontend.next + 1),
    ],
    [...client.load, x.meta('mark', client.next), x.dynset(set, 'update', 0, { data: client.next, timeoutMs })],
    [...client.load, x.lookup(set, 0, { to: client.next }), x.setMark(client.next)],
    [...frontend.load, x.meta('mark', frontend.next), ...translate(layout, spec)],
  ];
  const forget = [...client.load, x.meta('mark', client.next), x.dynset(set, 'delete', 0, { data: client.next })];
  return [...attempt, forget, ...attempt];
}
