import { createHash } from 'node:crypto';
import type { Expression } from '../../linux/nftables/expressions.ts';
import * as x from '../../linux/nftables/expressions.ts';
import { writeSet } from '../../linux/nftables/sets.ts';
import type { Chain, Transaction } from '../../linux/nftables/transaction.ts';
import { MessageWriter } from '../../linux/netlink/message.ts';
import type { NodeNetwork } from '../dataplane.ts';
import {
  calledFields,
  className,
  classRules,
  destinationAddress,
  type Draw,
  type ForwardClass,
  ignoreChain,
  originalFields,
  refuseChain,
  sourceAddress,
} from './classes.ts';
import { type FamilyLayout, type Space, setSpecs, spaceNames, spaces, tableName } from './schema.ts';

/** What the constant rules depend on; the rest of the node's network is in sets. */
export type RuleSettings = Pick<NodeNetwork, 'masqueradeAll' | 'podLinks'>;

/** Kernel facts used below: the loopback interface's index, RTN_LOCAL, IPS_DST_NAT, the ct state "invalid". */
const loopbackIndex = Buffer.from([1, 0, 0, 0]);
const localAddress = Buffer.from([2, 0, 0, 0]);
const destinationTranslated = Buffer.from([0x20, 0, 0, 0]);
const invalidState = Buffer.from([1, 0, 0, 0]);
const zero = Buffer.alloc(4);
const linkNameBytes = 16;

export interface ChainRules extends Chain {
  readonly rules: readonly (readonly Expression[])[];
}

/**
 * The constant rule set. Only elements of its sets, and one small chain for each class in use, ever change.
 *
 * A new connection goes prerouting (or output, from this machine) → outside or inside → a class's chain, which draws a
 * backend. On its way out postrouting looks up what was called to decide on masquerading.
 */
export function constantChains(layout: FamilyLayout, settings: RuleSettings = {}): readonly ChainRules[] {
  return [
    { name: refuseChain, rules: refuseRules(layout) },
    { name: ignoreChain, rules: [[x.verdict({ kind: 'drop' })]] },
    ...callChains(layout),
    {
      name: 'prerouting',
      hook: { type: 'nat', hook: 'prerouting', priority: -100 },
      rules: [...fromPods(layout, settings, goTo('inside')), goTo('outside')],
    },
    { name: 'output', hook: { type: 'nat', hook: 'output', priority: -100 }, rules: [goTo('inside')] },
    { name: 'masquerade-off-cluster', rules: offClusterRules(layout, settings) },
    { name: 'translated', rules: translatedRules(layout) },
    {
      name: 'postrouting',
      hook: { type: 'nat', hook: 'postrouting', priority: 100 },
      rules: [
        [x.meta('oif', 0), x.compare(0, 'eq', loopbackIndex), x.verdict({ kind: 'return' })],
        [...hasBits('status', destinationTranslated), ...goTo('translated')],
      ],
    },
    {
      name: 'forward',
      hook: { type: 'filter', hook: 'forward', priority: 0 },
      rules: invalidRules(layout, settings),
    },
  ];
}

/** Finds out what is called, for callers inside and outside the node, and goes to the class's chain. */
function callChains(layout: FamilyLayout): readonly ChainRules[] {
  const isLocal = [x.fibAddressType('destination', 0), x.compare(0, 'eq', localAddress)];
  const jump = (chain: string) => [...isLocal, x.verdict({ kind: 'jump', chain })];
  const called = (space: Space, map: 'classes' | 'outside') => calledRule(layout, space, map);
  const insidePort = called('port', 'classes');
  return [
    { name: 'node-port', rules: [...nodePortGuards(layout), insidePort] },
    { name: 'node-port-outside', rules: [...nodePortGuards(layout), called('port', 'outside'), insidePort] },
    {
      name: 'unused',
      rules: [
        [...destinationIn(layout, 'cluster-ips'), ...goTo(refuseChain)],
        [...destinationIn(layout, 'service-cidrs'), ...goTo(ignoreChain)],
      ],
    },
    {
      name: 'inside',
      rules: [called('address', 'classes'), called('range', 'classes'), jump('node-port'), goTo('unused')],
    },
    {
      name: 'outside',
      rules: [
        called('address', 'outside'),
        called('address', 'classes'),
        called('range', 'outside'),
        called('range', 'classes'),
        jump('node-port-outside'),
        goTo('unused'),
      ],
    },
  ];
}

/** Adds a family's table with its sets and constant chains; elements come after. */
export function addConstantRules(transaction: Transaction, layout: FamilyLayout, settings: RuleSettings): void {
  const { family } = layout;
  transaction.addTable(family, tableName, tableComment(layout, settings));
  addContents(transaction, layout, tableName, constantChains(layout, settings));
}

/**
 * Loads everything that every table contains, under another name, and deletes it in the same transaction: whether a
 * kernel can carry the plane. Hashing is left out: without it only the Services that ask for it are refused.
 */
export function addTrial(transaction: Transaction, layout: FamilyLayout, table: string): void {
  transaction.addTable(layout.family, table, 'a trial, gone again at once');
  addContents(transaction, layout, table, [...constantChains(layout), ...sampleClasses(layout, ['random'])]);
  transaction.deleteTable(layout.family, table);
}

function addContents(
  transaction: Transaction,
  layout: FamilyLayout,
  table: string,
  chains: readonly ChainRules[],
): void {
  for (const spec of Object.values(setSpecs(layout))) transaction.addSet(layout.family, table, spec);
  for (const chain of chains) transaction.addChain(layout.family, table, chain);
  for (const chain of chains) {
    for (const rule of chain.rules) transaction.addRule(layout.family, table, chain.name, rule);
  }
}

