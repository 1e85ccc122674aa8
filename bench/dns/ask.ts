import { dig } from '../../src/dns/dig.ts';
import { formatIp } from '../../src/lib/ip.ts';

/** The IPv4 addresses of a name, as the server at a port of 127.0.0.1 answers it; over TCP where they are many. */
export async function answerOf(port: number, name: string): Promise<string[]> {
  const { message } = await dig({ name, type: 'A', server: { address: '127.0.0.1', port }, tcp: true });
  return message.answers.filter(({ rdata }) => rdata.length === 4).map(({ rdata }) => formatIp(rdata));
}
