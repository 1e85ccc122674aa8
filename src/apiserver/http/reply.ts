/** Where a stream's bytes go: an HTTP response or an in-process reader. */
export interface Sink {
  write(chunk: Uint8Array): void;
  /** Bytes written that the reader has not taken yet. */
  readonly backlog: number;
  /** Resolves when the reader has caught up enough to be sent more, or has left. */
  drained(): Promise<void>;
  end(): void;
}

/** A body that goes on: a watch, a log. `start` is called once; the returned function is called when the reader left. */
export interface StreamBody {
  start(sink: Sink): () => void;
}

/** The answer to one request. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | StreamBody | undefined;
}

const baseHeaders = { 'cache-control': 'no-cache, private' };

/** A JSON answer from bytes that are JSON already. `mediaType` may carry parameters, such as `;as=Table`. */
export function jsonReply(status: number, body: Uint8Array, mediaType = 'application/json'): Reply {
  return { status, headers: { ...baseHeaders, 'content-type': mediaType }, body };
}

/** A JSON answer from an object. */
export function objectReply(status: number, object: unknown, mediaType?: string): Reply {
  return jsonReply(status, Buffer.from(JSON.stringify(object)), mediaType);
}

export function textReply(status: number, text: string, mediaType = 'text/plain; charset=utf-8'): Reply {
  const headers = { ...baseHeaders, 'content-type': mediaType, 'x-content-type-options': 'nosniff' };
  return { status, headers, body: Buffer.from(text) };
}

export function streamReply(mediaType: string, body: StreamBody): Reply {
  return { status: 200, headers: { ...baseHeaders, 'content-type': mediaType }, body };
}

/** The same answer with more headers. */
export function withHeaders(reply: Reply, headers: Readonly<Record<string, string>>): Reply {
  return { ...reply, headers: { ...reply.headers, ...headers } };
}

export function isStream(body: Reply['body']): body is StreamBody {
  return body !== undefined && 'start' in body;
}
