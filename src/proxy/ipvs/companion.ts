import type { NetlinkSocket } from '../../linux/netlink/socket.ts';
import { eachElement, findTable, listChains } from '../../linux/nftables/dump.ts';
import { type NftFamily, Transaction } from '../../linux/nftables/transaction.ts';
import type { NodeNetwork } from '../dataplane.ts';
import { hasFamily } from '../nftables/network.ts';
import { layouts } from '../nftables/schema.ts';
import { type ElementDraft, ElementStore } from './element-store.ts';
import type { Element } from './program.ts';
import { addConstants, constantsOf, tableComment } from './ruleset.ts';
import { type FrontendSet, frontendSets, specsOf, tableName } from './schema.ts';

const families: readonly NftFamily[] = ['ip', 'ip6'];

/** The companion tables of both families: what this process believes of them, and how to change them. */
export class Companion {
  readonly #socket: NetlinkSocket;
  readonly #constants: Readonly<Record<NftFamily, ReturnType<typeof constantsOf>>>;
  readonly #store = new ElementStore();
  readonly #wantsIpv6: boolean;
  /** Handles of the tables that were adopted. */
  readonly #handles = new Map<NftFamily, bigint>();

  constructor(socket: NetlinkSocket, network: NodeNetwork) {
    this.#socket = socket;
    this.#constants = { ip: constantsOf(layouts.ip, network), ip6: constantsOf(layouts.ip6, network) };
    this.#wantsIpv6 = hasFamily(layouts.ip6, network);
  }

  /** The elements in the kernel's tables. Changes no belief. */
  read(): readonly Element[] {
    return families.flatMap((family) => readElements(this.#socket, family));
  }

  /** Makes `elements`, just read, the belief. Tables that are not as this version makes them count as absent. */
  load(elements: readonly Element[]): void {
    this.#handles.clear();
    for (const family of families) {
      const handle = this.#wholeTable(family);
      if (handle !== undefined) this.#handles.set(family, handle);
    }
    this.#store.load(elements.filter(({ family }) => this.#handles.has(family)));
  }

  /** Whether the tables in the kernel are those that were adopted. */
  isIntact(): boolean {
    return [...this.#handles].every(
      ([family, handle]) => findTable(this.#socket, family, tableName)?.handle === handle,
    );
  }

  /**
   * One transaction: elements that some frontends give up and others need; with `purge` also those that nobody needs, and
   * tables that are not as they should be are made anew. Returns the number of operations.
   */
  change(released: Iterable<Element>, claimed: Iterable<Element>, purge: boolean): number {
    const draft = this.#store.draft(released, claimed, purge);
    const transaction = new Transaction(this.#socket);
    const made = this.#missingTables(draft, purge);
    for (const family of made) {
      this.#deleteTable(transaction, family);
      addConstants(transaction, layouts[family], this.#constants[family]);
    }
    writeElements(transaction, draft);
    transaction.commit();
    this.#store.record(draft);
    for (const family of made) {
      const handle = findTable(this.#socket, family, tableName)?.handle;
      if (handle !== undefined) this.#handles.set(family, handle);
    }
    return transaction.operations;
  }

  /** Stops taking new connections; tables that are known stay, because translation of those that are needs them. */
  empty(): void {
    const transaction = new Transaction(this.#socket);
    for (const family of families) {
      if (!this.#handles.has(family)) this.#deleteTable(transaction, family);
      else for (const set of [...frontendSets, 'service-cidrs']) transaction.flushSet(family, tableName, set);
    }
    transaction.commit();
  }

  remove(): void {
    const transaction = new Transaction(this.#socket);
    for (const family of families) this.#deleteTable(transaction, family);
    transaction.commit();
  }

  #deleteTable(transaction: Transaction, family: NftFamily): void {
    if (findTable(this.#socket, family, tableName) !== undefined) transaction.deleteTable(family, tableName);
  }

  /** IPv4 always has a table, IPv6 when the node's network or a frontend needs it. */
  #missingTables({ add }: ElementDraft, isAdoption: boolean): NftFamily[] {
    const isNeeded = (family: NftFamily) => {
      const isWanted = isAdoption && (family === 'ip' || this.#wantsIpv6);
      return isWanted || add.some((element) => element.family === family);
    };
    return families.filter((family) => !this.#handles.has(family) && isNeeded(family));
  }

  /** The handle of a table that is as this version makes it, with all its chains and rules; undefined for any other. */
  #wholeTable(family: NftFamily): bigint | undefined {
    const table = findTable(this.#socket, family, tableName);
    const constants = this.#constants[family];
    if (table?.comment !== tableComment(layouts[family], constants)) return undefined;
    const found = listChains(this.#socket, family, tableName);
    if (constants.chains.some(({ name, rules }) => found.get(name) !== rules.length)) return undefined;
    for (const [set, wanted] of Object.entries(constants.elements)) {
      let count = 0;
      eachElement(this.#socket, family, tableName, set, ({ isIntervalEnd }) => (count += isIntervalEnd ? 0 : 1));
      if (count < wanted.length) return undefined;
    }
    return table.handle;
  }
}

/** The elements of frontends in a family's table; none without a table. */
function readElements(socket: NetlinkSocket, family: NftFamily): Element[] {
  const elements: Element[] = [];
  for (const set of frontendSets) {
    eachElement(socket, family, tableName, set, (view) => {
      const [key, keyEnd, data, comment] = [view.key(), view.keyEnd(), view.data(), view.comment()];
      elements.push({ family, set, key, keyEnd, data, comment });
    });
  }
  return elements;
}

function writeElements(transaction: Transaction, { remove, add }: ElementDraft): void {
  for (const [[family, set], elements] of bySet(remove)) {
    transaction.deleteElements(family, tableName, specsOf(family)[set], elements);
  }
  for (const [[family, set], elements] of bySet(add)) {
    transaction.addElements(family, tableName, specsOf(family)[set], elements);
  }
}

function bySet(elements: readonly Element[]): [[NftFamily, FrontendSet], Element[]][] {
  const groups = new Map<string, [[NftFamily, FrontendSet], Element[]]>();
  for (const element of elements) {
    const name = `${element.family} ${element.set}`;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [[element.family, element.set], [element]]);
    else group[1].push(element);
  }
  return [...groups.values()];
}
