import { spawnSync } from 'node:child_process';
import { SystemError } from './errno.ts';
import {
  type ListedRealServer,
  type ListedVirtualServer,
  readReal,
  readServer,
  type RealServer,
  type VirtualServer,
  type VirtualServerId,
  writeReal,
  writeServer,
} from './ipvs/servers.ts';
import { genericFamily, genericHeaderBytes, writeGenericHeader } from './netlink/generic.ts';
import { MessageWriter, messageFlags, readAttributes } from './netlink/message.ts';
import { NetlinkSocket, netlinkProtocol } from './netlink/socket.ts';

const COMMAND = { newServer: 1, setServer: 2, delServer: 3, getServer: 4, newReal: 5, setReal: 6, delReal: 7 } as const;
const GET_REAL = 8;
const SET_CONFIG = 12;
const GET_CONFIG = 13;
const GET_INFO = 15;
const ATTRIBUTE = { SERVER: 1, REAL: 2, TCP: 4, TCP_FIN: 5, UDP: 6 } as const;
const INFO_VERSION = 1;
/** Changes in one message to the kernel: their acknowledgements must fit into the socket's buffer. */
const batchSize = 512;

/** One change. A server's removal takes its real servers along, and what is connected to them. */
export type IpvsChange =
  | { readonly kind: 'newServer' | 'setServer'; readonly server: VirtualServer }
  | { readonly kind: 'delServer'; readonly id: VirtualServerId }
  | { readonly kind: 'newReal' | 'setReal' | 'delReal'; readonly id: VirtualServerId; readonly real: RealServer };

/** How long connections are remembered without a packet, in seconds; what is undefined or 0 stays. */
export interface IpvsTimeouts {
  readonly tcp?: number | undefined;
  /** After a FIN. */
  readonly tcpFin?: number | undefined;
  readonly udp?: number | undefined;
}

/**
 * IP Virtual Server of the thread's network namespace at the time of opening, over generic netlink (linux/ip_vs.h). Every
 * call is synchronous. There are no transactions: each change stands alone.
 */
export interface IpvsSocket extends Disposable {
  /** `1.2.1` */
  version(): string;
  /** In order. Returns what the kernel refused, by position; everything else is done. */
  change(changes: readonly IpvsChange[]): ReadonlyMap<number, SystemError>;
  servers(): readonly ListedVirtualServer[];
  /** Throws `SystemError` ESRCH when there is no such virtual server. */
  realServers(id: VirtualServerId): readonly ListedRealServer[];
  timeouts(): IpvsTimeouts;
  setTimeouts(timeouts: IpvsTimeouts): void;
  close(): void;
}

/** Undefined when this kernel has no IPVS and no module of it can be loaded. */
export function openIpvs(): IpvsSocket | undefined {
  const socket = new NetlinkSocket(netlinkProtocol.generic, 'IPVS');
  const family = genericFamily(socket, 'IPVS') ?? (loadModule() ? genericFamily(socket, 'IPVS') : undefined);
  if (family !== undefined) return new Ipvs(socket, family);
  socket.close();
  return undefined;
}

/** Kernels load it when its family is asked for; older ones and those without an alias want it by name. */
function loadModule(): boolean {
  return spawnSync('modprobe', ['-q', 'ip_vs'], { stdio: 'ignore' }).status === 0;
}

class Ipvs implements IpvsSocket {
  readonly #socket: NetlinkSocket;
  readonly #family: number;

  constructor(socket: NetlinkSocket, family: number) {
    this.#socket = socket;
    this.#family = family;
  }

  version(): string {
    let version = 0;
    this.#get(GET_INFO, 'IPVS version', (attributes) => (version = attributes.get(INFO_VERSION)?.readUInt32LE(0) ?? 0));
    return [version >> 16, (version >> 8) & 0xff, version & 0xff].join('.');
  }

  change(changes: readonly IpvsChange[]): ReadonlyMap<number, SystemError> {
    const refused = new Map<number, SystemError>();
    for (let first = 0; first < changes.length; first += batchSize) {
      this.#exchange(changes.slice(first, first + batchSize), first, refused);
    }
    return refused;
  }

