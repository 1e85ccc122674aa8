import { randomInt } from 'node:crypto';
import { formatIp, parseIp } from '../lib/ip.ts';
import type { SocketAddress } from './config.ts';
import { exchangeTcp, exchangeUdp } from './forward/exchange.ts';
import { formatMessage } from './presentation.ts';
import { writeEdns } from './wire/edns.ts';
import type { Message } from './wire/message.ts';
import { formatName, parseName } from './wire/names.ts';
import type { Name } from './wire/names.ts';
import { classIn, flags, typeName, typeNumber, typeNumbers } from './wire/types.ts';
import { writeMessage } from './wire/writer.ts';
import { reverseName } from './zone.ts';

export interface DigOptions {
  /** A name, or an address to look up in reverse. */
  readonly name: string;
  /** `A` (default; `PTR` for an address), `SRV`, `TYPE65` … in any case. */
  readonly type?: string;
  readonly server: SocketAddress;
  /** Only TCP. */
  readonly tcp?: boolean;
  /** 5000 unless given. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** An answer with how it came. */
export interface DigResult {
  readonly message: Message;
  readonly transport: 'udp' | 'tcp';
  readonly elapsedMs: number;
  /** The question in presentation format. */
  readonly question: string;
}

/**
 * Sends one real query to a server: over UDP, then over TCP when the answer was cut. Throws RangeError for a malformed
 * name or type, and Error when no answer comes.
 */
export async function dig(options: DigOptions): Promise<DigResult> {
  const { server, timeoutMs = 5000, signal, tcp = false } = options;
  const question = questionOf(options.name, options.type);
  const id = randomInt(0x10000);
  const packet = writeMessage({ id, flags: flags.RD | flags.AD, questions: [question], opt: writeEdns(0, false) });
  const request = { packet, id, question };
  const started = performance.now();
  const result = (message: Message, transport: 'udp' | 'tcp'): DigResult => ({
    message,
    transport,
    elapsedMs: performance.now() - started,
    question: `${formatName(question.name)} ${typeName(question.type)}`,
  });
  if (!tcp) {
    const message = await exchangeUdp(server, request, { timeoutMs, signal });
    if ((message.flags & flags.TC) === 0) return result(message, 'udp');
  }
  return result(await exchangeTcp(server, request, { timeoutMs, signal }), 'tcp');
}

/** What a user's words ask for. Throws RangeError when they are no name or type. */
export function questionOf(text: string, type?: string): { name: Name; type: number; class: number } {
  const address = parseIp(text);
  const isReverse = address !== undefined && (type === undefined || type.toUpperCase() === 'PTR');
  const name = isReverse ? reverseName(formatIp(address)) : parseName(text);
  if (name === undefined) throw new RangeError(`"${text}" is no domain name`);
  const number = type === undefined ? (isReverse ? typeNumbers.PTR : typeNumbers.A) : typeNumber(type);
  if (number === undefined) throw new RangeError(`"${type}" is no record type`);
  return { name, type: number, class: classIn };
}

/** The result as lines, in the manner of dig. */
export function formatDig({ message, transport, elapsedMs }: DigResult, { address, port }: SocketAddress): string[] {
  return [
    ...formatMessage(message),
    '',
    `;; Query time: ${elapsedMs.toFixed(1)} ms`,
    `;; SERVER: ${address}#${port} (${transport.toUpperCase()})`,
  ];
}
