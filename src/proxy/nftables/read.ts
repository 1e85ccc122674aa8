import { formatIp } from '../../lib/ip.ts';
import { eachElement, findTable, listChains } from '../../linux/nftables/dump.ts';
import type { DumpedElement } from '../../linux/nftables/sets.ts';
import type { NetlinkSocket } from '../../linux/netlink/socket.ts';
import type { Backend, Frontend, Protocol, Target } from '../../routing/frontend.ts';
import {
  classBase,
  classRules,
  type ForwardClass,
  ignoreChain,
  outsideOffset,
  parseClassName,
  refuseChain,
  slotBase,
} from './classes.ts';
import { backendName, parseBackendName } from '../backend-name.ts';
import { hairpinKey, readBackendData, readFrontendKey } from './keys.ts';
import type { Element, Programmed, Spread } from './program.ts';
import { constantChains, tableComment } from './ruleset.ts';
import { type FamilyLayout, type FrontendSet, type Space, spaces, tableName } from './schema.ts';

const frontendSets: readonly FrontendSet[] = [
  ...Object.values(spaces.address),
  ...Object.values(spaces.port),
  'source-ranges',
  'cluster-ips',
  'hairpins',
];

/** What one family's table holds. */
export interface KernelTable {
  readonly handle: bigint;
  /** Chain by class number. */
  readonly classes: ReadonlyMap<number, string>;
  /** Chains of classes without a number: left by a process that ended while it cleaned up. */
  readonly orphans: readonly string[];
  /** Elements by set, then by key as latin1 text. */
  readonly elements: ReadonlyMap<FrontendSet, ReadonlyMap<string, DumpedElement>>;
}

/**
 * Reads a family's table. `other` when a table of that name is there that is not as this version makes it (another
 * version, chains or rules missing): it cannot be adopted, only replaced.
 */
export function readTable(socket: NetlinkSocket, layout: FamilyLayout): KernelTable | 'absent' | 'other' {
  const table = findTable(socket, layout.family, tableName);
  if (table === undefined) return 'absent';
  const chains = classChains(socket, layout);
  if (table.comment !== tableComment() || chains === undefined) return 'other';
  const elements = new Map<FrontendSet, Map<string, DumpedElement>>();
  for (const set of frontendSets) {
    const found = new Map<string, DumpedElement>();
    eachElement(socket, layout.family, tableName, set, (element) => found.set(element.key.toString('latin1'), element));
    elements.set(set, found);
  }
  const classes = new Map<number, string>();
  eachElement(socket, layout.family, tableName, 'classes', ({ key, data }) => {
    if (typeof data === 'string') classes.set(key.readUInt32LE(0), data);
  });
  if (classes.get(classBase) !== refuseChain || classes.get(classBase + 1) !== ignoreChain) return 'other';
  const numbered = new Set(classes.values());
  return { handle: table.handle, classes, orphans: chains.filter((chain) => !numbered.has(chain)), elements };
}

/** The chains of classes; undefined unless every chain of the table has as many rules as it was given. */
function classChains(socket: NetlinkSocket, layout: FamilyLayout): string[] | undefined {
  const found = listChains(socket, layout.family, tableName);
  for (const chain of constantChains(layout)) {
    if (found.get(chain.name) !== chain.rules.length) return undefined;
    found.delete(chain.name);
  }
  const isWhole = [...found].every(([name, rules]) => {
    const spec = parseClassName(name);
    return spec !== undefined && classRules(layout, spec).length === rules;
  });
  return isWhole ? [...found.keys()] : undefined;
}

/** The frontends that a table's elements describe. What elements do not say (which Pod) is left out. */
export function programmedOf(layout: FamilyLayout, table: KernelTable): Programmed[] {
  const reader = new TableReader(layout, table);
  return [...reader.frontends('address'), ...reader.frontends('port')];
}

