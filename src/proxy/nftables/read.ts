import { eachElement, findTable, listChains, listSets } from '../../linux/nftables/dump.ts';
import type { NetlinkSocket } from '../../linux/netlink/socket.ts';
import { type FrontendKey, frontendKey } from '../../routing/frontend.ts';
import { classBase, classRules, ignoreChain, parseClassName, refuseChain } from './classes.ts';
import { type FoundFrontend, FrontendReader, type SharedElements } from './frontend-reader.ts';
import { readFrontendKey } from './keys.ts';
import { type Element, sharedElementsOf } from './program.ts';
import type { RuleSettings } from './fragments.ts';
import { constantChains, tableComment, versionComment } from './ruleset.ts';
import { type FamilyLayout, type FrontendSet, shelfCount, spaceNames, spaces, tableName } from './schema.ts';

const readingsAtMost = 10;

/** What one family's table holds. */
export interface KernelTable {
  /** Chain by class number. */
  readonly classes: ReadonlyMap<number, string>;
  /** Chains of classes without a number: left by a process that ended while it cleaned up. */
  readonly orphans: readonly string[];
  readonly frontends: readonly FoundFrontend[];
  /** Elements that belong to no whole frontend. */
  readonly leftovers: readonly Element[];
}

/**
 * Reads a family's table. `other` when a table of that name is there that is not as this process makes it (another
 * version or settings, chains or rules missing): it cannot be adopted, only replaced. Without `settings` those of the
 * table are taken as they are: for looking only.
 */
function readTable(
  socket: NetlinkSocket,
  layout: FamilyLayout,
  settings?: RuleSettings,
): KernelTable | 'absent' | 'other' {
  const table = findTable(socket, layout.family, tableName);
  if (table === undefined) return 'absent';
  const isOwn =
    settings === undefined
      ? table.comment?.startsWith(versionComment(layout)) === true
      : table.comment === tableComment(layout, settings);
  if (!isOwn) return 'other';
  const chains = classChains(socket, layout, settings);
  const classes = readClasses(socket, layout);
  if (chains === undefined || classes === undefined) return 'other';
  const numbered = new Set(classes.values());
  return {
    classes,
    orphans: chains.filter((chain) => !numbered.has(chain)),
    ...readFrontends(socket, layout, classes),
  };
}

/**
 * Reads a family's table until there is nothing odd in it, or the same twice: the kernel lists a hash table in pieces, and
 * while it makes one larger or smaller in the background, elements are left out or told twice. Frontends that are not whole
 * are odd, and those that `unexpected` names.
 */
export function readSettledTable(
  socket: NetlinkSocket,
  layout: FamilyLayout,
  settings?: RuleSettings,
  unexpected: (frontends: readonly FoundFrontend[]) => readonly string[] = () => [],
): KernelTable | 'absent' | 'other' {
  let table = readTable(socket, layout, settings);
  let before = '';
  for (let reading = 1; reading < readingsAtMost && typeof table !== 'string'; reading += 1) {
    const broken = table.frontends.filter(({ isWhole }) => !isWhole).map(({ programmed }) => programmed.frontend.key);
    const odd = [...broken, ...unexpected(table.frontends)];
    const oddities = odd.length + table.leftovers.length === 0 ? '' : `${table.leftovers.length} ${odd.sort().join()}`;
    if (oddities === '' || oddities === before) break;
    before = oddities;
    table = readTable(socket, layout, settings);
  }
  return table;
}

/** New connections that the kernel counted for each frontend; the table may be of another version. */
export function readCounters(socket: NetlinkSocket, layout: FamilyLayout): Map<FrontendKey, number> {
  const counts = new Map<FrontendKey, number>();
  const family = layout.family === 'ip' ? 'IPv4' : 'IPv6';
  for (const { classes, outside } of Object.values(spaces)) {
    for (const set of [classes, outside]) {
      eachElement(socket, layout.family, tableName, set, (element) => {
        const packets = Number(element.packets());
        const called = packets === 0 ? undefined : readFrontendKey(element.key());
        if (called === undefined) return;
        const key = frontendKey(family, called.address, called.port, called.protocol);
        counts.set(key, (counts.get(key) ?? 0) + packets);
      });
    }
  }
  return counts;
}