  servers(): readonly ListedVirtualServer[] {
    const servers: ListedVirtualServer[] = [];
    this.#socket.dump(
      this.#family,
      'list virtual servers',
      (writer) => writeGenericHeader(writer, COMMAND.getServer),
      ({ payload }) => {
        const nest = readAttributes(payload, genericHeaderBytes).get(ATTRIBUTE.SERVER);
        const server = nest && readServer(nest);
        if (server !== undefined) servers.push(server);
      },
    );
    return servers;
  }

  realServers(id: VirtualServerId): readonly ListedRealServer[] {
    const reals: ListedRealServer[] = [];
    this.#socket.dump(
      this.#family,
      'list real servers',
      (writer) => {
        writeGenericHeader(writer, GET_REAL);
        const nest = writer.nest(ATTRIBUTE.SERVER);
        writeServer(writer, id);
        writer.endNest(nest);
      },
      ({ payload }) => {
        const nest = readAttributes(payload, genericHeaderBytes).get(ATTRIBUTE.REAL);
        if (nest !== undefined) reals.push(readReal(nest, id.family));
      },
    );
    return reals;
  }

  timeouts(): IpvsTimeouts {
    let found: ReadonlyMap<number, Buffer> = new Map();
    this.#get(GET_CONFIG, 'IPVS time-outs', (attributes) => (found = attributes));
    const seconds = (type: number) => found.get(type)?.readUInt32LE(0) ?? 0;
    return { tcp: seconds(ATTRIBUTE.TCP), tcpFin: seconds(ATTRIBUTE.TCP_FIN), udp: seconds(ATTRIBUTE.UDP) };
  }

  setTimeouts({ tcp, tcpFin, udp }: IpvsTimeouts): void {
    this.#socket.request(this.#family, 0, 'set IPVS time-outs', (writer) => {
      writeGenericHeader(writer, SET_CONFIG);
      if (tcp !== undefined) writer.attributeU32(ATTRIBUTE.TCP, tcp);
      if (tcpFin !== undefined) writer.attributeU32(ATTRIBUTE.TCP_FIN, tcpFin);
      if (udp !== undefined) writer.attributeU32(ATTRIBUTE.UDP, udp);
    });
  }

  close(): void {
    this.#socket.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #get(command: number, what: string, visit: (attributes: ReadonlyMap<number, Buffer>) => void): void {
    this.#socket.dump(
      this.#family,
      what,
      (writer) => writeGenericHeader(writer, command),
      // Copies: the payload is valid only inside the call.
      ({ payload }) => visit(readAttributes(Buffer.from(payload), genericHeaderBytes)),
      messageFlags.ack,
    );
  }

  #exchange(changes: readonly IpvsChange[], first: number, refused: Map<number, SystemError>): void {
    const writer = new MessageWriter(changes.length * 128);
    const positions = new Map<number, number>();
    let sequence = 0;
    for (const [at, change] of changes.entries()) {
      sequence = this.#socket.nextSequence();
      positions.set(sequence, at);
      const start = writer.begin(this.#family, messageFlags.request | messageFlags.ack, sequence);
      writeChange(writer, change);
      writer.end(start);
    }
    for (const refusal of this.#socket.exchange(writer.written(), sequence, 'IPVS')) {
      const at = positions.get(refusal.sequence) ?? 0;
      const change = changes[at];
      if (change !== undefined) refused.set(first + at, new SystemError(describe(change), refusal.error.errno));
    }
  }
}

function writeChange(writer: MessageWriter, change: IpvsChange): void {
  writeGenericHeader(writer, COMMAND[change.kind]);
  const nest = writer.nest(ATTRIBUTE.SERVER);
  if ('server' in change) writeServer(writer, change.server.id, change.server);
  else writeServer(writer, change.id);
  writer.endNest(nest);
  if (!('real' in change)) return;
  const real = writer.nest(ATTRIBUTE.REAL);
  writeReal(writer, change.real, change.kind === 'delReal');
  writer.endNest(real);
}

const verbs = {
  newServer: 'new virtual server',
  setServer: 'set virtual server',
  delServer: 'delete virtual server',
  newReal: 'new real server',
  setReal: 'set real server',
  delReal: 'delete real server',
} as const;

function describe(change: IpvsChange): string {
  if ('server' in change) return `${verbs[change.kind]} with scheduler ${change.server.scheduler}`;
  return verbs[change.kind];
}