/** Whether the table has an element exactly so. */
export function hasElement(table: KernelTable, { set, key, keyEnd, data, comment }: Element): boolean {
  const found = table.elements.get(set)?.get(key.toString('latin1'));
  if (found === undefined || found.comment !== comment) return false;
  return isSameBytes(found.data, data) && isSameBytes(found.keyEnd, keyEnd);
}

function isSameBytes(found: Buffer | string | undefined, wanted: Buffer | undefined): boolean {
  return found instanceof Buffer && wanted !== undefined ? found.equals(wanted) : found === wanted;
}

/** The elements of the table but those of `known`. */
export function elementsBut(table: KernelTable, known: Iterable<Element>): Element[] {
  const left = new Map([...table.elements].map(([set, elements]) => [set, new Map(elements)]));
  for (const { set, key } of known) left.get(set)?.delete(key.toString('latin1'));
  return [...left].flatMap(([set, elements]) =>
    [...elements.values()].map(({ key, keyEnd }): Element => ({ set, key, keyEnd })),
  );
}

interface Numbered {
  readonly number: number;
  readonly data: Buffer;
}

/** Puts a table's elements together again, frontend by frontend. */
class TableReader {
  readonly #layout: FamilyLayout;
  readonly #table: KernelTable;
  readonly #numbered = new Map<FrontendSet, Map<string, Numbered[]>>();
  readonly #ranges = new Map<string, string[]>();

  constructor(layout: FamilyLayout, table: KernelTable) {
    this.#layout = layout;
    this.#table = table;
    for (const space of Object.values(spaces)) {
      this.#group(space.backends);
      this.#group(space.slots);
    }
    const width = layout.addressBytes + 8;
    for (const { key, keyEnd } of this.#set('source-ranges').values()) {
      const frontend = key.toString('latin1', 0, width);
      const ranges = this.#ranges.get(frontend) ?? [];
      ranges.push(rangeText(key.subarray(width), (keyEnd ?? key).subarray(width)));
      this.#ranges.set(frontend, ranges);
    }
  }

  *frontends(space: Space): Generator<Programmed> {
    for (const [id, element] of this.#set(spaces[space].classes)) {
      const found = readFrontendKey(element.key);
      const inside = this.#class(element);
      if (found === undefined || inside === undefined) continue;
      const outsideElement = this.#set(spaces[space].outside).get(id);
      const outside = outsideElement && this.#class(outsideElement);
      yield this.#frontend(space, id, found, inside, outside, element.comment ?? '');
    }
  }

