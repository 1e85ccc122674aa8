import type { IpvsChange, IpvsSocket } from '../../linux/ipvs.ts';
import type { ListedRealServer, RealServer, VirtualServer, VirtualServerId } from '../../linux/ipvs/servers.ts';
import { isErrno } from '../../linux/errno.ts';
import { backendName } from '../backend-name.ts';
import type { Server } from './program.ts';

/** A backend that is gone and still connected is waited for no longer than this, as kube-proxy does. */
const longestDrainMs = 15 * 60_000;

/** A real server in the kernel. One that nobody wants has weight 0 and waits for its connections to end. */
interface HeldReal {
  real: RealServer;
  /** When it is taken away with what is connected to it; undefined while it is wanted. */
  drainUntilMs: number | undefined;
}

interface HeldServer {
  virtual: VirtualServer;
  isWanted: boolean;
  readonly reals: Map<string, HeldReal>;
}

/** How a frontend lets go of backends. */
export interface Farewell {
  /** UDP and SCTP connections are not waited for: a client of UDP would never notice. */
  readonly drains: boolean;
  /** Drain time that the frontend asks for, in milliseconds. */
  readonly drainMs?: number;
}

/** One text for what a virtual server takes. */
export function serverKey(id: VirtualServerId): string {
  return 'mark' in id ? `${id.family} mark ${id.mark}` : `${id.protocol} ${id.address} ${id.port}`;
}

/**
 * The virtual servers that are ours: what this process believes of them, and how to change them. IPVS has no transactions,
 * so what is needed is raised first; what is not needed any more is let go when nothing leads there.
 */
export class ServerPool {
  readonly #ipvs: IpvsSocket;
  readonly #held = new Map<string, HeldServer>();
  /** Servers that have, or had when they were last looked at, real servers that drain. */
  readonly #drainingKeys = new Set<string>();
  /** Where `areNextIntact` goes on. */
  #round: Iterator<HeldServer>;
  /** Called when the kernel has forgotten a virtual server. */
  readonly #onGone: (id: VirtualServerId) => void;

  constructor(ipvs: IpvsSocket, onGone: (id: VirtualServerId) => void) {
    this.#ipvs = ipvs;
    this.#onGone = onGone;
    this.#round = this.#held.values();
  }

