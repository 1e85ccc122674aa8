import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { serveSpdy } from './session.ts';
import type { SpdyStream } from './session.ts';

/** Opens a connection to a port of the Pod; rejects when nobody listens there. */
export type ConnectPort = (port: number) => Promise<Duplex>;

/**
 * Port-forward on SPDY streams: for every connection that the client's user makes, the client opens an `error` and a `data`
 * stream with the same `requestid`. A refused connection is said on its error stream and ends that pair only: the others,
 * and later ones, go on. Resolves at the end of the client's connection.
 */
export async function serveSpdyPortForward(connection: Duplex, connectPort: ConnectPort): Promise<void> {
  const waiting = new Map<string, SpdyStream>();
  await serveSpdy(connection, (stream) => {
    const id = stream.headers['requestid'] ?? '';
    const other = waiting.get(id);
    if (other === undefined) {
      waiting.set(id, stream);
      stream.once('close', () => waiting.delete(id));
      return;
    }
    waiting.delete(id);
    const isData = stream.headers['streamtype'] === 'data';
    const [data, error] = isData ? [stream, other] : [other, stream];
    void forwardOne(data, error, connectPort);
  });
}

async function forwardOne(data: SpdyStream, error: SpdyStream, connectPort: ConnectPort): Promise<void> {
  const port = Number(data.headers['port']);
  error.resume();
  let upstream: Duplex;
  try {
    upstream = await connectPort(port);
  } catch (cause) {
    error.end(`error forwarding port ${port}: ${cause instanceof Error ? cause.message : String(cause)}`);
    data.resume().end();
    return;
  }
  data.once('close', () => upstream.destroy());
  // Each way ends by itself: a client may close its side and still read the answer.
  await Promise.allSettled([pipeline(data, upstream), pipeline(upstream, data)]);
  upstream.destroy();
  if (!data.destroyed) data.resume();
  error.end();
}
