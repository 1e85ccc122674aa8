import type { Expression } from '../../linux/nftables/expressions.ts';
import * as x from '../../linux/nftables/expressions.ts';
import type { Chain } from '../../linux/nftables/transaction.ts';
import type { NodeNetwork } from '../dataplane.ts';
import { calledFields, destinationAddress, originalFields, sourceAddress } from './classes.ts';
import { type FamilyLayout, type Space, spaceNames, spaces } from './schema.ts';

/** Rules, and parts of them, that every table of Fairlead has. */

/** What the constant rules depend on; the rest of the node's network is in sets. */
export type RuleSettings = Pick<NodeNetwork, 'masqueradeAll' | 'podLinks'>;

/** Kernel facts used below: the loopback interface's index, RTN_LOCAL, IPS_DST_NAT, the ct states "invalid" and "related". */
const loopbackIndex = Buffer.from([1, 0, 0, 0]);
const localAddress = Buffer.from([2, 0, 0, 0]);
const destinationTranslated = Buffer.from([0x20, 0, 0, 0]);
const relatedState = Buffer.from([4, 0, 0, 0]);
const invalidState = Buffer.from([1, 0, 0, 0]);
const zero = Buffer.alloc(4);
const linkNameBytes = 16;

export interface ChainRules extends Chain {
  readonly rules: readonly (readonly Expression[])[];
}

export function goTo(chain: string): readonly Expression[] {
  return [x.verdict({ kind: 'goto', chain })];
}

export function sourceIn(layout: FamilyLayout, set: string, invert = false): readonly Expression[] {
  return [sourceAddress(layout, 0), x.lookup(set, 0, { invert })];
}

export function destinationIn(layout: FamilyLayout, set: string): readonly Expression[] {
  return [destinationAddress(layout, 0), x.lookup(set, 0)];
}

/** Whether the destination is one of this machine's own addresses. */
export const isToThisMachine: readonly Expression[] = [
  x.fibAddressType('destination', 0),
  x.compare(0, 'eq', localAddress),
];

/** Whether the connection's destination has been rewritten. */
export const isTranslated: readonly Expression[] = hasBits('status', destinationTranslated);

/** Whether the packet belongs to a connection that is there: an answer of ours to a refused one, too. */
export const isRelated: readonly Expression[] = hasBits('state', relatedState);

/** For postrouting: what stays on this machine is left alone. */
export const leaveLoopback: readonly Expression[] = [
  x.meta('oif', 0),
  x.compare(0, 'eq', loopbackIndex),
  x.verdict({ kind: 'return' }),
];

/** The destination that the connection's client called. */
export function originalDestinationIn(layout: FamilyLayout, set: string): readonly Expression[] {
  return [x.ct(layout.family === 'ip' ? 'dstIp' : 'dstIp6', 0, 'original'), x.lookup(set, 0)];
}

function hasBits(key: 'status' | 'state', bits: Uint8Array): readonly Expression[] {
  return [x.ct(key, 0), x.bitwise(0, 0, bits, zero), x.compare(0, 'neq', zero)];
}

/** Rules that do `what` with packets of this node's Pods: what comes in through their links, or from their addresses. */
export function fromPods(
  layout: FamilyLayout,
  { podLinks = [] }: RuleSettings,
  what: readonly Expression[],
): readonly (readonly Expression[])[] {
  if (podLinks.length === 0) return [[...sourceIn(layout, 'pod-cidrs'), ...what]];
  return podLinks.map((link) => [...isLink('iifname', link), ...what]);
}

/** A name, or with a `*` at its end everything that begins so. */
function isLink(key: 'iifname' | 'oifname', link: string): readonly Expression[] {
  const isPrefix = link.endsWith('*');
  const name = Buffer.from(isPrefix ? link.slice(0, -1) : link.padEnd(linkNameBytes, '\0'));
  return [x.meta(key, 0), x.compare(0, 'eq', name)];
}

/** TCP gets a reset, everything else port unreachable. */
export function refuseRules(layout: FamilyLayout): readonly (readonly Expression[])[] {
  return [
    [x.meta('l4proto', 0), x.compare(0, 'eq', Buffer.from([6])), x.reject('reset', layout.family)],
    [x.reject('port-unreachable', layout.family)],
  ];
}

/** Node ports answer on the addresses that were asked for, never on loopback. */
export function nodePortGuards(layout: FamilyLayout): readonly (readonly Expression[])[] {
  const leave = x.verdict({ kind: 'return' });
  return [
    [...loopback(layout), leave],
    [destinationAddress(layout, 0), x.lookup('node-port-addresses', 0, { invert: true }), leave],
  ];
}

/** 127.0.0.0/8 or ::1. */
function loopback(layout: FamilyLayout): readonly Expression[] {
  if (layout.family === 'ip6') {
    return [destinationAddress(layout, 0), x.compare(0, 'eq', Buffer.from([...new Uint8Array(15), 1]))];
  }
  return [x.payload('network', layout.destinationOffset, 1, 0), x.compare(0, 'eq', Buffer.from([127]))];
}

/**
 * Finds the class of what is called in a map of the space, and goes to its chain, by number through the packet mark. Without
 * one nothing happens.
 */
export function calledRule(layout: FamilyLayout, space: Space, map: string): readonly Expression[] {
  const { load, next } = calledFields(layout, space);
  return [
    ...load,
    x.lookup(map, 0, { to: next }),
    x.setMark(next),
    x.meta('mark', 0),
    x.lookup('classes', 0, { to: 'verdict' }),
  ];
}

/** Backends that call themselves would answer themselves, past the translation. */
export function hairpinRule(layout: FamilyLayout): readonly Expression[] {
  const pair = [sourceAddress(layout, 0), destinationAddress(layout, layout.addressBytes / 4)];
  return [...pair, x.lookup('hairpins', 0), x.masquerade()];
}

/** Callers of the frontends in the sets of `masqueraded` are hidden; a rule for each space. */
export function masqueradedRules(layout: FamilyLayout): readonly (readonly Expression[])[] {
  return spaceNames.map((space) => [
    ...originalFields(layout, space).load,
    x.lookup(spaces[space].masqueraded, 0),
    x.masquerade(),
  ]);
}

/** Connections to cluster addresses show their callers to backends when these are Pods. */
export function offClusterRules(layout: FamilyLayout, settings: RuleSettings): readonly (readonly Expression[])[] {
  if (settings.masqueradeAll === true) return [[x.masquerade()]];
  const leave = [x.verdict({ kind: 'return' })];
  if ((settings.podLinks ?? []).length > 0) return [...fromPods(layout, settings, leave), [x.masquerade()]];
  return [[...sourceIn(layout, 'cluster-cidrs', true), x.masquerade()]];
}

/**
 * Drops what connection tracking calls invalid on its way to or from Pods: it would arrive untranslated, and the caller
 * would reset a connection that is sound.
 */
export function invalidRules(
  layout: FamilyLayout,
  { podLinks = [] }: RuleSettings,
): readonly (readonly Expression[])[] {
  const drop = x.verdict({ kind: 'drop' });
  const invalid = hasBits('state', invalidState);
  const ofPods =
    podLinks.length === 0
      ? [sourceIn(layout, 'cluster-cidrs'), destinationIn(layout, 'pod-cidrs')]
      : podLinks.flatMap((link) => [isLink('iifname', link), isLink('oifname', link)]);
  return ofPods.map((isPod) => [...invalid, ...isPod, drop]);
}
