import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { asBuffer, channelWriter } from './channel-session.ts';

/**
 * Port-forward on the numbered channels of `v4.channel.k8s.io`, as JavaScript and Python clients use it: one connection for
 * each port of the query, on channel 2i for data and 2i + 1 for errors. Both channels begin with the port, two bytes little
 * endian, from the server.
 */
export async function serveChannelPortForward(
  socket: WebSocket,
  ports: readonly number[],
  connectPort: (port: number) => Promise<Duplex>,
): Promise<void> {
  const upstreams = new Map<number, Duplex>();
  socket.on('error', () => undefined);
  socket.on('message', (data) => {
    const message = asBuffer(data);
    upstreams.get(message[0] ?? -1)?.write(message.subarray(1));
  });
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  await Promise.all(ports.map((port, index) => open(port, index)));
  await Promise.race([closed, Promise.all([...upstreams.values()].map(ended))]);
  socket.close(1000);
  await closed;
  for (const upstream of upstreams.values()) upstream.destroy();

  async function open(port: number, index: number): Promise<void> {
    const data = channelWriter(socket, index * 2);
    const error = channelWriter(socket, index * 2 + 1);
    const head = Buffer.alloc(2);
    head.writeUInt16LE(port);
    data.write(head);
    error.write(head);
    try {
      const upstream = await connectPort(port);
      upstreams.set(index * 2, upstream);
      upstream.on('error', () => undefined).pipe(data, { end: false });
    } catch (cause) {
      error.write(`error forwarding port ${port}: ${cause instanceof Error ? cause.message : String(cause)}`);
    }
  }
}

function ended(stream: Duplex): Promise<void> {
  return new Promise((resolve) => stream.once('close', resolve));
}
