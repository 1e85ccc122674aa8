import type { Identity } from '../auth/identity.ts';
import { authenticatedGroup } from '../auth/identity.ts';
import type { Incoming } from '../exchange.ts';
import type { Reply, Sink, StreamBody } from './reply.ts';
import { isStream } from './reply.ts';

/** Who a component of the same process is. Its user agent is the default field manager of what it writes. */
export interface InProcessIdentity {
  readonly name: string;
  readonly groups: readonly string[];
  readonly userAgent: string;
}

/** The same shape as `client/`'s `Transport`, which this folder may not import. */
export interface InProcess extends AsyncDisposable {
  request(request: InProcessRequest): Promise<InProcessResponse>;
}

export interface InProcessRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path with query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  readonly signal?: AbortSignal;
}

export interface InProcessResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: AsyncIterable<Uint8Array>;
}

/** A transport into the server of this process: the same chain as HTTPS, without the sockets. */
export function inProcess(who: InProcessIdentity, answer: (request: Incoming) => Promise<Reply>): InProcess {
  const abort = new AbortController();
  const peer: Identity = { name: who.name, groups: [...who.groups, authenticatedGroup] };
  return {
    async request(request) {
      const own = request.signal === undefined ? abort.signal : AbortSignal.any([request.signal, abort.signal]);
      own.throwIfAborted();
      const reply = await answer(toIncoming(request, who, peer, own));
      return { status: reply.status, headers: reply.headers, body: bodyOf(reply.body, own) };
    },
    async [Symbol.asyncDispose]() {
      abort.abort();
    },
  };
}

function toIncoming(request: InProcessRequest, who: InProcessIdentity, peer: Identity, signal: AbortSignal): Incoming {
  const at = request.path.indexOf('?');
  const body = request.body ?? '';
  const headers = Object.entries(request.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]);
  return {
    method: request.method,
    path: at < 0 ? request.path : request.path.slice(0, at),
    query: new URLSearchParams(at < 0 ? '' : request.path.slice(at + 1)),
    headers: { 'user-agent': who.userAgent, ...Object.fromEntries(headers) },
    readBody: async () => (typeof body === 'string' ? Buffer.from(body) : body),
    signal,
    peer,
  };
}

async function* bodyOf(body: Reply['body'], signal: AbortSignal): AsyncGenerator<Uint8Array> {
  if (body === undefined) return;
  if (isStream(body)) yield* readStream(body, signal);
  else yield body;
}

/** Reads a stream body as it comes. Ends when the server ends it; throws the signal's reason when the caller leaves. */
async function* readStream(body: StreamBody, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const queue = new Queue();
  const stop = body.start(queue);
  const leave = () => queue.end();
  signal.addEventListener('abort', leave, { once: true });
  if (signal.aborted) leave();
  try {
    for (;;) {
      const chunk = await queue.next();
      signal.throwIfAborted();
      if (chunk === undefined) return;
      yield chunk;
    }
  } finally {
    signal.removeEventListener('abort', leave);
    stop();
  }
}

/** A sink whose other end is pulled. */
class Queue implements Sink {
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #isEnded = false;
  #wakeReader: (() => void) | undefined;
  #wakeWriters: (() => void)[] = [];

  get backlog(): number {
    return this.#bytes;
  }

  write(chunk: Uint8Array): void {
    if (this.#isEnded) return;
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    this.#wakeReader?.();
  }

  drained(): Promise<void> {
    if (this.#bytes === 0 || this.#isEnded) return Promise.resolve();
    return new Promise((resolve) => this.#wakeWriters.push(resolve));
  }

  end(): void {
    this.#isEnded = true;
    this.#wakeReader?.();
    this.#release();
  }

  /** Everything that has come since the last call, in one piece; undefined at the end. */
  async next(): Promise<Uint8Array | undefined> {
    if (this.#chunks.length === 0 && !this.#isEnded) {
      await new Promise<void>((resolve) => {
        this.#wakeReader = resolve;
      });
      this.#wakeReader = undefined;
    }
    if (this.#chunks.length === 0) return undefined;
    const taken = this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks);
    this.#chunks = [];
    this.#bytes = 0;
    this.#release();
    return taken;
  }

  #release(): void {
    const writers = this.#wakeWriters;
    this.#wakeWriters = [];
    for (const wake of writers) wake();
  }
}
