import { PassThrough, Writable } from 'node:stream';
import type { WebSocket } from 'ws';
import { Resizes } from '../session.ts';
import type { Session, WantedStreams } from '../session.ts';

/** Channel numbers of `v4.channel.k8s.io` and `v5.channel.k8s.io`: the first byte of every message (KEP-4006). */
const channels = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;

/** Beyond this many bytes that the client has not taken, output waits. */
const mostBuffered = 1 << 20;

/** A session on the numbered channels of one WebSocket. */
export function channelSession(socket: WebSocket, wanted: WantedStreams): Session {
  const stdin = new PassThrough();
  const resizes = new Resizes();
  const gone = new AbortController();
  socket.on('message', (data) => receive(asBuffer(data)));
  socket.on('error', () => undefined);
  socket.once('close', () => {
    stdin.end();
    resizes.end();
    gone.abort();
  });

  function receive(message: Buffer): void {
    const payload = message.subarray(1);
    if (message[0] === channels.stdin && !stdin.writableEnded) {
      if (stdin.write(payload)) return;
      socket.pause();
      stdin.once('drain', () => socket.resume());
    } else if (message[0] === channels.resize) resizes.pushJson(payload.toString('utf8'));
    // v5: the client has closed one of its streams.
    else if (message[0] === channels.close && payload[0] === channels.stdin) stdin.end();
  }

  return {
    streams: {
      stdin: wanted.stdin ? stdin : undefined,
      stdout: wanted.stdout ? channelWriter(socket, channels.stdout) : undefined,
      stderr: wanted.stderr && !wanted.tty ? channelWriter(socket, channels.stderr) : undefined,
      tty: wanted.tty,
      resizes,
      signal: gone.signal,
    },
    async finish(status) {
      if (socket.readyState !== socket.OPEN) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      socket.send(framed(channels.error, Buffer.from(JSON.stringify(status))), () => resolve());
      await promise;
      socket.close(1000);
    },
  };
}

/** Writes that become messages on one channel; waits while the client is slow. */
export function channelWriter(socket: WebSocket, channel: number): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (socket.readyState !== socket.OPEN) {
        done(new Error('the client has gone'));
        return;
      }
      const isSlow = socket.bufferedAmount > mostBuffered;
      socket.send(framed(channel, chunk), (error) => isSlow && done(error ?? null));
      if (!isSlow) done();
    },
  }).on('error', () => undefined);
}

function framed(channel: number, payload: Buffer): Buffer {
  return Buffer.concat([Uint8Array.of(channel), payload]);
}

/** A message of `ws` in any of its forms as one buffer. */
export function asBuffer(data: Buffer | ArrayBuffer | readonly Buffer[]): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return data instanceof ArrayBuffer ? Buffer.from(data) : Buffer.concat([...data]);
}
