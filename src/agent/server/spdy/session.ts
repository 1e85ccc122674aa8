import { Duplex } from 'node:stream';
import { dataFrame, pingFrame, readFrame, rstStreamFrame, synReplyFrame } from './frames.ts';
import type { Frame } from './frames.ts';
import { createHeaderCodec } from './headers.ts';
import type { Headers } from './headers.ts';

/** One stream of a session, opened by the client. Ending it sends FIN, destroying it sends RST_STREAM. */
export class SpdyStream extends Duplex {
  readonly id: number;
  readonly headers: Headers;
  private readonly send: (frame: Buffer, done: () => void) => void;
  /** Both sides have said their last: nothing is left to reset. */
  private isOver = { read: false, written: false };
  private onWanted: (() => void) | undefined;

  constructor(id: number, headers: Headers, send: (frame: Buffer, done: () => void) => void) {
    super({ allowHalfOpen: true });
    this.id = id;
    this.headers = headers;
    this.send = send;
  }

  /** Takes data of the client; false while nobody reads it, until `whenWanted` calls. */
  receive(data: Buffer, fin: boolean): boolean {
    const isWanted = data.length === 0 || this.push(Buffer.from(data));
    if (fin) {
      this.isOver.read = true;
      this.push(null);
    }
    return isWanted;
  }

  whenWanted(resume: () => void): void {
    this.onWanted = resume;
  }

  override _read(): void {
    const { onWanted } = this;
    this.onWanted = undefined;
    onWanted?.();
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.send(dataFrame(this.id, chunk), done);
  }

  override _final(done: () => void): void {
    this.isOver.written = true;
    this.send(dataFrame(this.id, Buffer.alloc(0), true), done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (!this.isOver.read || !this.isOver.written) this.send(rstStreamFrame(this.id), () => undefined);
    this._read();
    done(error);
  }
}

/**
 * Serves SPDY/3.1 on a connection until it ends. `onStream` gets every stream after it was accepted. Resolves at the end of
 * the connection; a client that breaks the protocol is disconnected.
 */
export async function serveSpdy(connection: Duplex, onStream: (stream: SpdyStream) => void): Promise<void> {
  const streams = new Map<number, SpdyStream>();
  using codec = createHeaderCodec();
  const send = (frame: Buffer, done: () => void): void => {
    if (connection.writable) connection.write(frame, () => done());
    else done();
  };

  const open = async (frame: Extract<Frame, { type: 'syn-stream' }>): Promise<void> => {
    const headers = await codec.decode(frame.headers);
    const stream = new SpdyStream(frame.stream, headers, send);
    streams.set(stream.id, stream);
    stream.on('error', () => undefined);
    stream.once('close', () => streams.delete(stream.id));
    send(synReplyFrame(stream.id, await codec.encode({})), () => undefined);
    onStream(stream);
    if (frame.fin) stream.receive(Buffer.alloc(0), true);
  };

  /** One full stream holds the connection up: kubectl gives every transfer a connection or reads all its streams. */
  const take = async (frame: Frame): Promise<void> => {
    if (frame.type === 'syn-stream') await open(frame);
    else if (frame.type === 'ping') send(pingFrame(frame.id), () => undefined);
    else if (frame.type === 'rst-stream') streams.get(frame.stream)?.destroy();
    else if (frame.type === 'data') {
      const stream = streams.get(frame.stream);
      if (stream === undefined || stream.receive(frame.data, frame.fin)) return;
      await new Promise<void>((resume) => stream.whenWanted(resume));
    }
  };

  try {
    for await (const frame of framesOf(connection)) await take(frame);
  } catch {
    connection.destroy();
  } finally {
    for (const stream of streams.values()) stream.destroy();
  }
}

async function* framesOf(connection: AsyncIterable<Buffer>): AsyncGenerator<Frame> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of connection) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (let read = readFrame(rest); read !== undefined; read = readFrame(rest)) {
      yield read.frame;
      rest = rest.subarray(read.length);
    }
  }
}