/**
 * The comment of the table. It names the rules by what they are, and the settings of the node by what they make of them:
 * a table with another comment was made by another version or for other settings, and is replaced in one transaction.
 */
export function tableComment(layout: FamilyLayout, settings: RuleSettings): string {
  const version = versionComment(layout);
  const own = digest(layout, settings);
  return version.endsWith(own) ? version : `${version}, settings ${own}`;
}

/** What the comments of all tables of this version begin with. */
export function versionComment(layout: FamilyLayout): string {
  return `fairlead services, rules ${digest(layout, {})}`;
}

function digest(layout: FamilyLayout, settings: RuleSettings): string {
  const writer = new MessageWriter();
  for (const spec of Object.values(setSpecs(layout))) writeSet(writer, tableName, spec, 0);
  for (const { name, hook, rules } of [...constantChains(layout, settings), ...sampleClasses(layout)]) {
    writer.attributeString(0, `${name} ${hook?.type} ${hook?.hook} ${hook?.priority} ${rules.length}`);
    for (const rule of rules) for (const write of rule) write(writer);
  }
  return createHash('sha256').update(writer.written()).digest('hex').slice(0, 12);
}

/** A chain of every shape a class can have. */
function sampleClasses(
  layout: FamilyLayout,
  draws: readonly Draw[] = ['random', 'source', 'destination'],
): readonly ChainRules[] {
  const shapes = spaceNames.flatMap((space) =>
    draws.flatMap((draw) =>
      [undefined, 60].flatMap((stickySeconds) =>
        [false, true].map((isOutside): ForwardClass => {
          const firstPort = space === 'range' ? 8000 : undefined;
          return { space, firstPort, buckets: 2, draw, stickySeconds, isOutside, isRestricted: isOutside };
        }),
      ),
    ),
  );
  return shapes.map((shape) => ({ name: className(shape), rules: classRules(layout, shape) }));
}

function goTo(chain: string): readonly Expression[] {
  return [x.verdict({ kind: 'goto', chain })];
}

function sourceIn(layout: FamilyLayout, set: string, invert = false): readonly Expression[] {
  return [sourceAddress(layout, 0), x.lookup(set, 0, { invert })];
}

function destinationIn(layout: FamilyLayout, set: string): readonly Expression[] {
  return [destinationAddress(layout, 0), x.lookup(set, 0)];
}

function hasBits(key: 'status' | 'state', bits: Uint8Array): readonly Expression[] {
  return [x.ct(key, 0), x.bitwise(0, 0, bits, zero), x.compare(0, 'neq', zero)];
}

/** Rules that do `what` with packets of this node's Pods: what comes in through their links, or from their addresses. */
function fromPods(
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
function refuseRules(layout: FamilyLayout): readonly (readonly Expression[])[] {
  return [
    [x.meta('l4proto', 0), x.compare(0, 'eq', Buffer.from([6])), x.reject('reset', layout.family)],
    [x.reject('port-unreachable', layout.family)],
  ];
}

/** Finds the class of what is called and goes to its chain. Without one nothing happens. */
function calledRule(layout: FamilyLayout, space: Space, map: 'classes' | 'outside'): readonly Expression[] {
  const { load, next } = calledFields(layout, space);
  return [
    ...load,
    x.lookup(spaces[space][map], 0, { to: next }),
    x.setMark(next),
    x.meta('mark', 0),
    x.lookup('classes', 0, { to: 'verdict' }),
  ];
}

/** Node ports answer on the addresses that were asked for, never on loopback. */
function nodePortGuards(layout: FamilyLayout): readonly (readonly Expression[])[] {
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

/** What leaves this machine with a rewritten destination: which source address it shows. */
function translatedRules(layout: FamilyLayout): readonly (readonly Expression[])[] {
  const pair = [sourceAddress(layout, 0), destinationAddress(layout, layout.addressBytes / 4)];
  const masqueraded = spaceNames.map((space) => [
    ...originalFields(layout, space).load,
    x.lookup(spaces[space].masqueraded, 0),
    x.masquerade(),
  ]);
  const clusterIp = [x.ct(layout.family === 'ip' ? 'dstIp' : 'dstIp6', 0, 'original'), x.lookup('cluster-ips', 0)];
  return [
    [...pair, x.lookup('hairpins', 0), x.masquerade()],
    [...clusterIp, ...goTo('masquerade-off-cluster')],
    ...masqueraded,
  ];
}

/** Connections to cluster addresses show their callers to backends when these are Pods. */
function offClusterRules(layout: FamilyLayout, settings: RuleSettings): readonly (readonly Expression[])[] {
  if (settings.masqueradeAll === true) return [[x.masquerade()]];
  const leave = [x.verdict({ kind: 'return' })];
  if ((settings.podLinks ?? []).length > 0) return [...fromPods(layout, settings, leave), [x.masquerade()]];
  return [[...sourceIn(layout, 'cluster-cidrs', true), x.masquerade()]];
}

/**
 * Drops what connection tracking calls invalid on its way to or from Pods: it would arrive untranslated, and the caller
 * would reset a connection that is sound.
 */
function invalidRules(layout: FamilyLayout, { podLinks = [] }: RuleSettings): readonly (readonly Expression[])[] {
  const drop = x.verdict({ kind: 'drop' });
  const invalid = hasBits('state', invalidState);
  const ofPods =
    podLinks.length === 0
      ? [sourceIn(layout, 'cluster-cidrs'), destinationIn(layout, 'pod-cidrs')]
      : podLinks.flatMap((link) => [isLink('iifname', link), isLink('oifname', link)]);
  return ofPods.map((isPod) => [...invalid, ...isPod, drop]);
}
