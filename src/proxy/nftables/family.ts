import { Transaction } from '../../linux/nftables/transaction.ts';
import type { NetlinkSocket } from '../../linux/netlink/socket.ts';
import type { FoundFrontend } from './frontend-reader.ts';
import { findTable } from '../../linux/nftables/dump.ts';
import type { Frontend } from '../../routing/frontend.ts';
import type { NodeNetwork } from '../dataplane.ts';
import { networkElements } from './network.ts';
import { isSameProgram, type Programmed } from './program.ts';
import { hasOwnRules, readSettledTable } from './read.ts';
import { type FamilyLayout, tableName } from './schema.ts';
import { type Draft, FamilyState } from './state.ts';
import { hasElements, removeElements, removeNumber, writeDraft, writeNetworkChanges, writeTable } from './write.ts';

/** Idle class chains that stay, because endpoints that come and go need the same few again and again. */
const idleClassesKept = 16;

/** One family's table: what this process believes of it, and how to change it. */
export class TableFamily {
  readonly layout: FamilyLayout;
  readonly #settings: NodeNetwork;
  readonly #network: ReturnType<typeof networkElements>;
  #state: FamilyState;
  /** Undefined until the table was adopted. */
  #handle: bigint | undefined;

  constructor(layout: FamilyLayout, network: NodeNetwork) {
    this.layout = layout;
    this.#settings = network;
    this.#network = networkElements(layout, network);
    this.#state = this.#emptyState();
  }

  get isPresent(): boolean {
    return this.#handle !== undefined;
  }

  get frontends(): readonly Frontend[] {
    return [...this.#state.programmed.values()].map((programmed) => programmed.frontend);
  }

  get programmed(): ReadonlyMap<string, Programmed> {
    return this.#state.programmed;
  }

  /** Whether the table in the kernel is the one that was adopted. */
  isOwn(socket: NetlinkSocket): boolean {
    return findTable(socket, this.layout.family, tableName)?.handle === this.#handle;
  }

  /** Whether nobody replaced the table, flushed a chain or a set of it, or added rules. Elements are looked at by sample. */
  isIntact(socket: NetlinkSocket): boolean {
    const { layout } = this;
    if (!this.isOwn(socket) || !hasOwnRules(socket, layout, this.#settings)) return false;
    return hasElements(socket, layout, this.#state.samples());
  }

  /**
   * Makes the kernel's table the belief: what is there and whole is known from now on; `transaction` gets what must
   * change so that nothing else is there. After its commit call `recordHandle`.
   */
  takeOver(socket: NetlinkSocket, transaction: Transaction): void {
    const table = readSettledTable(socket, this.layout, this.#settings);
    this.#state = this.#emptyState();
    if (typeof table === 'string') {
      if (table === 'other') transaction.deleteTable(this.layout.family, tableName);
      const numberOf = (chain: string) => this.#state.classNumber(chain);
      writeTable(transaction, this.layout, this.#settings, this.#network, numberOf);
      return;
    }
    const whole = table.frontends.filter(({ isWhole }) => isWhole);
    this.#state.load(
      whole.map(({ programmed }) => programmed),
      table.classes,
    );
    removeElements(transaction, this.layout, table.leftovers);
    for (const chain of table.orphans) transaction.deleteChain(this.layout.family, tableName, chain);
    writeNetworkChanges(transaction, socket, this.layout, this.#network);
  }

  recordHandle(socket: NetlinkSocket): void {
    this.#handle = findTable(socket, this.layout.family, tableName)?.handle;
  }

  draft(changed: readonly Frontend[], removed: readonly string[]): Draft {
    return this.#state.draft(changed, removed);
  }

  /** What makes the belief `desired`, and nothing more. */
  draftOf(desired: readonly Frontend[]): Draft {
    const keys = new Set(desired.map((frontend) => frontend.key));
    return this.draft(
      desired,
      [...this.#state.programmed.keys()].filter((key) => !keys.has(key)),
    );
  }

  write(socket: NetlinkSocket, transaction: Transaction, draft: Draft): void {
    writeDraft(transaction, socket, this.layout, draft);
  }

  record(draft: Draft): void {
    this.#state.record(draft);
  }

  /**
   * Takes away class chains that are idle for long, as transactions of their own: kernels before 6.2 refuse to delete a
   * chain together with the last element that names it.
   */
  retireClasses(socket: NetlinkSocket, commit: (transaction: Transaction) => void): void {
    const idle = this.#state.idleClasses(idleClassesKept);
    if (idle.length === 0) return;
    const numbers = new Transaction(socket);
    const chains = new Transaction(socket);
    for (const chain of idle) {
      removeNumber(numbers, this.layout, this.#state.classNumber(chain) ?? 0);
      chains.deleteChain(this.layout.family, tableName, chain);
      this.#state.forgetClass(chain);
    }
    commit(numbers);
    commit(chains);
  }

  /** The frontends in the kernel now, each as it was given when its elements are exactly what it needs. */
  dump(socket: NetlinkSocket): readonly Frontend[] {
    const table = readSettledTable(socket, this.layout, undefined, (found) => this.#unexpected(found));
    if (typeof table === 'string') return [];
    return table.frontends.map((found) => this.#known(found)?.frontend ?? found.programmed.frontend);
  }

  /** What this process believes of a frontend that was found, when it is so. */
  #known({ programmed, isWhole }: FoundFrontend): Programmed | undefined {
    const known = this.#state.programmed.get(programmed.frontend.key);
    if (known === undefined || !isWhole) return undefined;
    // Which addresses are local is shared: a frontend that says so of one says it for all.
    const isLocal = known.local.every((address) => programmed.local.includes(address));
    const isSo = isLocal && isSameProgram(known, { ...programmed, local: known.local }, this.#masqueradesAll);
    return isSo ? known : undefined;
  }

  /** Keys of frontends that are otherwise than this process believes, or not there. */
  #unexpected(frontends: readonly FoundFrontend[]): readonly string[] {
    if (!this.isPresent) return [];
    const known = frontends.flatMap((found) => this.#known(found)?.frontend.key ?? []);
    return [...new Set(this.#state.programmed.keys()).symmetricDifference(new Set(known))];
  }

  get #masqueradesAll(): boolean {
    return this.#settings.masqueradeAll === true;
  }

  #emptyState(): FamilyState {
    return new FamilyState(this.#masqueradesAll);
  }
}
