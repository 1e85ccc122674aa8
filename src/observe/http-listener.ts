import { createServer, type RequestListener, type Server } from 'node:http';

/** Where to listen. */
export interface ListenAddress {
  /** Undefined for every address of this machine. */
  readonly address: string | undefined;
  /** 0 for a free one. */
  readonly port: number;
}

export interface HttpListenerOptions extends ListenAddress {
  readonly handler: RequestListener;
  /** Called when the port cannot be had; once, until it can. */
  readonly onFailure: (error: Error) => void;
}

/** An HTTP server that tries again until it can listen. Disposing of it ends it at once, with its connections. */
export interface HttpListener extends Disposable {
  /** The port, from when it listens. Never rejects; never resolves after disposal. */
  readonly listening: Promise<number>;
}

const retryMs = 5000;

export function listenHttp({ address, port, handler, onFailure }: HttpListenerOptions): HttpListener {
  const { promise: listening, resolve } = Promise.withResolvers<number>();
  let retry: NodeJS.Timeout | undefined;
  const server = createServer(handler);
  const listen = (): void => void server.listen({ host: address, port });
  server.on('listening', () => resolve(portOf(server)));
  server.on('error', (error) => {
    if (retry === undefined) onFailure(error);
    retry = setTimeout(listen, retryMs).unref();
  });
  listen();
  return {
    listening,
    [Symbol.dispose]() {
      clearTimeout(retry);
      server.removeAllListeners('error').on('error', () => undefined);
      server.close();
      server.closeAllConnections();
    },
  };
}

/** What a path answers. */
export interface Page {
  /** 200 unless given. */
  readonly status?: number;
  readonly type: string;
  readonly text: string;
}

/** Answers texts by path; every other path is 404. */
export function pages(byPath: Readonly<Record<string, () => Page>>): RequestListener {
  return (request, response) => {
    const path = request.url?.split('?')[0] ?? '';
    const page = Object.hasOwn(byPath, path) ? byPath[path]?.() : undefined;
    if (page === undefined) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(page.status ?? 200, { 'Content-Type': page.type, 'X-Content-Type-Options': 'nosniff' });
    response.end(page.text);
  };
}

export const plainText = 'text/plain; charset=utf-8';

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
