/**
 * Asks at a steady rate, whatever is answered: `asker-program.ts ADDRESS PORT RATE SECONDS NAME NUMBERS`. Asks 127.0.0.1 from
 * ADDRESS; `#` in NAME becomes a number below NUMBERS, each in turn. Tells its parent what came back for what was asked after
 * the first second.
 */
import { bindUdp, readUdp } from '../../../linux/udp-batch.ts';
import { questionOf } from '../../dig.ts';
import { flags } from '../../wire/types.ts';
import { writeMessage } from '../../wire/writer.ts';

const [address = '', port, rate, seconds, name = '', numbers] = process.argv.slice(2);
const perSecond = Number(rate);
const warmUpMs = 1000;
const endMs = warmUpMs + Number(seconds) * 1000;
const mostAtOnce = 256;
/** Ids of one in so many questions, whose answers are timed. */
const timedEach = 16;

/** `struct sockaddr_in` of the server. */
const peer = Buffer.alloc(16);
peer.writeUInt16LE(2, 0);
peer.writeUInt16BE(Number(port), 2);
peer.set([127, 0, 0, 1], 4);

const packets = new Map<number, Buffer>();
const mostKept = 20_000;

function packetOf(number: number): Buffer {
  const kept = packets.get(number);
  if (kept !== undefined) return kept;
  const question = questionOf(name.replace('#', String(number)), 'A');
  const packet = writeMessage({ id: 0, flags: flags.RD, questions: [question] });
  if (packets.size < mostKept) packets.set(number, packet);
  return packet;
}

/** Several ports, as programs of one host have them. */
const sockets = Array.from({ length: 8 }, () => bindUdp({ address, port: 0, receiveBufferBytes: 4 << 20 }));
const codes = Array.from({ length: 16 }, () => 0);
const sentAtMs = new Float64Array(0x1_0000);
const latencies: number[] = [];
let countedFrom: number | undefined;
let sent = 0;

for (const socket of sockets) {
  readUdp(socket.fd, ({ bytes, at }) => {
    if (countedFrom === undefined) return 0;
    const code = (bytes[at + 3] ?? 0) & 15;
    codes[code] = (codes[code] ?? 0) + 1;
    const id = bytes.readUInt16BE(at);
    if (id % timedEach === 0) latencies.push(performance.now() - (sentAtMs[id] ?? 0));
    return 0;
  });
}

const startMs = performance.now();

function tick(): void {
  const nowMs = performance.now() - startMs;
  if (nowMs >= warmUpMs) countedFrom ??= sent;
  if (nowMs >= endMs) return void setTimeout(tell, 50);
  const due = Math.min(sent + mostAtOnce, Math.floor((nowMs / 1000) * perSecond));
  for (; sent < due; sent += 1) send(sent);
  setImmediate(tick);
}

function send(number: number): void {
  const id = number & 0xffff;
  const packet = packetOf(number % Number(numbers));
  packet.writeUInt16BE(id, 0);
  sentAtMs[id] = performance.now();
  sockets[number % sockets.length]?.send(peer, packet);
}

function tell(): void {
  latencies.sort((a, b) => a - b);
  const p99Ms = latencies[Math.floor(latencies.length * 0.99)] ?? Number.NaN;
  process.send?.({ asked: sent - (countedFrom ?? 0), codes, p99Ms }, () => process.exit());
}

tick();
