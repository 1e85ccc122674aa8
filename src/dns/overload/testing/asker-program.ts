/**
 * Asks at a steady rate, whatever is answered: `asker-program.ts ADDRESS PORT RATE SECONDS NAME NUMBERS`. Asks 127.0.0.1 from
 * ADDRESS; `#` in NAME becomes a number below NUMBERS, each in turn. Tells its parent what came back for what was asked after
 * the first second. Questions go in volleys, which cost a fraction of so many calls, so that one core can ask for several times
 * what another can answer.
 */
import { bindUdp, readUdp } from '../../../linux/udp-batch.ts';
import { questionOf } from '../../dig.ts';
import { flags } from '../../wire/types.ts';
import { writeMessage } from '../../wire/writer.ts';

const [address = '', port, rate, seconds, name = '', numbers] = process.argv.slice(2);
const perSecond = Number(rate);
const warmUpMs = 1000;
const endMs = warmUpMs + Number(seconds) * 1000;
/** A millisecond's worth. */
const mostInVolley = Math.max(1, Math.min(32, Math.floor(perSecond / 1000)));
const volleysAtOnce = 8;
/** Above this a timer is too coarse. */
const mostTimed = 20_000;
/** The first question of a volley is timed, and has an id of its own below this; all others have this one. */
const untimed = 0xffff;

/** Questions of the same length, with the next ones behind them. */
interface Volley {
  readonly packets: Buffer;
  readonly packetBytes: number;
  readonly count: number;
}

/** `struct sockaddr_in` of the server. */
const peer = Buffer.alloc(16);
peer.writeUInt16LE(2, 0);
peer.writeUInt16BE(Number(port), 2);
peer.set([127, 0, 0, 1], 4);

/** By the number of the first question. */
const volleys = new Map<number, Volley>();
const mostKept = 20_000;

function volleyFrom(number: number): Volley {
  const kept = volleys.get(number);
  if (kept !== undefined) return kept;
  const packets = [packetOf(number)];
  for (let at = 1; at < mostInVolley && number + at < Number(numbers); at += 1) {
    const packet = packetOf(number + at);
    if (packet.length !== packets[0]?.length) break;
    packets.push(packet);
  }
  // A few names only: each often.
  while (packets.length < mostInVolley && Number(numbers) < mostInVolley) packets.push(Buffer.from(packets[0] ?? ''));
  const volley = { packets: Buffer.concat(packets), packetBytes: packets[0]?.length ?? 0, count: packets.length };
  if (volleys.size < mostKept) volleys.set(number, volley);
  return volley;
}

function packetOf(number: number): Buffer {
  const question = questionOf(name.replace('#', String(number)), 'A');
  return writeMessage({ id: untimed, flags: flags.RD, questions: [question] });
}

/** Several ports, as programs of one host have them. */
const sockets = Array.from({ length: 8 }, () => ({
  socket: bindUdp({ address, port: 0, receiveBufferBytes: 4 << 20 }),
  segmentBytes: 0,
}));
const codes = Array.from({ length: 16 }, () => 0);
const sentAtMs = new Float64Array(untimed);
const latencies: number[] = [];
let countedFrom: number | undefined;
let sent = 0;
let volleysSent = 0;

for (const { socket } of sockets) {
  readUdp(socket.fd, ({ bytes, at }) => {
    if (countedFrom === undefined) return 0;
    const code = (bytes[at + 3] ?? 0) & 15;
    codes[code] = (codes[code] ?? 0) + 1;
    const id = bytes.readUInt16BE(at);
    if (id !== untimed) latencies.push(performance.now() - (sentAtMs[id] ?? 0));
    return 0;
  });
}

const startMs = performance.now();

function tick(): void {
  const nowMs = performance.now() - startMs;
  if (nowMs >= warmUpMs) countedFrom ??= sent;
  if (nowMs >= endMs) return void setTimeout(tell, 50);
  const due = Math.floor((nowMs / 1000) * perSecond);
  for (let volley = 0; volley < volleysAtOnce && sent < due; volley += 1) send(volleyFrom(sent % Number(numbers)));
  if (perSecond > mostTimed) setImmediate(tick);
  else setTimeout(tick, 1);
}

function send({ packets, packetBytes, count }: Volley): void {
  const from = sockets[volleysSent % sockets.length];
  if (from === undefined) return;
  if (from.segmentBytes !== packetBytes) from.socket.sendSegments(packetBytes);
  from.segmentBytes = packetBytes;
  const id = volleysSent % untimed;
  packets.writeUInt16BE(id, 0);
  sentAtMs[id] = performance.now();
  from.socket.send(peer, packets);
  volleysSent += 1;
  sent += count;
}

function tell(): void {
  latencies.sort((a, b) => a - b);
  const p99Ms = latencies[Math.floor(latencies.length * 0.99)] ?? Number.NaN;
  process.send?.({ asked: sent - (countedFrom ?? 0), codes, p99Ms }, () => process.exit());
}

tick();