/** Whether every chain of the table has as many rules as it was given. */
export function hasOwnRules(socket: NetlinkSocket, layout: FamilyLayout, settings: RuleSettings): boolean {
  return classChains(socket, layout, settings) !== undefined;
}

/** The chains of classes; undefined unless every chain of the table has as many rules as it was given. */
function classChains(socket: NetlinkSocket, layout: FamilyLayout, settings?: RuleSettings): string[] | undefined {
  const found = listChains(socket, layout.family, tableName);
  for (const { name, rules } of constantChains(layout, settings)) {
    const count = found.get(name) ?? 0;
    if (settings === undefined ? count === 0 : count !== rules.length) return undefined;
    found.delete(name);
  }
  const isWhole = [...found].every(([name, rules]) => {
    const spec = parseClassName(name);
    return spec !== undefined && classRules(layout, spec).length === rules;
  });
  return isWhole ? [...found.keys()] : undefined;
}

/** Undefined when the constant two have other numbers than they should. */
function readClasses(socket: NetlinkSocket, layout: FamilyLayout): Map<number, string> | undefined {
  const classes = new Map<number, string>();
  eachElement(socket, layout.family, tableName, 'classes', (element) => {
    const chain = element.chain();
    if (chain !== undefined) classes.set(element.bytes.readUInt32LE(element.keyAt), chain);
  });
  const isWhole = classes.get(classBase) === refuseChain && classes.get(classBase + 1) === ignoreChain;
  return isWhole ? classes : undefined;
}

function readFrontends(
  socket: NetlinkSocket,
  layout: FamilyLayout,
  classes: ReadonlyMap<number, string>,
): Pick<KernelTable, 'frontends' | 'leftovers'> {
  const keysOf = (set: FrontendSet) => readKeys(socket, layout, set);
  const shared: SharedElements = { classes, clusterIps: keysOf('cluster-ips'), hairpins: keysOf('hairpins') };
  const shelves = shelfCount(listSets(socket, layout.family, tableName));
  const readers = spaceNames.map(
    (space) => new FrontendReader(socket, layout, space, { ...shared, shelves: space === 'address' ? shelves : 1 }),
  );
  const leftovers: Element[] = [];
  eachElement(socket, layout.family, tableName, 'source-ranges', (element) => {
    const isTaken = readers.some((reader) => reader.space !== 'port' && reader.addSourceRange(element));
    if (!isTaken) leftovers.push({ set: 'source-ranges', key: element.key(), keyEnd: element.keyEnd() });
  });
  const frontends = readers.map((reader) => reader.frontends());
  for (const [at, reader] of readers.entries()) leftovers.push(...reader.leftovers(frontends[at] ?? []));
  const all = frontends.flat();
  return { frontends: all, leftovers: [...leftovers, ...unsharedElements(shared, all)] };
}

function readKeys(socket: NetlinkSocket, layout: FamilyLayout, set: FrontendSet): Set<string> {
  const keys = new Set<string>();
  eachElement(socket, layout.family, tableName, set, (element) => {
    keys.add(element.bytes.toString('latin1', element.keyAt, element.keyAt + element.keyLength));
  });
  return keys;
}

/** Shared elements that no whole frontend needs. */
function unsharedElements({ clusterIps, hairpins }: SharedElements, frontends: readonly FoundFrontend[]): Element[] {
  const unused = { 'cluster-ips': new Set(clusterIps), hairpins: new Set(hairpins) };
  for (const { programmed, isWhole } of frontends) {
    if (!isWhole) continue;
    for (const { set, key } of sharedElementsOf(programmed)) {
      if (set === 'cluster-ips' || set === 'hairpins') unused[set].delete(key.toString('latin1'));
    }
  }
  return (['cluster-ips', 'hairpins'] as const).flatMap((set) =>
    [...unused[set]].map((key): Element => ({ set, key: Buffer.from(key, 'latin1') })),
  );
}
