import { createHash } from 'node:crypto';
import type { Expression } from '../../linux/nftables/expressions.ts';
import * as x from '../../linux/nftables/expressions.ts';
import { writeSet } from '../../linux/nftables/sets.ts';
import type { Transaction } from '../../linux/nftables/transaction.ts';
import { MessageWriter } from '../../linux/netlink/message.ts';
import { className, classRules, type Draw, type ForwardClass, ignoreChain, refuseChain } from './classes.ts';
import {
  calledRule,
  type ChainRules,
  destinationIn,
  fromPods,
  goTo,
  hairpinRule,
  invalidRules,
  isToThisMachine,
  isTranslated,
  leaveLoopback,
  masqueradedRules,
  nodePortGuards,
  offClusterRules,
  originalDestinationIn,
  refuseRules,
  type RuleSettings,
} from './fragments.ts';
import { constantSets, type FamilyLayout, type Space, spaceNames, spaces, tableName } from './schema.ts';

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
    // After everyone's translation: Services of the same range may be another proxy's.
    { name: 'unused-incoming', hook: { type: 'nat', hook: 'prerouting', priority: 0 }, rules: [goTo('unused')] },
    { name: 'unused-outgoing', hook: { type: 'nat', hook: 'output', priority: 0 }, rules: [goTo('unused')] },
    { name: 'masquerade-off-cluster', rules: offClusterRules(layout, settings) },
    { name: 'translated', rules: translatedRules(layout) },
    {
      name: 'postrouting',
      hook: { type: 'nat', hook: 'postrouting', priority: 100 },
      rules: [leaveLoopback, [...isTranslated, ...goTo('translated')]],
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
  const jump = (chain: string) => [...isToThisMachine, x.verdict({ kind: 'jump', chain })];
  const called = (space: Space, map: 'classes' | 'outside') => calledRule(layout, space, spaces[space][map]);
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
      rules: [called('address', 'classes'), called('range', 'classes'), jump('node-port')],
    },
    {
      name: 'outside',
      rules: [
        called('address', 'outside'),
        called('address', 'classes'),
        called('range', 'outside'),
        called('range', 'classes'),
        jump('node-port-outside'),
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
  for (const spec of constantSets(layout)) transaction.addSet(layout.family, table, spec);
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
  for (const spec of constantSets(layout)) writeSet(writer, tableName, spec, 0);
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
          return { space, shelf: 0, firstPort, buckets: 2, draw, stickySeconds, isOutside, isRestricted: isOutside };
        }),
      ),
    ),
  );
  return shapes.map((shape) => ({ name: className(shape), rules: classRules(layout, shape) }));
}

/** What leaves this machine with a rewritten destination: which source address it shows. */
function translatedRules(layout: FamilyLayout): readonly (readonly Expression[])[] {
  return [
    hairpinRule(layout),
    [...originalDestinationIn(layout, 'cluster-ips'), ...goTo('masquerade-off-cluster')],
    ...masqueradedRules(layout),
  ];
}
