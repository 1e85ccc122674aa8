import { connect, type Socket } from 'node:net';
import type { SocketAddress } from '../config.ts';

/**
 * Frame Streams, both ways (farsightsec.github.io/fstrm): READY is answered by ACCEPT, then START and data frames follow.
 *
 * ```
 * data      length 4 · bytes            control   0 · length 4 · type 4 · { 1 · length 4 · content type }
 * ```
 */
const control = { accept: 1, start: 2, stop: 3, ready: 4, finish: 5 } as const;
const contentTypeField = 1;
const contentType = Buffer.from('protobuf:dnstap.Dnstap');

/** Frames that wait for a collector; the newest are dropped when it does not keep up. */
const queueFrames = 8192;
const retryMs = 1000;
/** Bytes on their way to the collector before frames wait. */
const highWater = 1 << 20;

export interface FrameStreamOptions {
  /** Path of a unix socket, or a TCP address. */
  readonly to: string | SocketAddress;
  /** Called once a connection fails after it worked, or at the first failure. */
  readonly onFailure: (error: Error) => void;
  /** Called for a frame that no collector will see, because it was away or slow. */
  readonly onDrop: () => void;
}

/** Sends frames to a collector for as long as it lives; connects again whenever the connection ends. */
export class FrameStream implements Disposable {
  readonly #options: FrameStreamOptions;
  #queue: Uint8Array[] = [];
  #socket: Socket | undefined;
  #isAccepted = false;
  #isFailing = false;
  #retry: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(options: FrameStreamOptions) {
    this.#options = options;
    this.#connect();
  }

  send(frame: Uint8Array): void {
    if (this.#isOver || this.#queue.length >= queueFrames) {
      this.#options.onDrop();
      return;
    }
    this.#queue.push(frame);
    if (this.#queue.length === 1) setImmediate(() => this.#flush());
  }

  /** Sends what waits, if there is a collector, and ends. */
  [Symbol.dispose](): void {
    this.#flush();
    this.#isOver = true;
    clearTimeout(this.#retry);
    if (this.#isAccepted) this.#socket?.end(controlFrame(control.stop));
    else this.#socket?.destroy();
  }

  #connect(): void {
    const { to } = this.#options;
    const socket = connect(typeof to === 'string' ? { path: to } : { host: to.address, port: to.port });
    let received = Buffer.alloc(0);
    this.#socket = socket;
    socket.on('connect', () => socket.write(controlFrame(control.ready, true)));
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (this.#isAccepted || received.length < 12 || received.length < 8 + received.readUInt32BE(4)) return;
      if (received.readUInt32BE(8) !== control.accept) socket.destroy();
      else this.#begin(socket);
    });
    socket.on('drain', () => this.#flush());
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#again());
    socket.unref();
  }

  #begin(socket: Socket): void {
    this.#isAccepted = true;
    this.#isFailing = false;
    socket.write(controlFrame(control.start, true));
    this.#flush();
  }

  #flush(): void {
    const socket = this.#socket;
    if (socket === undefined || !this.#isAccepted || socket.writableLength > highWater) return;
    const frames = this.#queue;
    this.#queue = [];
    if (frames.length === 0) return;
    socket.write(Buffer.concat(frames.flatMap((frame) => [word(frame.length), frame])));
  }

  #fail(error: Error): void {
    if (!this.#isFailing) this.#options.onFailure(error);
    this.#isFailing = true;
  }

  #again(): void {
    this.#isAccepted = false;
    this.#socket = undefined;
    if (!this.#isOver) this.#retry = setTimeout(() => this.#connect(), retryMs).unref();
  }
}

function controlFrame(type: number, withContentType = false): Buffer {
  const content = withContentType ? [word(contentTypeField), word(contentType.length), contentType] : [];
  const body = Buffer.concat([word(type), ...content]);
  return Buffer.concat([word(0), word(body.length), body]);
}

function word(number: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(number);
  return bytes;
}
