import { eachElement, findElements } from '../../linux/nftables/dump.ts';
import type { SetElement } from '../../linux/nftables/sets.ts';
import type { Transaction } from '../../linux/nftables/transaction.ts';
import type { NetlinkSocket } from '../../linux/netlink/socket.ts';
import { classRules, ignoreChain, parseClassName, refuseChain } from './classes.ts';
import { markData } from './keys.ts';
import { type Element, elementsOf } from './program.ts';
import { addConstantRules } from './ruleset.ts';
import type { RuleSettings } from './fragments.ts';
import { type FamilyLayout, type NetworkSet, type SetName, shelfSet, spaces, specOf, tableName } from './schema.ts';
import type { Draft } from './state.ts';

/** Keys asked for at once: well below the 64 KiB that an attribute holds. */
const keysAtOnce = 500;

/** New frontends whose elements are in memory at once. */
const frontendsAtOnce = 256;

/** The table, its constant rules, what is known of the node, and the numbers of the two constant classes. */
export function writeTable(
  transaction: Transaction,
  layout: FamilyLayout,
  settings: RuleSettings,
  network: Readonly<Record<NetworkSet, readonly SetElement[]>>,
  classNumber: (chain: string) => number | undefined,
): void {
  addConstantRules(transaction, layout, settings);
  for (const [set, elements] of Object.entries(network)) {
    transaction.addElements(layout.family, tableName, specOf(layout, set as NetworkSet), elements);
  }
  for (const chain of [refuseChain, ignoreChain]) addNumber(transaction, layout, chain, classNumber(chain) ?? 0);
}

/** Everything a draft changes: classes it needs first, then elements that go, then elements that come. */
export function writeDraft(transaction: Transaction, socket: NetlinkSocket, layout: FamilyLayout, draft: Draft): void {
  for (const [chain, number] of draft.newClasses) {
    const spec = parseClassName(chain);
    if (spec === undefined) throw new RangeError(`${chain} is not a class`);
    if (spec.shelf > 0) addShelf(transaction, layout, spec.shelf);
    transaction.addChain(layout.family, tableName, { name: chain });
    for (const rule of classRules(layout, spec)) transaction.addRule(layout.family, tableName, chain, rule);
    addNumber(transaction, layout, chain, number);
  }
  const counted = countsOf(socket, layout, draft.replaced);
  removeElements(transaction, layout, draft.remove);
  for (let at = 0; at < draft.fresh.length; at += frontendsAtOnce) {
    const elements = draft.fresh.slice(at, at + frontendsAtOnce).flatMap((each) => elementsOf(each, draft.context));
    addElements(transaction, layout, elements);
  }
  for (const [set, elements] of bySet(draft.add)) {
    const counts = counted.get(set);
    const withCounts = counts === undefined ? elements : elements.map((element) => goOn(element, counts));
    transaction.addElements(layout.family, tableName, specOf(layout, set), withCounts);
  }
}

function addElements(transaction: Transaction, layout: FamilyLayout, elements: readonly Element[]): void {
  for (const [set, added] of bySet(elements)) {
    transaction.addElements(layout.family, tableName, specOf(layout, set), added);
  }
}

export function removeElements(transaction: Transaction, layout: FamilyLayout, elements: readonly Element[]): void {
  for (const [set, gone] of bySet(elements))
    transaction.deleteElements(layout.family, tableName, specOf(layout, set), gone);
}

/** Takes the number of a class away, so that nothing refers to its chain; the chain itself goes in a later transaction. */
export function removeNumber(transaction: Transaction, layout: FamilyLayout, number: number): void {
  transaction.deleteElements(layout.family, tableName, specOf(layout, 'classes'), [{ key: markData(number) }]);
}

/** Fills the sets that describe the node anew where they differ from what is there. */
export function writeNetworkChanges(
  transaction: Transaction,
  socket: NetlinkSocket,
  layout: FamilyLayout,
  network: Readonly<Record<NetworkSet, readonly SetElement[]>>,
): void {
  for (const [name, wanted] of Object.entries(network)) {
    const set = name as NetworkSet;
    const found = new Set<string>();
    eachElement(socket, layout.family, tableName, set, (element) => {
      found.add(`${element.isIntervalEnd ? '-' : ''}${element.key().toString('hex')}`);
    });
    const expected = new Set(wanted.flatMap(intervalMarks));
    if (found.symmetricDifference(expected).size === 0) continue;
    if (found.size > 0) transaction.flushSet(layout.family, tableName, set);
    transaction.addElements(layout.family, tableName, specOf(layout, set), wanted);
  }
}

/** An interval as the kernel lists it: its start, and a marker after its end. */
function intervalMarks({ key, keyEnd }: SetElement): string[] {
  const start = Buffer.from(key).toString('hex');
  return keyEnd === undefined ? [start] : [start, `-${Buffer.from(keyEnd).toString('hex')}`];
}

function addNumber(transaction: Transaction, layout: FamilyLayout, chain: string, number: number): void {
  const element = { key: markData(number), data: { kind: 'goto', chain } } as const;
  transaction.addElements(layout.family, tableName, specOf(layout, 'classes'), [element]);
}

/** Without effect when the shelf is there. */
function addShelf(transaction: Transaction, layout: FamilyLayout, shelf: number): void {
  for (const set of [spaces.address.backends, spaces.address.slots]) {
    transaction.addSet(layout.family, tableName, specOf(layout, shelfSet(set, shelf)));
  }
}

/** What the counters of elements have counted, by set and key: their successors go on from there. */
/** Whether the kernel has all of these. */
export function hasElements(socket: NetlinkSocket, layout: FamilyLayout, elements: readonly Element[]): boolean {
  for (const [set, wanted] of bySet(elements)) {
    let found = 0;
    findElements(socket, layout.family, tableName, specOf(layout, set), wanted, () => (found += 1));
    if (found < wanted.length) return false;
  }
  return true;
}

function countsOf(
  socket: NetlinkSocket,
  layout: FamilyLayout,
  elements: readonly Element[],
): Map<SetName, Map<string, bigint>> {
  const counts = new Map<SetName, Map<string, bigint>>();
  for (const [set, replaced] of bySet(elements)) {
    if (specOf(layout, set).isCounted !== true) continue;
    const counted = new Map<string, bigint>();
    for (let at = 0; at < replaced.length; at += keysAtOnce) {
      const keys = replaced.slice(at, at + keysAtOnce);
      findElements(socket, layout.family, tableName, specOf(layout, set), keys, (element) => {
        counted.set(element.key().toString('latin1'), element.packets());
      });
    }
    counts.set(set, counted);
  }
  return counts;
}

function goOn(element: Element, counts: ReadonlyMap<string, bigint>): SetElement {
  const packets = counts.get(element.key.toString('latin1'));
  return packets === undefined ? element : { ...element, packets };
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
