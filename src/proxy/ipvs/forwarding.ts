import { SystemError } from '../../linux/errno.ts';
import { type IpvsSocket, openIpvs } from '../../linux/ipvs.ts';
import type { VirtualServerId } from '../../linux/ipvs/servers.ts';
import type { NetlinkSocket } from '../../linux/netlink/socket.ts';
import { openNetfilter } from '../../linux/nftables/dump.ts';
import type { Frontend, FrontendKey } from '../../routing/frontend.ts';
import type { FrontendCounters, NodeNetwork, RefusedFrontend } from '../dataplane.ts';
import { frontendKey as elementKey } from '../nftables/keys.ts';
import { unfitReason } from '../nftables/program.ts';
import { spaceOf } from '../nftables/schema.ts';
import { Companion } from './companion.ts';
import { elementId } from './element-store.ts';
import { isNumberedServer, Numbers } from './numbers.ts';
import {
  type Element,
  forwardingSides,
  isNumbered,
  type Programmed,
  program,
  protocolNumbers,
  type SideNumbers,
  tableFamily,
} from './program.ts';
import { frontendsIn, isInForce, type KernelView, numberIn, readServers } from './read.ts';
import { type Side, spaces } from './schema.ts';
import { type Farewell, serverKey, ServerPool } from './server-pool.ts';
import { VirtualAddresses } from './virtual-addresses.ts';

/** What became of a change. */
interface Changed {
  readonly refused: readonly RefusedFrontend[];
  readonly operations: number;
}

/** What one change leads from and to. */
interface Step {
  readonly key: FrontendKey;
  readonly old: Programmed | undefined;
  readonly next: Programmed | undefined;
}

/**
 * All that the plane has in the kernel: virtual servers, the dummy link's addresses and the companion table, and what this
 * process believes of them.
 */
export class Forwarding {
  readonly socket: NetlinkSocket = openNetfilter();
  readonly ipvs: IpvsSocket;
  readonly #masqueradesAll: boolean;
  readonly #addresses = new VirtualAddresses();
  readonly #companion: Companion;
  readonly #numbers = new Numbers();
  readonly #pool: ServerPool;
  readonly #programmed = new Map<FrontendKey, Programmed>();
  /** What an earlier process noted, by `elementId`, while its frontends are taken over. */
  #noted: ReadonlyMap<string, Element> = new Map();

  /** Throws an Error when the kernel has no IPVS. */
  constructor(network: NodeNetwork) {
    const ipvs = openIpvs();
    if (ipvs === undefined) throw new Error('this kernel has no IPVS (module ip_vs)');
    this.ipvs = ipvs;
    this.#masqueradesAll = network.masqueradeAll === true;
    this.#companion = new Companion(this.socket, network);
    this.#pool = new ServerPool(ipvs, (id) => this.#numbers.release(id));
  }

