import { createSocket, type Socket } from 'node:dgram';
import type { Destination, Switchboard } from './listener.ts';

/** How long a silent client keeps its backend: what the kernel gives a UDP stream. */
const idleMs = 120_000;
/** Clients at once; more are ignored until others are idle. */
const maxClients = 4096;

interface Session {
  readonly socket: Socket;
  readonly backend: Destination;
  readonly timer: NodeJS.Timeout;
  /** Notes that it is over. */
  readonly end: () => void;
}

/** Relays datagrams on one port of a frontend: each client socket gets a backend, and answers go back to it. */
export class UdpListener {
  readonly #socket: Socket;
  readonly #host: string;
  readonly #port: number;
  readonly #switchboard: Switchboard;
  readonly #sessions = new Map<string, Session>();
  #isRetired = false;

  private constructor(socket: Socket, host: string, port: number, switchboard: Switchboard) {
    this.#socket = socket;
    this.#host = host;
    this.#port = port;
    this.#switchboard = switchboard;
  }

  static listen(host: string, port: number, switchboard: Switchboard): Promise<UdpListener> {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    const listener = new UdpListener(socket, host, port, switchboard);
    socket.on('message', (data, peer) => listener.#relay(data, peer.address, peer.port));
    return new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(port, host, () => {
        socket.removeListener('error', reject);
        socket.on('error', () => undefined);
        resolve(listener);
      });
    });
  }

  /** Forgets clients whose backend is gone; their next datagram gets another. */
  update(): void {
    for (const [client, session] of this.#sessions) {
      if (!this.#switchboard.has(session.backend.name)) this.#end(client, session);
    }
  }

  retire(): void {
    this.#isRetired = true;
  }

  close(): void {
    for (const [client, session] of this.#sessions) this.#end(client, session);
    this.#socket.close();
  }

  #relay(data: Buffer, address: string, port: number): void {
    const client = `${address} ${port}`;
    const session = this.#sessions.get(client) ?? this.#open(client, address, port);
    if (session === undefined) return;
    session.timer.refresh();
    session.socket.send(data, session.backend.port, session.backend.address);
  }

  #open(client: string, address: string, port: number): Session | undefined {
    if (this.#isRetired || this.#sessions.size >= maxClients || !this.#switchboard.admits(address)) return undefined;
    const backend = this.#switchboard.route({ client: address, called: this.#host }, this.#port, new Set());
    if (backend === undefined) return undefined;
    this.#switchboard.count();
    const socket = createSocket(backend.address.includes(':') ? 'udp6' : 'udp4');
    const session: Session = {
      socket,
      backend,
      timer: setTimeout(() => this.#end(client, session), idleMs).unref(),
      end: this.#switchboard.connections.add(backend.name, () => this.#end(client, session)),
    };
    socket.on('error', () => this.#end(client, session));
    socket.on('message', (data) => {
      session.timer.refresh();
      this.#socket.send(data, port, address);
    });
    this.#sessions.set(client, session);
    return session;
  }

  #end(client: string, session: Session): void {
    if (this.#sessions.get(client) !== session) return;
    this.#sessions.delete(client);
    clearTimeout(session.timer);
    session.socket.close();
    session.end();
  }
}
