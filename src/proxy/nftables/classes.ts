import type { Expression } from '../../linux/nftables/expressions.ts';
import * as x from '../../linux/nftables/expressions.ts';
import type { Frontend, Target } from '../../routing/frontend.ts';
import { type FamilyLayout, type Space, spaces } from './schema.ts';

/**
 * A class: everything about how a frontend treats a new connection, except its backends. Frontends of one class share
 * one chain, so ten thousand Services need a dozen chains; the numbers in it (buckets, time-out) are rule text in the
 * kernel, which is why they are in the class and not in a map. A class comes into the kernel with its first frontend.
 */
export interface ForwardClass {
  readonly space: Space;
  readonly buckets: number;
  /** Idle time-out of client affinity; undefined for none. */
  readonly stickySeconds: number | undefined;
  /** For clients from outside under a Local policy: buckets of their own. */
  readonly isOutside: boolean;
  /** Only sources in `source-ranges` may pass. */
  readonly isRanged: boolean;
  readonly masquerade: Frontend['masquerade'];
}

/** Chains of the constant rule set that are classes too. */
export const refuseChain = 'refuse';
export const ignoreChain = 'ignore';

/** Numbers above these are in the packet mark during the first packet's way, away from marks others use (1, 2, 0x4000). */
export const classBase = 0x1000;
export const slotBase = 0x1000;
/** Added to the numbers of buckets and slots for clients from outside. */
export const outsideOffset = 0x8000;

const prefixes: Readonly<Record<Space, string>> = { address: '', port: 'port-' };
const suffixes = { always: '-masquerade', 'off-cluster': '', never: '-keep' } as const;

/** The class's chain: `spread-3`, `sticky-2-10800s`, `port-spread-3-masquerade`, `spread-1-outside-keep`. */
export function className(spec: ForwardClass): string {
  const draw =
    spec.stickySeconds === undefined ? `spread-${spec.buckets}` : `sticky-${spec.buckets}-${spec.stickySeconds}s`;
  const outside = spec.isOutside ? '-outside' : '';
  const ranged = spec.isRanged ? '-ranged' : '';
  return `${prefixes[spec.space]}${draw}${outside}${ranged}${suffixes[spec.masquerade]}`;
}

const pattern = /^(port-)?(?:spread-(\d+)|sticky-(\d+)-(\d+)s)(-outside)?(-ranged)?(-masquerade|-keep)?$/;

/** Inverse of `className`; undefined for any other chain. */
export function parseClassName(name: string): ForwardClass | undefined {
  const match = pattern.exec(name);
  if (match === null) return undefined;
  const [, port, spread, sticky, seconds, outside, ranged, masquerade] = match;
  return {
    space: port === undefined ? 'address' : 'port',
    buckets: Number(spread ?? sticky),
    stickySeconds: seconds === undefined ? undefined : Number(seconds),
    isOutside: outside !== undefined,
    isRanged: ranged !== undefined,
    masquerade: masquerade === '-masquerade' ? 'always' : masquerade === '-keep' ? 'never' : 'off-cluster',
  };
}

/** Which chain a target of a frontend goes to, when it has `buckets` buckets. */
export function classOf(frontend: Frontend, target: Target, buckets: number, isOutside: boolean): string {
  if (target.verdict === 'drop') return ignoreChain;
  if (target.verdict === 'reject' || buckets === 0) return refuseChain;
  return className({
    space: frontend.address === undefined ? 'port' : 'address',
    buckets,
    stickySeconds: frontend.affinity?.timeoutSeconds,
    isOutside,
    isRanged: frontend.sourceRanges !== undefined,
    masquerade: frontend.masquerade,
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

/** Loads the key of a frontend in the packet: destination address (not for node ports), protocol, port. */
export function frontendFields(layout: FamilyLayout, space: Space, from = 0): LoadedKey {
  const protocol = space === 'address' ? from + words(layout) : from;
  const address = space === 'address' ? [destinationAddress(layout, from)] : [];
  return {
    load: [...address, x.meta('l4proto', protocol), x.payload('transport', 2, 2, protocol + 1)],
    next: protocol + 2,
  };
}

/** The same, of the destination that the connection's client called, after it was rewritten. */
export function originalFields(layout: FamilyLayout, space: Space): LoadedKey {
  const protocol = space === 'address' ? words(layout) : 0;
  const address = space === 'address' ? [x.ct(layout.family === 'ip' ? 'dstIp' : 'dstIp6', 0, 'original')] : [];
  return {
    load: [...address, x.meta('l4proto', protocol), x.ct('protoDst', protocol + 1, 'original')],
    next: protocol + 2,
  };
}

/** The rules of a class's chain, in order. */
export function classRules(layout: FamilyLayout, spec: ForwardClass): readonly (readonly Expression[])[] {
  const guard = spec.isRanged ? [rangeGuard(layout)] : [];
  return [...guard, ...(spec.stickySeconds === undefined ? [spreadRule(layout, spec)] : stickyRules(layout, spec))];
}

/** Drops what is not from one of the frontend's source ranges. */
function rangeGuard(layout: FamilyLayout): readonly Expression[] {
  const { load, next } = frontendFields(layout, 'address');
  return [
    ...load,
    sourceAddress(layout, next),
    x.lookup('source-ranges', 0, { invert: true }),
    x.verdict({ kind: 'drop' }),
  ];
}

function draw(spec: ForwardClass, to: number): Expression {
  return x.numgen(to, spec.buckets, { offset: spec.isOutside ? outsideOffset : 0 });
}

function translate(layout: FamilyLayout, spec: ForwardClass): readonly Expression[] {
  return [x.lookup(spaces[spec.space].backends, 0, { to: 0 }), x.dnat(layout.family, 0, words(layout))];
}

function spreadRule(layout: FamilyLayout, spec: ForwardClass): readonly Expression[] {
  const { load, next } = frontendFields(layout, spec.space);
  return [...load, draw(spec, next), ...translate(layout, spec)];
}

/**
 * Draws a bucket, finds its slot, and lets an unexpired memory of this client win; the look refreshes the memory. A
 * remembered slot without a backend is forgotten and the draw is made again.
 */
function stickyRules(layout: FamilyLayout, spec: ForwardClass): readonly (readonly Expression[])[] {
  const frontend = frontendFields(layout, spec.space);
  const client = frontendFields(layout, 'address', words(layout));
  const memory = [sourceAddress(layout, 0), ...client.load];
  const set = spec.isOutside ? 'affinity-outside' : 'affinity';
  const timeoutMs = (spec.stickySeconds ?? 0) * 1000;
  const attempt = [
    [draw(spec, 0), x.setMark(0)],
    [
      ...frontend.load,
      x.meta('mark', frontend.next),
      x.lookup(spaces[spec.space].slots, 0, { to: frontend.next + 1 }),
      x.setMark(frontend.next + 1),
    ],
    [...memory, x.meta('mark', client.next), x.dynset(set, 'update', 0, { data: client.next, timeoutMs })],
    [...memory, x.lookup(set, 0, { to: client.next }), x.setMark(client.next)],
    [...frontend.load, x.meta('mark', frontend.next), ...translate(layout, spec)],
  ];
  const forget = [...memory, x.meta('mark', client.next), x.dynset(set, 'delete', 0, { data: client.next })];
  return [...attempt, forget, ...attempt];
}
