import { createHash } from 'node:crypto';
import { MessageWriter } from '../../linux/netlink/message.ts';
import type { Expression } from '../../linux/nftables/expressions.ts';
import * as x from '../../linux/nftables/expressions.ts';
import type { SetElement } from '../../linux/nftables/sets.ts';
import type { Transaction } from '../../linux/nftables/transaction.ts';
import type { NodeNetwork } from '../dataplane.ts';
import { calledFields, destinationAddress, ignoreChain, refuseChain, sourceGuard } from '../nftables/classes.ts';
import {
  calledRule,
  type ChainRules,
  destinationIn,
  fromPods,
  goTo,
  hairpinRule,
  invalidRules,
  isToThisMachine,
  isRelated,
  isTranslated,
  leaveLoopback,
  masqueradedRules,
  nodePortGuards,
  offClusterRules,
  originalDestinationIn,
  refuseRules,
  type RuleSettings,
  sourceIn,
} from '../nftables/fragments.ts';
import { addressKey, markData } from '../nftables/keys.ts';
import { networkElements } from '../nftables/network.ts';
import { type FamilyLayout, type NetworkSet, type Space } from '../nftables/schema.ts';
import { className, type ForwardClass, forwardClasses, numberedChains } from './classes.ts';
import { networkSets, relayAddresses, type Side, spaces, specsOf, tableName } from './schema.ts';

/** Everything in a family's table but the elements of frontends. */
interface Constants {
  readonly chains: readonly ChainRules[];
  readonly elements: Readonly<Record<NetworkSet | 'classes', readonly SetElement[]>>;
}

/** What a family's table begins with; other settings, another network or another version of this program give others. */
export function constantsOf(layout: FamilyLayout, network: NodeNetwork): Constants {
  const classes = numberedChains.map(({ number, chain }) => ({
    key: markData(number),
    data: { kind: 'goto', chain } as const,
  }));
  return { chains: constantChains(layout, network), elements: { ...networkElements(layout, network), classes } };
}

/** The comment of the table, by which it is known again. */
export function tableComment({ family }: FamilyLayout, { chains, elements }: Constants): string {
  const hash = createHash('sha256');
  const specs = specsOf(family);
  for (const { name, hook, rules } of chains) {
    const writer = new MessageWriter();
    for (const rule of rules) for (const write of rule) write(writer);
    hash.update(JSON.stringify([name, hook, rules.length])).update(writer.written());
  }
  for (const spec of Object.values(specs)) hash.update(JSON.stringify(spec));
  hash.update(JSON.stringify(elements));
  return `fairlead services beside IPVS, rules ${hash.digest('hex').slice(0, 16)}`;
}

/**
 * What nftables does beside IPVS, in constant rules; only elements of sets change. A new connection goes prerouting (or
 * output, from this machine) → inside or outside → a class's chain. All of it comes before IPVS, which sees what is left:
 * a virtual address, a relay address and port, or the mark of a range.
 */
function constantChains(layout: FamilyLayout, settings: RuleSettings): readonly ChainRules[] {
  const relays = Object.values(relayAddresses[familyName(layout)]);
  const noRelay = relays.map((address) => [
    destinationAddress(layout, 0),
    x.compare(0, 'eq', addressKey(address)),
    x.verdict({ kind: 'drop' }),
  ]);
  return [
    { name: refuseChain, rules: refuseRules(layout) },
    { name: ignoreChain, rules: [[x.verdict({ kind: 'drop' })]] },
    ...forwardClasses.map((each) => ({ name: className(each), rules: forwardRules(layout, each) })),
    ...calledChains(layout),
    {
      name: 'prerouting',
      hook: { type: 'nat', hook: 'prerouting', priority: -100 },
      rules: [...noRelay, ...fromPods(layout, settings, goTo('inside')), goTo('outside')],
    },
    {
      name: 'output',
      hook: { type: 'nat', hook: 'output', priority: -100 },
      // The reset of a refused connection goes to a cluster address, when a program of this machine called from there.
      rules: [[...isRelated, x.verdict({ kind: 'accept' })], ...noRelay, goTo('inside')],
    },
    { name: 'masquerade-off-cluster', rules: offClusterRules(layout, settings) },
    {
      name: 'postrouting',
      hook: { type: 'nat', hook: 'postrouting', priority: 100 },
      rules: masqueradeRules(layout),
    },
    { name: 'forward', hook: { type: 'filter', hook: 'forward', priority: 0 }, rules: invalidRules(layout, settings) },
  ];
}

