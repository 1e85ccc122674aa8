import { eachElement } from '../../linux/nftables/dump.ts';
import type { SetElement, SetSpec } from '../../linux/nftables/sets.ts';
import type { Transaction } from '../../linux/nftables/transaction.ts';
import type { NetlinkSocket } from '../../linux/netlink/socket.ts';
import { classRules, type ForwardClass, ignoreChain, parseClassName, refuseChain } from './classes.ts';
import { markData } from './keys.ts';
import type { Element } from './program.ts';
import { addConstantRules, masqueradeChain, masqueradeOffClusterChain } from './ruleset.ts';
import { type FamilyLayout, type NetworkSet, type SetName, tableName } from './schema.ts';
import type { Draft } from './state.ts';

type Specs = Readonly<Record<SetName, SetSpec>>;

/** The table, its constant rules, what is known of the node, and the numbers of the two constant classes. */
export function writeTable(
  transaction: Transaction,
  layout: FamilyLayout,
  specs: Specs,
  network: Readonly<Record<NetworkSet, readonly SetElement[]>>,
  classNumber: (chain: string) => number | undefined,
): void {
  addConstantRules(transaction, layout);
  for (const [set, elements] of Object.entries(network)) {
    transaction.addElements(layout.family, tableName, specs[set as NetworkSet], elements);
  }
  for (const chain of [refuseChain, ignoreChain]) addNumber(transaction, layout, specs, chain, classNumber(chain) ?? 0);
}

/** Everything a draft changes: classes it needs first, then elements that go, then elements that come. */
export function writeDraft(transaction: Transaction, layout: FamilyLayout, specs: Specs, draft: Draft): void {
  for (const [chain, number] of draft.newClasses) {
    const spec = parseClassName(chain);
    if (spec === undefined) throw new RangeError(`${chain} is not a class`);
    transaction.addChain(layout.family, tableName, { name: chain });
    for (const rule of classRules(layout, spec)) transaction.addRule(layout.family, tableName, chain, rule);
    addNumber(transaction, layout, specs, chain, number);
    addOrigin(transaction, layout, specs, chain, number);
  }
  removeElements(transaction, layout, specs, draft.remove);
  for (const [set, elements] of bySet(draft.add)) {
    transaction.addElements(layout.family, tableName, specs[set], elements);
  }
}

export function removeElements(
  transaction: Transaction,
  layout: FamilyLayout,
  specs: Specs,
  elements: readonly Element[],
): void {
  for (const [set, gone] of bySet(elements)) transaction.deleteElements(layout.family, tableName, specs[set], gone);
}

/** Takes the number of a class away, so that nothing refers to its chain; the chain itself goes in a later transaction. */
export function removeNumber(
  transaction: Transaction,
  layout: FamilyLayout,
  specs: Specs,
  chain: string,
  number: number,
): void {
  const spec = parseClassName(chain);
  const elements = [{ key: markData(number) }];
  transaction.deleteElements(layout.family, tableName, specs.classes, elements);
  if (spec !== undefined && originChain(spec) !== undefined) {
    transaction.deleteElements(layout.family, tableName, specs.origins, elements);
  }
}

/** Fills the sets that describe the node anew where they differ from what is there. */
export function writeNetworkChanges(
  transaction: Transaction,
  socket: NetlinkSocket,
  layout: FamilyLayout,
  specs: Specs,
  network: Readonly<Record<NetworkSet, readonly SetElement[]>>,
): void {
  for (const [name, wanted] of Object.entries(network)) {
    const set = name as NetworkSet;
    const found = new Set<string>();
    eachElement(socket, layout.family, tableName, set, (element) => {
      found.add(`${element.isIntervalEnd ? '-' : ''}${element.key.toString('hex')}`);
    });
    const expected = new Set(wanted.flatMap(intervalMarks));
    if (found.symmetricDifference(expected).size === 0) continue;
    if (found.size > 0) transaction.flushSet(layout.family, tableName, set);
    transaction.addElements(layout.family, tableName, specs[set], wanted);
  }
}

/** An interval as the kernel lists it: its start, and a marker after its end. */
function intervalMarks({ key, keyEnd }: SetElement): string[] {
  const start = Buffer.from(key).toString('hex');
  return keyEnd === undefined ? [start] : [start, `-${Buffer.from(keyEnd).toString('hex')}`];
}

function addNumber(transaction: Transaction, layout: FamilyLayout, specs: Specs, chain: string, number: number): void {
  const element = { key: markData(number), data: { kind: 'goto', chain } } as const;
  transaction.addElements(layout.family, tableName, specs.classes, [element]);
}

function addOrigin(transaction: Transaction, layout: FamilyLayout, specs: Specs, chain: string, number: number): void {
  const spec = parseClassName(chain);
  const origin = spec && originChain(spec);
  if (origin === undefined) return;
  const data = { kind: 'goto', chain: origin } as const;
  transaction.addElements(layout.family, tableName, specs.origins, [{ key: markData(number), data, comment: chain }]);
}

/** Makes `origins` say of exactly these classes what it should. */
export function writeOriginChanges(
  transaction: Transaction,
  socket: NetlinkSocket,
  layout: FamilyLayout,
  specs: Specs,
  classes: ReadonlyMap<number, string>,
): void {
  const missing = new Map(classes);
  eachElement(socket, layout.family, tableName, 'origins', ({ key, data }) => {
    const number = key.readUInt32LE(0);
    const spec = parseClassName(classes.get(number) ?? '');
    missing.delete(number);
    if (spec !== undefined && originChain(spec) === data) return;
    transaction.deleteElements(layout.family, tableName, specs.origins, [{ key }]);
    missing.set(number, classes.get(number) ?? '');
  });
  for (const [number, chain] of missing) addOrigin(transaction, layout, specs, chain, number);
}

function originChain(spec: ForwardClass): string | undefined {
  if (spec.masquerade === 'always') return masqueradeChain;
  return spec.masquerade === 'off-cluster' ? masqueradeOffClusterChain : undefined;
}

function bySet(elements: readonly Element[]): Map<SetName, Element[]> {
  const groups = new Map<SetName, Element[]>();
  for (const element of elements) {
    const group = groups.get(element.set);
    if (group === undefined) groups.set(element.set, [element]);
    else group.push(element);
  }
  return groups;
}