  #frontend(
    space: Space,
    id: string,
    found: { address?: string; port: number; protocol: Protocol },
    inside: string,
    outside: string | undefined,
    comment: string,
  ): Programmed {
    const spec = parseClassName(inside) ?? (outside === undefined ? undefined : parseClassName(outside));
    const internal = this.#spread(space, id, parseClassName(inside), 0);
    const external =
      outside === undefined ? undefined : this.#spread(space, id, parseClassName(outside), outsideOffset);
    const internalTarget = this.#target(inside, internal);
    const [service = '', portName = ''] = comment.split(':');
    const family = this.#layout.family === 'ip' ? 'IPv4' : 'IPv6';
    const frontend: Frontend = {
      key: frontendText(family, found),
      kind: this.#kind(found.address, spec),
      family,
      address: found.address,
      port: found.port,
      protocol: found.protocol,
      service,
      portName,
      affinity: spec?.stickySeconds === undefined ? undefined : { timeoutSeconds: spec.stickySeconds },
      lastPort: undefined,
      scheduler: undefined,
      resetAfterSeconds: undefined,
      sourceRanges: spec?.isRanged === true ? (this.#ranges.get(id) ?? []) : undefined,
      internal: internalTarget,
      external: outside === undefined || external === undefined ? internalTarget : this.#target(outside, external),
      masquerade: spec?.masquerade ?? 'never',
    };
    return { frontend, internal, outside: external };
  }

  #kind(address: string | undefined, spec: ForwardClass | undefined): Frontend['kind'] {
    if (address === undefined) return 'NodePort';
    const isClusterIp = this.#set('cluster-ips').has(
      hairpinKey(address).toString('latin1', 0, this.#layout.addressBytes),
    );
    return isClusterIp ? 'ClusterIP' : spec?.isRanged === true ? 'LoadBalancer' : 'ExternalIP';
  }

  #spread(space: Space, id: string, spec: ForwardClass | undefined, offset: number): Spread {
    const backends = new Map(
      this.#ofFrontend(spaces[space].backends, id).map(({ number, data }) => [number, readBackendData(data)]),
    );
    const numbers = Array.from({ length: spec?.buckets ?? 0 }, (_, bucket) => bucket + offset);
    if (spec?.stickySeconds === undefined) {
      return { buckets: numbers.map((number) => backends.get(number) ?? ''), slots: undefined };
    }
    const slotOfBucket = new Map(
      this.#ofFrontend(spaces[space].slots, id).map(({ number, data }) => [number, data.readUInt32LE(0)]),
    );
    const slots = new Map<string, number>();
    for (const [mark, name] of backends) {
      if (isOutsideMark(mark) === offset > 0) slots.set(name, mark - slotBase - offset);
    }
    return { buckets: numbers.map((number) => backends.get(slotOfBucket.get(number) ?? -1) ?? ''), slots };
  }

  #target(chain: string, spread: Spread): Target {
    if (spread.buckets.length === 0) return { verdict: chain === ignoreChain ? 'drop' : 'reject', backends: [] };
    const counts = new Map<string, number>();
    for (const name of spread.buckets) counts.set(name, (counts.get(name) ?? 0) + 1);
    const hairpins = this.#set('hairpins');
    const backends = [...counts]
      .filter(([name]) => name !== '')
      .map(([name, weight]): Backend => {
        const { address, port } = parseBackendName(name);
        return { address, port, weight, local: hairpins.has(hairpinKey(address).toString('latin1')) };
      });
    return { verdict: 'forward', backends: backends.sort((a, b) => (backendName(a) < backendName(b) ? -1 : 1)) };
  }

  #class({ data }: DumpedElement): string | undefined {
    return data instanceof Buffer ? this.#table.classes.get(data.readUInt32LE(0)) : undefined;
  }

  #set(name: FrontendSet): ReadonlyMap<string, DumpedElement> {
    return this.#table.elements.get(name) ?? new Map();
  }

  #ofFrontend(set: FrontendSet, id: string): readonly Numbered[] {
    return this.#numbered.get(set)?.get(id) ?? [];
  }

  /** Groups the elements of a map whose keys end in a number by the frontend before it. */
  #group(set: FrontendSet): void {
    const groups = new Map<string, Numbered[]>();
    for (const { key, data } of this.#set(set).values()) {
      if (!(data instanceof Buffer)) continue;
      const id = key.toString('latin1', 0, key.length - 4);
      const entry = { number: key.readUInt32LE(key.length - 4), data };
      const group = groups.get(id);
      if (group === undefined) groups.set(id, [entry]);
      else group.push(entry);
    }
    this.#numbered.set(set, groups);
  }
}

function isOutsideMark(mark: number): boolean {
  return mark >= slotBase + outsideOffset;
}

/** The key text of `routing/frontend.ts`. */
function frontendText(
  family: Frontend['family'],
  found: { address?: string; port: number; protocol: Protocol },
): string {
  const host = found.address ?? '*';
  return `${family === 'IPv6' ? `[${host}]` : host}:${found.port}/${found.protocol}`;
}

/** CIDR text of a range that is one. */
function rangeText(first: Buffer, last: Buffer): string {
  let prefix = 0;
  for (const [at, byte] of first.entries()) {
    const differs = byte ^ (last[at] ?? 0);
    prefix += differs === 0 ? 8 : Math.clz32(differs) - 24;
    if (differs !== 0) break;
  }
  return `${formatIp(first)}/${prefix}`;
}
