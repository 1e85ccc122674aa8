import { createSocket, type Socket } from 'node:dgram';
import type { SocketAddress } from '../config.ts';
import type { Message } from '../wire/message.ts';
import { exchangeTcp, readDatagram, withDeadline } from './exchange.ts';
import type { ExchangeOptions, Network, Request, Settle } from './exchange.ts';

/** Questions that are asked from one port, and for how long it is used: who forges answers must guess both port and id. */
const questionsPerPort = 64;
const portLifeMs = 1000;

/** The machine's sockets. Those for UDP are shared by questions to one server, and change all the time. */
export function createSystemNetwork(): Network {
  const current = new Map<string, Port>();
  return {
    tcp: exchangeTcp,
    udp(server, request, options) {
      const key = `${server.address} ${server.port}`;
      let port = current.get(key);
      if (port?.canTake(request.id) !== true) {
        port?.retire();
        const opened = new Port(server, () => {
          if (current.get(key) === opened) current.delete(key);
        });
        port = opened;
        current.set(key, port);
      }
      return port.exchange(request, options);
    },
  };
}

interface Waiting {
  readonly request: Request;
  readonly settle: Settle;
}

/** A port that some questions are asked from. It closes by itself when it is not used any more and nothing is under way. */
class Port {
  readonly #server: SocketAddress;
  readonly #socket: Socket;
  readonly #waiting = new Map<number, Waiting>();
  readonly #retired: () => void;
  readonly #timer: NodeJS.Timeout;
  /** Packets for as long as the socket is not connected. */
  #unsent: Request[] | undefined = [];
  #left = questionsPerPort;
  #isClosed = false;

  /** `retired` is called once it takes no more questions. */
  constructor(server: SocketAddress, retired: () => void) {
    this.#server = server;
    this.#retired = retired;
    this.#timer = setTimeout(() => this.retire(), portLifeMs).unref();
    this.#socket = createSocket(server.address.includes(':') ? 'udp6' : 'udp4');
    this.#socket.on('message', (packet) => this.#hear(packet));
    this.#socket.on('error', (error) => this.#fail(error));
    this.#socket.once('connect', () => this.#sendAll());
    // Connected, so that the kernel only lets this server's packets in and reports a closed port.
    this.#socket.connect(server.port, server.address);
    // Questions keep the process alive by their deadlines.
    this.#socket.unref();
  }

  canTake(id: number): boolean {
    return this.#left > 0 && !this.#waiting.has(id);
  }

  exchange(request: Request, options: ExchangeOptions): Promise<Message> {
    this.#left -= 1;
    return withDeadline(this.#server, options, (settle) => {
      this.#waiting.set(request.id, { request, settle });
      if (this.#unsent === undefined) this.#send(request);
      else this.#unsent.push(request);
      return () => {
        this.#waiting.delete(request.id);
        this.#closeUnused();
      };
    });
  }

  /** Takes no more questions. */
  retire(): void {
    this.#left = 0;
    clearTimeout(this.#timer);
    this.#retired();
    this.#closeUnused();
  }

  #sendAll(): void {
    const unsent = this.#unsent ?? [];
    this.#unsent = undefined;
    for (const request of unsent) if (this.#waiting.has(request.id)) this.#send(request);
  }

  #send({ id, packet }: Request): void {
    this.#socket.send(packet, (error) => {
      if (error) this.#waiting.get(id)?.settle.reject(error);
    });
  }

  #hear(packet: Buffer): void {
    if (packet.length < 2) return;
    const waiting = this.#waiting.get(packet.readUInt16BE(0));
    waiting?.settle.take(readDatagram(packet, waiting.request));
  }

  #fail(error: Error): void {
    for (const { settle } of this.#waiting.values()) settle.reject(error);
    this.retire();
  }

  #closeUnused(): void {
    if (this.#left > 0 || this.#waiting.size > 0 || this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.close();
  }
}