  get frontends(): readonly Frontend[] {
    return [...this.#programmed.values()].map(({ frontend }) => frontend);
  }

  /** Whether nobody took away the tables, the link or a virtual server. */
  isIntact(): boolean {
    return this.#companion.isIntact() && this.#addresses.isIntact() && this.#pool.isIntact();
  }

  /** Whether nobody changed the real servers of the next virtual servers: of `share` of all. */
  areNextServersIntact(share: number): boolean {
    return this.#pool.areNextIntact(share);
  }

  isTableIntact(): boolean {
    return this.#companion.isIntact();
  }

  /** Makes what the kernel has the belief, and returns the frontends it describes. None is in force until `change`. */
  load(desired: readonly Frontend[]): readonly Frontend[] {
    const view = this.#view(desired);
    this.#programmed.clear();
    this.#noted = view.elements;
    this.#addresses.load(view.addresses);
    this.#companion.load([...view.elements.values()]);
    this.#pool.load(view.servers);
    this.#numbers.clear();
    for (const id of this.#pool.ids) this.#numbers.keep(id);
    return frontendsIn(view);
  }

  /**
   * Makes frontends as they should be; with `purge` those and no others. IPVS has no transactions, so the order keeps
   * traffic whole: what is needed is raised, then nftables changes all at once, then what is not needed is let go.
   * Throws `SystemError` when nftables refuses; then no frontend leads elsewhere than before.
   */
  change(changed: readonly Frontend[], removed: readonly FrontendKey[], purge = false): Changed {
    if (purge) this.#addresses.ensureLink();
    const refused: RefusedFrontend[] = [];
    const drafts = this.#draft(changed, removed, refused);
    const { steps, operations: raised } = this.#raise(drafts, refused);
    const written = this.#writeElements(steps, purge);
    const lowered = this.#lower(steps, drafts, purge);
    return { refused, operations: raised + written + lowered };
  }

  /** Takes away backends whose connections have ended, and what they were the last of. */
  drain(nowMs: number): void {
    if (!this.#pool.isDraining) return;
    this.#pool.drain(nowMs);
    this.#sweep();
  }

  get isDraining(): boolean {
    return this.#pool.isDraining;
  }

  /** Takes no new connection; those that are may go on. */
  stopTaking(): void {
    this.load([]);
    this.#companion.empty();
    this.#pool.lower([], this.#pool.unwanted(), () => ({ drains: true }), performance.now());
  }

  dump(): readonly Frontend[] {
    const view = this.#view([]);
    const found = new Map(frontendsIn(view).map((frontend) => [frontend.key, frontend]));
    const known = [...this.#programmed].flatMap(([key, programmed]) => {
      const inKernel = found.get(key);
      found.delete(key);
      if (isInForce(programmed, view)) return [programmed.frontend];
      return inKernel === undefined ? [] : [inKernel];
    });
    return [...known, ...found.values()];
  }

  counters(): ReadonlyMap<FrontendKey, FrontendCounters> {
    const connections = new Map(this.ipvs.servers().map((server) => [serverKey(server.id), server.connections]));
    const counters = new Map<FrontendKey, FrontendCounters>();
    for (const [key, { servers }] of this.#programmed) {
      const counts = servers.map(({ virtual }) => connections.get(serverKey(virtual.id)) ?? 0);
      counters.set(key, { connections: counts.reduce((sum, count) => sum + count, 0) });
    }
    return counters;
  }

  remove(): void {
    this.load([]);
    this.#pool.remove();
    this.#companion.remove();
    this.#addresses.remove();
  }

  close(): void {
    this.#addresses.close();
    this.ipvs.close();
    this.socket.close();
  }

  /** Reads what is ours: under our numbers, or at an address of the link, or where a frontend is to be. */
  #view(desired: readonly Frontend[]): KernelView {
    const addresses = this.#addresses.list();
    const wanted = new Set(desired.map(({ address }) => address));
    const isOurs = (id: VirtualServerId) =>
      isNumberedServer(id) || ('address' in id && (addresses.has(id.address) || wanted.has(id.address)));
    const elements = new Map(this.#companion.read().map((element) => [elementId(element), element]));
    return { elements, servers: readServers(this.ipvs, isOurs), addresses };
  }

  /** What is to be, as far as it can be decided without the kernel. */
  #draft(changed: readonly Frontend[], removed: readonly FrontendKey[], refused: RefusedFrontend[]): readonly Step[] {
    const wanted = new Map<FrontendKey, Frontend | undefined>(removed.map((key) => [key, undefined]));
    for (const frontend of changed) wanted.set(frontend.key, frontend);
    return [...wanted].map(([key, frontend]) => {
      const old = this.#programmed.get(key);
      if (frontend === undefined) return { key, old, next: undefined };
      const numbers = unfitReason(frontend) ?? this.#numbersFor(frontend, old);
      if (typeof numbers !== 'string') return { key, old, next: program(frontend, numbers, this.#masqueradesAll) };
      refused.push({ key, reason: numbers });
      return { key, old, next: undefined };
    });
  }

  /** A number for each side that needs one: the one it has, else the one that was noted, else a free one. */
  #numbersFor(frontend: Frontend, old: Programmed | undefined): SideNumbers | string {
    const numbers: Partial<Record<Side, number>> = {};
    for (const side of forwardingSides(frontend).filter((each) => isNumbered(frontend, each))) {
      const isSameSpace = old !== undefined && spaceOf(old.frontend) === spaceOf(frontend);
      const known = isSameSpace ? old.numbers[side] : this.#notedNumber(frontend, side);
      const number = known ?? this.#freeNumber(frontend, side);
      if (number === undefined) return 'every number for relayed frontends is in use';
      numbers[side] = number;
    }
    return numbers;
  }

  #notedNumber(frontend: Frontend, side: Side): number | undefined {
    const set = spaces[spaceOf(frontend)][side].relays;
    return numberIn(this.#noted, { family: tableFamily(frontend), set, key: elementKey(frontend) });
  }

  #freeNumber(frontend: Frontend, side: Side): number | undefined {
    const { family, lastPort, protocol, port } = frontend;
    if (lastPort !== undefined) return this.#numbers.takeMark(family);
    return this.#numbers.takePort(family, side, protocolNumbers[protocol], port);
  }

  /** Addresses and virtual servers. A frontend that cannot have them all is refused, and leads nowhere. */
  #raise(drafts: readonly Step[], refused: RefusedFrontend[]): { steps: readonly Step[]; operations: number } {
    let operations = 0;
    const failures = new Map<FrontendKey, string>();
    for (const { key, next } of drafts) {
      try {
        operations += this.#addresses.claim(next?.addresses ?? []);
      } catch (error) {
        if (!(error instanceof SystemError)) throw error;
        failures.set(key, error.message);
      }
    }
    const able = drafts.filter(({ key }) => !failures.has(key));
    const raised = this.#pool.raise(able.flatMap(({ next }) => next?.servers ?? []));
    for (const { key, next } of able) {
      const reason = next?.servers.map(({ virtual }) => raised.refused.get(serverKey(virtual.id))).find(Boolean);
      if (reason === undefined) continue;
      failures.set(key, reason);
      this.#addresses.release(next?.addresses ?? []);
    }
    for (const [key, reason] of failures) refused.push({ key, reason });
    const steps = drafts.map((step) => (failures.has(step.key) ? { ...step, next: undefined } : step));
    return { steps, operations: operations + raised.operations };
  }

