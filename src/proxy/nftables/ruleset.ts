import type { Expression } from '../../linux/nftables/expressions.ts';
import * as x from '../../linux/nftables/expressions.ts';
import type { Chain, Transaction } from '../../linux/nftables/transaction.ts';
import {
  destinationAddress,
  frontendFields,
  ignoreChain,
  originalFields,
  refuseChain,
  sourceAddress,
} from './classes.ts';
import { type FamilyLayout, type Space, setSpecs, spaces, tableName } from './schema.ts';

/** Changes whenever a rule or set below does: a table of another version is made anew, in one transaction. */
export const rulesVersion = 1;

/** Chains that `origins` names: how connections of a class leave this machine. */
export const masqueradeChain = 'masquerade-always';
export const masqueradeOffClusterChain = 'masquerade-off-cluster';

/** Kernel facts used below: the loopback interface's index, RTN_LOCAL, IPS_DST_NAT, the ct state "invalid". */
const loopbackIndex = Buffer.from([1, 0, 0, 0]);
const localAddress = Buffer.from([2, 0, 0, 0]);
const destinationTranslated = Buffer.from([0x20, 0, 0, 0]);
const invalidState = Buffer.from([1, 0, 0, 0]);
const zero = Buffer.alloc(4);

interface ChainRules extends Chain {
  readonly rules: readonly (readonly Expression[])[];
}

/** The comment of the table, which carries the version. */
export function tableComment(): string {
  return `fairlead services, rules version ${rulesVersion}`;
}

/**
 * The constant rule set. Only elements of its sets, and one small chain for each class in use, ever change.
 *
 * A new connection goes prerouting (or output, from this machine) → outside → services → a class's chain, which draws a
 * backend. On its way out postrouting looks its class up again to decide on masquerading.
 */
export function constantChains(layout: FamilyLayout): readonly ChainRules[] {
  const go = (chain: string) => [x.verdict({ kind: 'goto', chain })];
  const destinationIn = (set: string) => [destinationAddress(layout, 0), x.lookup(set, 0)];
  const sourceIn = (set: string, invert = false) => [sourceAddress(layout, 0), x.lookup(set, 0, { invert })];
  const isLocal = [x.fibAddressType('destination', 0), x.compare(0, 'eq', localAddress)];
  return [
    { name: refuseChain, rules: refuseRules(layout) },
    { name: ignoreChain, rules: [[x.verdict({ kind: 'drop' })]] },
    { name: 'node-port', rules: [...nodePortGuards(layout), ...classRules(layout, 'port', 'classes')] },
    { name: 'node-port-outside', rules: [...nodePortGuards(layout), ...classRules(layout, 'port', 'outside')] },
    {
      name: 'services',
      rules: [
        ...classRules(layout, 'address', 'classes'),
        [...isLocal, x.verdict({ kind: 'jump', chain: 'node-port' })],
        [...destinationIn('cluster-ips'), ...go(refuseChain)],
        [...destinationIn('service-cidrs'), ...go(ignoreChain)],
      ],
    },
    {
      name: 'outside',
      rules: [
        ...classRules(layout, 'address', 'outside'),
        [...isLocal, x.verdict({ kind: 'jump', chain: 'node-port-outside' })],
        go('services'),
      ],
    },
    {
      name: 'prerouting',
      hook: { type: 'nat', hook: 'prerouting', priority: -100 },
      rules: [[...sourceIn('pod-cidrs', true), ...go('outside')], go('services')],
    },
    { name: 'output', hook: { type: 'nat', hook: 'output', priority: -100 }, rules: [go('services')] },
    { name: masqueradeChain, rules: [[x.masquerade()]] },
    { name: masqueradeOffClusterChain, rules: [[...sourceIn('cluster-cidrs', true), x.masquerade()]] },
    { name: 'translated', rules: translatedRules(layout) },
    {
      name: 'postrouting',
      hook: { type: 'nat', hook: 'postrouting', priority: 100 },
      rules: [
        [x.meta('oif', 0), x.compare(0, 'eq', loopbackIndex), x.verdict({ kind: 'return' })],
        [...hasBits('status', destinationTranslated), ...go('translated')],
      ],
    },
    {
      name: 'forward',
      hook: { type: 'filter', hook: 'forward', priority: 0 },
      rules: [[...sourceIn('pod-cidrs'), ...hasBits('state', invalidState), x.verdict({ kind: 'drop' })]],
    },
  ];
}

/** Adds a family's table with its sets and constant chains; elements come after. */
export function addConstantRules(transaction: Transaction, layout: FamilyLayout): void {
  const { family } = layout;
  transaction.addTable(family, tableName, tableComment());
  for (const spec of Object.values(setSpecs(layout))) transaction.addSet(family, tableName, spec);
  const chains = constantChains(layout);
  for (const chain of chains) transaction.addChain(family, tableName, chain);
  for (const chain of chains) {
    for (const rule of chain.rules) transaction.addRule(family, tableName, chain.name, rule);
  }
}

function hasBits(key: 'status' | 'state', bits: Uint8Array): readonly Expression[] {
  return [x.ct(key, 0), x.bitwise(0, 0, bits, zero), x.compare(0, 'neq', zero)];
}

/** TCP gets a reset, everything else port unreachable. */
function refuseRules(layout: FamilyLayout): readonly (readonly Expression[])[] {
  return [
    [x.meta('l4proto', 0), x.compare(0, 'eq', Buffer.from([6])), x.reject('reset', layout.family)],
    [x.reject('port-unreachable', layout.family)],
  ];
}

/** Finds the class of the frontend and goes to its chain. Without one nothing happens. */
function classRules(
  layout: FamilyLayout,
  space: Space,
  map: 'classes' | 'outside',
): readonly (readonly Expression[])[] {
  const { load, next } = frontendFields(layout, space);
  return [
    [...load, x.lookup(spaces[space][map], 0, { to: next }), x.setMark(next)],
    [x.meta('mark', 0), x.lookup('classes', 0, { to: 'verdict' })],
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
  const byOrigin = (space: Space) => {
    const { load, next } = originalFields(layout, space);
    return [
      [...load, x.lookup(spaces[space].classes, 0, { to: next }), x.setMark(next)],
      [x.meta('mark', 0), x.lookup('origins', 0, { to: 'verdict' })],
    ];
  };
  const pair = [sourceAddress(layout, 0), destinationAddress(layout, layout.addressBytes / 4)];
  return [[...pair, x.lookup('hairpins', 0), x.masquerade()], ...byOrigin('address'), ...byOrigin('port')];
}
