import { cidrContains, parseCidr } from '../../lib/cidr.ts';
import type { Frontend } from '../../routing/frontend.ts';
import { parseBackendName } from '../backend-name.ts';
import type { NodeNetwork } from '../dataplane.ts';
import { BackendPicker } from './backend-picker.ts';
import { OpenConnections } from './open-connections.ts';
import type { Caller } from './schedule.ts';
import { listenTcp } from './tcp-listener.ts';
import { UdpListener } from './udp-listener.ts';

/** Sockets for one range of ports, at most. */
const maxPorts = 1024;

/** Where a connection goes. */
export interface Destination {
  /** The backend's name. */
  readonly name: string;
  readonly address: string;
  readonly port: number;
}

/** What the sockets of a frontend ask about each caller, and where they note what they opened. */
export interface Switchboard {
  /** Whether a client's address may use the frontend. */
  admits(client: string): boolean;
  /** The backend for a caller; undefined when there is none but those `tried`. */
  route(caller: Caller, port: number, tried: ReadonlySet<string>): Destination | undefined;
  /** Whether a backend is still one of the frontend's. */
  has(name: string): boolean;
  readonly connections: OpenConnections;
  /** Counts a new connection. */
  count(): void;
}

interface Door {
  /** Notices that backends went. */
  update(): void;
  /** Takes no new caller; those that are go on. */
  retire(): void;
  /** Ends at once what it can; TCP connections go on. */
  close(): void;
}

/** One frontend in force: its sockets, which stay open while its backends change. */
export class Listener implements Switchboard {
  readonly connections = new OpenConnections();
  /** New connections since the frontend came into force. */
  connectionCount = 0;
  readonly #network: NodeNetwork;
  readonly #picker = new BackendPicker({
    openConnections: (name) => this.connections.count(name),
    random: Math.random,
  });
  /** `HOST PORT` → its socket. */
  readonly #doors = new Map<string, Door>();
  /** Backends that went, and the timers that reset what they still have. */
  readonly #leaving = new Map<string, NodeJS.Timeout>();
  #frontend: Frontend | undefined;

  constructor(network: NodeNetwork) {
    this.#network = network;
  }

  /** The frontend in force; undefined before the first and after `leave`. */
  get frontend(): Frontend | undefined {
    return this.#frontend;
  }

  /** Sockets it holds. */
  get size(): number {
    return this.#doors.size;
  }

  /**
   * Carries out a frontend of the same key. Throws the system's error when a socket cannot be had (EACCES, EADDRINUSE,
   * EADDRNOTAVAIL); then nothing listens.
   */
  async become(frontend: Frontend): Promise<void> {
    this.#frontend = frontend;
    this.#picker.update(frontend);
    this.#drain(frontend.resetAfterSeconds);
    try {
      await this.#openDoors(frontend);
    } catch (error) {
      this.leave();
      throw error;
    }
    for (const door of this.#doors.values()) door.update();
  }

  /** The frontend is gone: nothing listens, its UDP flows end, its TCP connections go on for as long as it allowed. */
  leave(): void {
    for (const door of this.#doors.values()) door.close();
    this.#doors.clear();
    this.#picker.update(undefined);
    this.#drain(this.#frontend?.resetAfterSeconds);
    this.#frontend = undefined;
    this.connectionCount = 0;
  }

  /** Takes no new caller. Resolves when all connections have ended. */
  async retire(): Promise<void> {
    for (const door of this.#doors.values()) door.retire();
    await this.connections.ended();
  }

  resetConnections(): void {
    for (const backend of this.connections.backends) this.connections.reset(backend);
  }

  admits(client: string): boolean {
    return this.#frontend !== undefined && isAdmitted(this.#frontend, client);
  }

  route(caller: Caller, port: number, tried: ReadonlySet<string>): Destination | undefined {
    const name = this.#picker.pick(caller, Date.now(), tried);
    if (name === undefined) return undefined;
    const backend = parseBackendName(name);
    return { name, address: backend.address, port: this.#frontend?.lastPort === undefined ? backend.port : port };
  }

  has(name: string): boolean {
    return this.#picker.has(name);
  }

  count(): void {
    this.connectionCount += 1;
  }

  /** Resets, after the drain time, what backends that went still have; one that is back is left alone. */
  #drain(seconds: number | undefined): void {
    for (const [name, timer] of this.#leaving) {
      if (seconds !== undefined && !this.has(name)) continue;
      clearTimeout(timer);
      this.#leaving.delete(name);
    }
    if (seconds === undefined) return;
    for (const name of this.connections.backends) {
      if (this.has(name) || this.#leaving.has(name)) continue;
      const reset = (): void => {
        this.#leaving.delete(name);
        this.connections.reset(name);
      };
      this.#leaving.set(name, setTimeout(reset, seconds * 1000).unref());
    }
  }

  async #openDoors(frontend: Frontend): Promise<void> {
    const wanted = new Map(this.#picker.isOpen ? places(frontend, this.#network) : []);
    for (const [place, door] of this.#doors) {
      if (wanted.has(place)) continue;
      door.close();
      this.#doors.delete(place);
    }
    for (const [place, { host, port }] of wanted) {
      if (!this.#doors.has(place)) this.#doors.set(place, await this.#open(frontend.protocol, host, port));
    }
  }

  async #open(protocol: Frontend['protocol'], host: string, port: number): Promise<Door> {
    if (protocol === 'SCTP') throw new Error('the userspace plane has no SCTP');
    if (protocol === 'UDP') return UdpListener.listen(host, port, this);
    const close = await listenTcp(host, port, this);
    return { update: () => undefined, retire: close, close };
  }
}

/** Where a frontend listens: each host with each port of its range. */
function places(frontend: Frontend, network: NodeNetwork): [string, { host: string; port: number }][] {
  const { port, lastPort = port } = frontend;
  const count = lastPort - port + 1;
  if (count > maxPorts) {
    throw new Error(
      `ports ${port}-${lastPort} are ${count}, and the userspace plane opens at most ${maxPorts} for one range`,
    );
  }
  return listenHosts(frontend, network).flatMap((host) =>
    Array.from({ length: count }, (_, at): [string, { host: string; port: number }] => [
      `${host} ${port + at}`,
      { host, port: port + at },
    ]),
  );
}

/** Its own address; a node port on the asked-for addresses, else on loopback. */
function listenHosts(frontend: Frontend, network: NodeNetwork): readonly string[] {
  if (frontend.address !== undefined) return [frontend.address];
  const isIpv6 = frontend.family === 'IPv6';
  const asked = network.nodePortAddresses.filter(
    (address) => !address.includes('/') && address.includes(':') === isIpv6,
  );
  const loopback = isIpv6 ? '::1' : '127.0.0.1';
  if (asked.length === 0) return [loopback];
  return network.nodePortLocalhost === true && !asked.includes(loopback) ? [...asked, loopback] : asked;
}

function isAdmitted({ sourceRanges }: Frontend, address: string): boolean {
  if (sourceRanges === undefined) return true;
  return sourceRanges.some((range) => {
    const cidr = parseCidr(range);
    return cidr !== undefined && cidrContains(cidr, address);
  });
}