  /** Throws `SystemError` when nftables refuses; then what was raised is let go again. */
  #writeElements(steps: readonly Step[], purge: boolean): number {
    const released = steps.flatMap(({ old }) => old?.elements ?? []);
    const claimed = steps.flatMap(({ next }) => next?.elements ?? []);
    try {
      return this.#companion.change(released, claimed, purge);
    } catch (error) {
      this.#pool.raise(steps.flatMap(({ old }) => old?.servers ?? []));
      const undone = steps.map(({ key, old, next }) => ({ key, old: next, next: old }));
      this.#lower(undone, [], false);
      throw error;
    }
  }

  /** Lets go of what the change has made unneeded, and believes the change. */
  #lower(steps: readonly Step[], drafts: readonly Step[], purge: boolean): number {
    const kept = steps.flatMap(({ next }) => next?.servers ?? []);
    const keptKeys = new Set(kept.map(({ virtual }) => serverKey(virtual.id)));
    const farewells = new Map<string, Farewell>();
    for (const { frontend, servers } of [...drafts, ...steps].flatMap(({ old, next }) => [old, next]).filter(isThere)) {
      for (const { virtual } of servers) farewells.set(serverKey(virtual.id), farewellOf(frontend));
    }
    const gone = [...farewells.keys(), ...(purge ? this.#pool.unwanted() : [])].filter((key) => !keptKeys.has(key));
    const lowered = this.#pool.lower(
      kept,
      [...new Set(gone)],
      (key) => farewells.get(key) ?? { drains: true },
      performance.now(),
    );
    for (const { key, old, next } of steps) {
      this.#addresses.release(old?.addresses ?? []);
      if (next === undefined) this.#programmed.delete(key);
      else this.#programmed.set(key, next);
    }
    // Numbers that were taken for servers which the kernel refused.
    for (const { virtual } of drafts.flatMap(({ next }) => next?.servers ?? [])) {
      if (!this.#pool.has(serverKey(virtual.id))) this.#numbers.release(virtual.id);
    }
    return lowered + this.#sweep();
  }

  /** An address stays while connections to it do. */
  #sweep(): number {
    if (!this.#addresses.hasUnused) return 0;
    const held = new Set(this.#pool.ids.map((id) => ('address' in id ? id.address : '')));
    return this.#addresses.sweep((address) => held.has(address));
  }
}

function isThere<T>(value: T | undefined): value is T {
  return value !== undefined;
}

/** UDP and SCTP backends go at once; TCP connections end by themselves, or when the drain time is over. */
function farewellOf({ protocol, resetAfterSeconds }: Frontend): Farewell {
  return {
    drains: protocol === 'TCP',
    drainMs: resetAfterSeconds === undefined ? undefined : resetAfterSeconds * 1000,
  };
}