/** Finds out what is called, for callers inside and outside the node, and goes to the class's chain. */
function calledChains(layout: FamilyLayout): readonly ChainRules[] {
  const jump = (chain: string) => [...isToThisMachine, x.verdict({ kind: 'jump', chain })];
  const called = (space: Space, side: Side) => calledRule(layout, space, spaces[space][side].classes);
  return [
    { name: 'node-port', rules: [...nodePortGuards(layout), called('port', 'inside')] },
    {
      name: 'node-port-outside',
      rules: [...nodePortGuards(layout), called('port', 'outside'), called('port', 'inside')],
    },
    // Cluster addresses are this machine's own: a port without a frontend must not reach its programs.
    { name: 'unused', rules: [[...destinationIn(layout, 'cluster-ips'), ...goTo(refuseChain)]] },
    { name: 'unknown', rules: [[...destinationIn(layout, 'service-cidrs'), ...goTo(ignoreChain)]] },
    {
      name: 'inside',
      rules: [
        called('address', 'inside'),
        called('range', 'inside'),
        [x.verdict({ kind: 'jump', chain: 'unused' })],
        jump('node-port'),
        goTo('unknown'),
      ],
    },
    {
      name: 'outside',
      rules: [
        called('address', 'outside'),
        called('address', 'inside'),
        called('range', 'outside'),
        called('range', 'inside'),
        [x.verdict({ kind: 'jump', chain: 'unused' })],
        jump('node-port-outside'),
        goTo('unknown'),
      ],
    },
  ];
}

/** Adds a family's table with its sets and constants, under another name for a trial; elements of frontends come after. */
export function addConstants(
  transaction: Transaction,
  layout: FamilyLayout,
  constants: Constants,
  table: string = tableName,
): void {
  const { family } = layout;
  const specs = specsOf(family);
  transaction.addTable(family, table, tableComment(layout, constants));
  for (const spec of Object.values(specs)) transaction.addSet(family, table, spec);
  for (const { name, hook } of constants.chains) transaction.addChain(family, table, { name, hook });
  for (const { name, rules } of constants.chains) {
    for (const rule of rules) transaction.addRule(family, table, name, rule);
  }
  for (const set of [...networkSets, 'classes'] as const) {
    transaction.addElements(family, table, specs[set], constants.elements[set]);
  }
}

function familyName(layout: FamilyLayout): 'IPv4' | 'IPv6' {
  return layout.family === 'ip' ? 'IPv4' : 'IPv6';
}

/** A mark for IPVS under a range, a translation to the relay address; or nothing, and IPVS takes it as it is. */
function forwardRules(layout: FamilyLayout, spec: ForwardClass): readonly (readonly Expression[])[] {
  const guard = spec.isRestricted ? [sourceGuard(layout)] : [];
  if (spec.space === 'range') return [...guard, ...rangeRules(layout, spec)];
  if (!spec.isRelayed) return [...guard, [x.verdict({ kind: 'accept' })]];
  const { load } = calledFields(layout, spec.space);
  const port = layout.addressBytes / 4;
  const relay = x.lookup(spaces[spec.space][spec.side].relays, 0, { to: 0 });
  return [...guard, [...load, relay, x.dnat(layout.family, 0, port)]];
}

/** The port stays, whatever it is. */
function rangeRules(layout: FamilyLayout, spec: ForwardClass): readonly (readonly Expression[])[] {
  const { load, next } = calledFields(layout, 'address');
  const mark = [...load, x.lookup(spaces.range[spec.side].relays, 0, { to: next }), x.setMark(next)];
  if (!spec.isRelayed) return [mark, [x.verdict({ kind: 'accept' })]];
  const relay = addressKey(relayAddresses[familyName(layout)][spec.side]);
  return [mark, [x.immediate(0, relay), x.dnat(layout.family, 0)]];
}

/**
 * What leaves this machine for a backend: which source address it shows. A program of this machine that calls a virtual
 * address comes from that address, because it is the machine's own; elsewhere it means something else.
 */
function masqueradeRules(layout: FamilyLayout): readonly (readonly Expression[])[] {
  return [
    leaveLoopback,
    hairpinRule(layout),
    [...sourceIn(layout, 'cluster-ips'), x.masquerade()],
    [...originalDestinationIn(layout, 'cluster-ips'), ...goTo('masquerade-off-cluster')],
    // What was not relayed here may be on its way to a node port of another machine.
    ...masqueradedRules(layout).map((rule) => [...isTranslated, ...rule]),
  ];
}
