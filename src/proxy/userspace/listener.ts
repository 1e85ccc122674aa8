import { cidrContains, parseCidr } from '../../lib/cidr.ts';
import type { Frontend } from '../../routing/frontend.ts';
import type { NodeNetwork } from '../dataplane.ts';
import { BackendPicker } from './backend-picker.ts';
import { listenTcp } from './tcp-listener.ts';
import { UdpListener } from './udp-listener.ts';

/** Whether a client's address may use the frontend. */
export type Admission = (address: string) => boolean;

interface Door {
  update(): void;
  close(): void;
}

/** One frontend in force: its sockets, which stay open while its backends change. */
export class Listener {
  frontend: Frontend;
  readonly #picker = new BackendPicker();
  readonly #hosts: readonly string[];
  #doors: readonly Door[] = [];

  constructor(frontend: Frontend, network: NodeNetwork) {
    this.frontend = frontend;
    this.#hosts = listenHosts(frontend, network);
  }

  /** Sockets it holds. */
  get size(): number {
    return this.#doors.length;
  }

  /**
   * Carries out a frontend of the same key. Throws the system's error when a socket cannot be had (EACCES, EADDRINUSE,
   * EADDRNOTAVAIL); then nothing listens.
   */
  async become(frontend: Frontend): Promise<void> {
    this.frontend = frontend;
    this.#picker.update(frontend.internal, frontend.affinity);
    // Without a listener the operating system refuses, which is what a frontend without backends has to do.
    if (this.#picker.names.size === 0) this.close();
    else if (this.#doors.length === 0) this.#doors = await this.#open(frontend.protocol);
    for (const door of this.#doors) door.update();
  }

  close(): void {
    for (const door of this.#doors) door.close();
    this.#doors = [];
  }

  async #open(protocol: Frontend['protocol']): Promise<Door[]> {
    if (protocol === 'SCTP') throw new Error('the userspace plane has no SCTP');
    const admits: Admission = (address) => isAdmitted(this.frontend, address);
    const doors: Door[] = [];
    try {
      for (const host of this.#hosts) doors.push(await this.#openOne(protocol, host, admits));
      return doors;
    } catch (error) {
      for (const door of doors) door.close();
      throw error;
    }
  }

  async #openOne(protocol: 'TCP' | 'UDP', host: string, admits: Admission): Promise<Door> {
    const { port } = this.frontend;
    if (protocol === 'UDP') return UdpListener.listen(host, port, this.#picker, admits);
    const close = await listenTcp(host, port, this.#picker, admits);
    return { update: () => undefined, close };
  }
}

/** Where a frontend listens: its own address; a node port on the asked-for addresses, else on loopback. */
function listenHosts(frontend: Frontend, network: NodeNetwork): readonly string[] {
  if (frontend.address !== undefined) return [frontend.address];
  const isIpv6 = frontend.family === 'IPv6';
  const asked = network.nodePortAddresses.filter(
    (address) => !address.includes('/') && address.includes(':') === isIpv6,
  );
  return asked.length > 0 ? asked : [isIpv6 ? '::1' : '127.0.0.1'];
}

function isAdmitted({ sourceRanges }: Frontend, address: string): boolean {
  if (sourceRanges === undefined) return true;
  return sourceRanges.some((range) => {
    const cidr = parseCidr(range);
    return cidr !== undefined && cidrContains(cidr, address);
  });
}
