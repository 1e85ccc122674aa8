import { createSocket } from 'node:dgram';
import { createServer, type Socket } from 'node:net';
import { serveSctp } from '../../linux/sctp.ts';
import { sendTcpSegments } from '../../linux/tcp-segment.ts';
import type { HostTask } from './hosts.ts';

/** The port that servers have unless a case says otherwise. */
export const targetPort = 8080;

/** What long requests are filled with; any other byte ends a request. */
const filling = 'x'.charCodeAt(0);

/** The last peer over TCP, for `sendStraySegments`. */
let lastPeer: Socket | undefined;

/** Answers each request with the machine's name, the address it sees and how many bytes came: `NAME ADDRESS BYTES`. */
export async function serve(name: string, task: HostTask & { readonly kind: 'serve' }): Promise<readonly string[]> {
  const { addresses, ports, protocols, namesPorts } = task;
  for (const address of addresses) {
    for (const port of ports) {
      const title = port === targetPort || namesPorts !== true ? name : `${name}:${port}`;
      if (protocols.includes('TCP')) await serveTcp(title, address, port);
      if (protocols.includes('UDP')) await serveUdp(title, address, port);
      if (protocols.includes('SCTP')) serveSctp(address, port, title);
    }
  }
  return [];
}

function serveTcp(title: string, address: string, port: number): Promise<void> {
  const server = createServer((socket) => {
    lastPeer = socket;
    let bytes = 0;
    socket.on('error', () => socket.destroy());
    socket.on('data', (data) => {
      bytes += data.length;
      if (data.at(-1) === filling) return;
      socket.write(`${title} ${socket.remoteAddress ?? ''} ${bytes}\n`);
      bytes = 0;
    });
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, resolve);
  });
}

function serveUdp(title: string, address: string, port: number): Promise<void> {
  const udp = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  udp.on('message', (data, peer) => udp.send(`${title} ${peer.address} ${data.length}`, peer.port, peer.address));
  return new Promise((resolve, reject) => {
    udp.once('error', reject);
    udp.bind(port, address, resolve);
  });
}

/**
 * Sends the last TCP peer segments of their connection whose sequence numbers lie all around the circle, so that at
 * least all but one are out of its window.
 */
export function sendStraySegments(): readonly string[] {
  const { localAddress = '', localPort = 0, remoteAddress = '', remotePort = 0 } = lastPeer ?? {};
  const quarters = [0, 0x40000000, 0x80000000, 0xc0000000];
  sendTcpSegments({ address: localAddress, port: localPort }, { address: remoteAddress, port: remotePort }, quarters);
  return ['sent'];
}
