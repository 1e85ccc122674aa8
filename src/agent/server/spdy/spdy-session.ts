import type { Duplex } from 'node:stream';
import { finished } from 'node:stream/promises';
import { Resizes } from '../session.ts';
import type { Session, WantedStreams } from '../session.ts';
import { serveSpdy } from './session.ts';
import type { SpdyStream } from './session.ts';

/** The client has to open its streams within this time (as the kubelet's default stream creation time-out). */
const openingTimeoutMs = 30_000;

/**
 * An exec or attach session on SPDY streams: the client opens one stream for each of `error`, `stdin`, `stdout`, `stderr`
 * and `resize` that it wants, named by the header `streamtype`. Resolves when all are there; rejects when they do not come.
 */
export function spdySession(connection: Duplex, wanted: WantedStreams): Promise<Session> {
  const expected = ['error', ...namesOf(wanted)];
  const found = new Map<string, SpdyStream>();
  const gone = new AbortController();
  const resizes = new Resizes();
  const { promise, resolve, reject } = Promise.withResolvers<Session>();
  const timer = setTimeout(() => fail('the client did not open its streams in time'), openingTimeoutMs);

  function fail(message: string): void {
    clearTimeout(timer);
    connection.destroy();
    reject(new Error(message));
  }
  const served = serveSpdy(connection, (stream) => {
    const name = stream.headers['streamtype'] ?? '';
    found.set(name, stream);
    if (name === 'resize') void readSizes(stream, resizes);
    if (!expected.every((each) => found.has(each))) return;
    clearTimeout(timer);
    resolve(sessionOn(connection, found, wanted, resizes, gone.signal));
  });
  void served.finally(() => {
    resizes.end();
    gone.abort();
    fail('the client left before it had opened its streams');
  });
  return promise;
}

function namesOf({ stdin, stdout, stderr, tty }: WantedStreams): readonly string[] {
  // As the kubelet: a client that is answered before all its streams are open takes it for a failure.
  const asked = { stdin, stdout, stderr: stderr && !tty, resize: tty };
  return Object.entries(asked).flatMap(([name, isAsked]) => (isAsked ? [name] : []));
}

function sessionOn(
  connection: Duplex,
  found: ReadonlyMap<string, SpdyStream>,
  wanted: WantedStreams,
  resizes: Resizes,
  signal: AbortSignal,
): Session {
  const outputs = ['stdout', 'stderr'].flatMap((name) => found.get(name) ?? []);
  return {
    streams: {
      stdin: wanted.stdin ? found.get('stdin') : undefined,
      stdout: found.get('stdout'),
      stderr: wanted.tty ? undefined : found.get('stderr'),
      tty: wanted.tty,
      resizes,
      signal,
    },
    async finish(status) {
      const error = found.get('error');
      error?.end(JSON.stringify(status));
      for (const output of outputs) if (!output.writableEnded) output.end();
      const written = [error, ...outputs].flatMap((stream) => (stream ? [finished(stream, { readable: false })] : []));
      await Promise.allSettled(written);
      connection.end();
    },
  };
}

/** Sizes come as JSON objects, one after another, without anything between them. */
async function readSizes(stream: SpdyStream, resizes: Resizes): Promise<void> {
  let rest = '';
  try {
    for await (const chunk of stream) {
      rest += String(chunk);
      for (let end = rest.indexOf('}'); end >= 0; end = rest.indexOf('}')) {
        resizes.pushJson(rest.slice(0, end + 1));
        rest = rest.slice(end + 1);
      }
    }
  } catch {
    // The session is over; its terminal needs no more sizes.
  }
}
