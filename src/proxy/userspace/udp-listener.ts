import { createSocket, type Socket } from 'node:dgram';
import { parseBackendName } from '../backend-name.ts';
import type { BackendPicker } from './backend-picker.ts';
import type { Admission } from './listener.ts';

/** How long a silent client keeps its backend: what the kernel gives a UDP stream. */
const idleMs = 120_000;
/** Clients at once; more are ignored until others are idle. */
const maxClients = 4096;

interface Session {
  readonly backend: Socket;
  readonly name: string;
  timer: NodeJS.Timeout;
}

/** Relays datagrams of one frontend: each client socket gets a backend, and answers go back to it. */
export class UdpListener {
  readonly #socket: Socket;
  readonly #picker: BackendPicker;
  readonly #admits: Admission;
  readonly #sessions = new Map<string, Session>();

  private constructor(socket: Socket, picker: BackendPicker, admits: Admission) {
    this.#socket = socket;
    this.#picker = picker;
    this.#admits = admits;
  }

  static listen(host: string, port: number, picker: BackendPicker, admits: Admission): Promise<UdpListener> {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    const listener = new UdpListener(socket, picker, admits);
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
    const names = this.#picker.names;
    for (const [client, session] of this.#sessions) if (!names.has(session.name)) this.#end(client, session);
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
    const backend = parseBackendName(session.name);
    session.backend.send(data, backend.port, backend.address);
  }

  #open(client: string, address: string, port: number): Session | undefined {
    if (!this.#admits(address) || this.#sessions.size >= maxClients) return undefined;
    const name = this.#picker.pick(address, Date.now());
    if (name === undefined) return undefined;
    const backend = createSocket(parseBackendName(name).address.includes(':') ? 'udp6' : 'udp4');
    const session: Session = {
      backend,
      name,
      timer: setTimeout(() => this.#end(client, session), idleMs).unref(),
    };
    backend.on('error', () => this.#end(client, session));
    backend.on('message', (data) => {
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
    session.backend.close();
  }
}
