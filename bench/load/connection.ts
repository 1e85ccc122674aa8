import { connect, type TLSSocket } from 'node:tls';
import { once } from 'node:events';

/** How to reach and convince a server. */
export interface Access {
  readonly port: number;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/**
 * One HTTP/1.1 keep-alive connection over TLS that carries one request at a time: much cheaper than `node:https`, so that
 * the client is not what is measured.
 */
export class Connection {
  private readonly socket: TLSSocket;
  private pending: Buffer = Buffer.alloc(0);
  private wake: (() => void) | undefined;

  private constructor(socket: TLSSocket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.pending = this.pending.length === 0 ? chunk : Buffer.concat([this.pending, chunk]);
      this.wake?.();
    });
  }

  static async open({ port, ...credentials }: Access): Promise<Connection> {
    const socket = connect({ host: '127.0.0.1', port, ...credentials });
    await once(socket, 'secureConnect');
    socket.setNoDelay(true);
    return new Connection(socket);
  }

  /** Sends JSON and waits for the whole answer. Gives the status code. */
  async post(path: string, body: string): Promise<number> {
    const length = Buffer.byteLength(body);
    const head = `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`;
    this.socket.write(head + body);
    for (;;) {
      const answer = this.takeAnswer();
      if (answer !== undefined) return answer;
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }

  close(): void {
    this.socket.destroy();
  }

  private takeAnswer(): number | undefined {
    const end = this.pending.indexOf('\r\n\r\n');
    if (end < 0) return undefined;
    const head = this.pending.toString('latin1', 0, end);
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? Number.NaN);
    if (Number.isNaN(length)) throw new Error(`the answer has no length:\n${head}`);
    if (this.pending.length < end + 4 + length) return undefined;
    this.pending = this.pending.subarray(end + 4 + length);
    return Number(head.slice(9, 12));
  }
}