  get ids(): readonly VirtualServerId[] {
    return [...this.#held.values()].map(({ virtual }) => virtual.id);
  }

  get isDraining(): boolean {
    return this.#drainingKeys.size > 0;
  }

  /** Makes what the kernel has the belief. Nothing of it is wanted yet. */
  load(
    found: ReadonlyMap<string, { readonly virtual: VirtualServer; readonly reals: ReadonlyMap<string, RealServer> }>,
  ): void {
    this.#held.clear();
    this.#drainingKeys.clear();
    for (const [key, { virtual, reals }] of found) {
      const held = [...reals].map(([name, real]) => [name, { real, drainUntilMs: undefined }] as const);
      this.#held.set(key, { virtual, isWanted: false, reals: new Map<string, HeldReal>(held) });
    }
  }

  has(key: string): boolean {
    return this.#held.has(key);
  }

  /** Whether the kernel still has every virtual server. */
  isIntact(): boolean {
    const found = new Set(this.#ipvs.servers().map(({ id }) => serverKey(id)));
    return [...this.#held.keys()].every((key) => found.has(key));
  }

  /**
   * Whether the kernel has exactly the real servers, and their weights, of the next virtual servers: of `share` of all, so that
   * each has its turn in so many calls. Asking for all at once would hold up everything else.
   */
  areNextIntact(share: number): boolean {
    const next = Array.from({ length: Math.ceil(this.#held.size * share) }, () => this.#nextServer());
    return next.every((held) => held === undefined || this.#hasReals(held));
  }

  #nextServer(): HeldServer | undefined {
    const next = this.#round.next();
    if (next.done !== true) return next.value;
    this.#round = this.#held.values();
    return this.#round.next().value;
  }

  #hasReals({ virtual, reals }: HeldServer): boolean {
    const found = this.#realServers(virtual.id);
    return (
      found.length === reals.size && found.every((real) => reals.get(backendName(real))?.real.weight === real.weight)
    );
  }

  /**
   * Makes virtual servers and adds real servers, or gives them their settings. Returns how many changes that took and why
   * servers are not as they should be, by key.
   */
  raise(servers: readonly Server[]): { readonly operations: number; readonly refused: ReadonlyMap<string, string> } {
    const changes: IpvsChange[] = [];
    for (const server of servers) changes.push(...this.#raising(server));
    return { operations: changes.length, refused: this.#carryOut(changes) };
  }

  /** Lets go of real servers that are in none of `servers` (by server), and of the servers in `gone`. */
  lower(
    servers: readonly Server[],
    gone: readonly string[],
    farewell: (key: string) => Farewell,
    nowMs: number,
  ): number {
    const changes: IpvsChange[] = [];
    for (const { virtual, reals } of servers) {
      const key = serverKey(virtual.id);
      changes.push(...this.#letGo(key, new Set(reals.map(backendName)), farewell(key), nowMs));
    }
    for (const key of gone) {
      const held = this.#held.get(key);
      if (held === undefined) continue;
      held.isWanted = false;
      changes.push(...this.#letGo(key, new Set(), farewell(key), nowMs), ...this.#ending(held));
    }
    this.#carryOut(changes);
    return changes.length;
  }

  /** Keys of the servers that nobody wants. */
  unwanted(): string[] {
    return [...this.#held].filter(([, { isWanted }]) => !isWanted).map(([key]) => key);
  }

  /** Takes away real servers whose connections have ended or whose time is up, and servers that are left with none. */
  drain(nowMs: number): void {
    for (const key of this.#drainingKeys) {
      const held = this.#held.get(key);
      const draining = held === undefined ? [] : this.#draining(held);
      if (held === undefined || draining.length === 0) {
        this.#drainingKeys.delete(key);
        continue;
      }
      const busy = this.#busy(held.virtual.id);
      const done = draining.filter(([name, { drainUntilMs = 0 }]) => nowMs >= drainUntilMs || !busy.has(name));
      const changes: IpvsChange[] = done.map(([, { real }]) => ({ kind: 'delReal', id: held.virtual.id, real }));
      this.#carryOut([...changes, ...this.#ending(held, done.length)]);
    }
  }

  /** Takes all away. */
  remove(): void {
    this.#carryOut([...this.#held.values()].map(({ virtual }) => ({ kind: 'delServer', id: virtual.id })));
  }

  #raising({ virtual, reals }: Server): IpvsChange[] {
    const { id } = virtual;
    const held = this.#held.get(serverKey(id));
    const changes: IpvsChange[] = [];
    if (held === undefined) changes.push({ kind: 'newServer', server: virtual });
    else if (!isSameSettings(held.virtual, virtual)) changes.push({ kind: 'setServer', server: virtual });
    if (held !== undefined) held.isWanted = true;
    for (const real of reals) {
      const old = held?.reals.get(backendName(real));
      if (old !== undefined) old.drainUntilMs = undefined;
      if (old === undefined) changes.push({ kind: 'newReal', id, real });
      else if (old.real.weight !== real.weight) changes.push({ kind: 'setReal', id, real });
    }
    return changes;
  }

  #letGo(key: string, wanted: ReadonlySet<string>, farewell: Farewell, nowMs: number): IpvsChange[] {
    const held = this.#held.get(key);
    if (held === undefined) return [];
    const { id, scheduler } = held.virtual;
    const changes: IpvsChange[] = [];
    for (const [name, each] of held.reals) {
      if (wanted.has(name) || each.drainUntilMs !== undefined) continue;
      // With `dh` every connection to an address goes to one backend, and would end at one of weight 0.
      if (!farewell.drains || scheduler === 'dh') {
        changes.push({ kind: 'delReal', id, real: each.real });
        continue;
      }
      this.#drainingKeys.add(key);
      each.drainUntilMs = nowMs + Math.min(farewell.drainMs ?? longestDrainMs, longestDrainMs);
      if (each.real.weight > 0) changes.push({ kind: 'setReal', id, real: { ...each.real, weight: 0 } });
    }
    return changes;
  }

  /** The end of a server that nobody wants, when all its real servers are gone or about to be. */
  #ending({ virtual, isWanted, reals }: HeldServer, leaving = 0): IpvsChange[] {
    const staying = [...reals.values()].filter(({ drainUntilMs }) => drainUntilMs !== undefined).length - leaving;
    return isWanted || staying > 0 ? [] : [{ kind: 'delServer', id: virtual.id }];
  }

  #draining({ reals }: HeldServer): [string, HeldReal][] {
    return [...reals].filter(([, { drainUntilMs }]) => drainUntilMs !== undefined);
  }

  /** Real servers with connections. */
  #busy(id: VirtualServerId): Set<string> {
    const connected = this.#realServers(id).filter(
      ({ activeConnections, inactiveConnections }) => activeConnections + inactiveConnections > 0,
    );
    return new Set(connected.map(backendName));
  }

  #realServers(id: VirtualServerId): readonly ListedRealServer[] {
    try {
      return this.#ipvs.realServers(id);
    } catch (error) {
      // Somebody took the server away.
      if (isErrno(error, 'ESRCH')) return [];
      throw error;
    }
  }

  /** Carries changes out, believes those that were, and returns the first refusal of each server. */
  #carryOut(changes: readonly IpvsChange[]): Map<string, string> {
    const refused = this.#ipvs.change(changes);
    const reasons = new Map<string, string>();
    for (const [at, change] of changes.entries()) {
      const id = 'server' in change ? change.server.id : change.id;
      const key = serverKey(id);
      const error = refused.get(at);
      const isGone = error !== undefined && isErrno(error, change.kind === 'delReal' ? 'ENOENT' : 'ESRCH');
      if (error === undefined || (isGone && change.kind.startsWith('del'))) this.#believe(key, change);
      else if (!reasons.has(key)) reasons.set(key, error.message);
    }
    return reasons;
  }

  #believe(key: string, change: IpvsChange): void {
    const held = this.#held.get(key);
    if (change.kind === 'newServer') {
      this.#held.set(key, { virtual: change.server, isWanted: true, reals: new Map() });
    } else if (held === undefined) return;
    else if ('server' in change) held.virtual = change.server;
    else if (change.kind === 'delServer') {
      this.#held.delete(key);
      this.#onGone(held.virtual.id);
    } else if (change.kind === 'delReal') held.reals.delete(backendName(change.real));
    else if ('real' in change) {
      const drainUntilMs = held.reals.get(backendName(change.real))?.drainUntilMs;
      held.reals.set(backendName(change.real), { real: change.real, drainUntilMs });
    }
  }
}

/** Whether two virtual servers differ in nothing that can be set. */
export function isSameSettings(a: VirtualServer, b: VirtualServer): boolean {
  return (
    a.scheduler === b.scheduler && a.hasFallback === b.hasFallback && a.persistenceSeconds === b.persistenceSeconds
  );
}
