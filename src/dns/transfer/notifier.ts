import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import type { Logger } from '../../observe/log.ts';
import type { SocketAddress } from '../config.ts';
import { zoneTest } from '../handlers/answer-from-cluster.ts';
import type { TransferSettings, TsigKey } from '../settings/settings.ts';
import type { ResourceRecord } from '../wire/message.ts';
import { formatName } from '../wire/names.ts';
import { soaNumbers } from '../wire/rdata.ts';
import { classIn, flags, typeNumbers } from '../wire/types.ts';
import { writeMessage } from '../wire/writer.ts';
import { Signer } from './tsig.ts';
import type { TransferZone } from './zones.ts';

/** Zones are looked at this often, so that many changes are told once. */
const lookEveryMs = 1000;
/** Times that a change is told to one who does not answer: after 2, 4, 8 and 16 more seconds. */
const mostTries = 5;
const opcodeNotify = 4 << 11;

/** Tells other servers that zones have changed (NOTIFY, RFC 1996). */
export class Notifier implements Disposable {
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #logger: Logger;
  readonly #told: readonly Told[];
  readonly #sockets = new Map<'udp4' | 'udp6', Socket>();

  constructor(settings: readonly TransferSettings[], zones: readonly TransferZone[], logger: Logger) {
    this.#logger = logger;
    this.#told = settings.flatMap((each) => toldOf(each, zones));
    if (this.#told.length > 0) this.#timer = setInterval(() => this.#look(), lookEveryMs).unref();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    for (const socket of this.#sockets.values()) socket.close();
    this.#sockets.clear();
  }

  #look(): void {
    const now = Date.now();
    for (const told of this.#told) {
      const soa = told.zone.current()?.soa;
      if (soa === undefined) continue;
      const { serial } = soaNumbers(soa.rdata);
      if (told.serial !== serial) Object.assign(told, { serial, tries: 0, nextMs: now, isAcknowledged: false });
      if (!told.isAcknowledged && told.nextMs <= now) this.#tell(told, soa, now);
    }
  }

  #tell(told: Told, soa: ResourceRecord, now: number): void {
    const { zone, to, key } = told;
    if (told.tries === mostTries) {
      told.isAcknowledged = true;
      this.#logger.warn('a server does not answer that a zone has changed', { zone: formatName(zone.name), to });
      return;
    }
    told.tries += 1;
    told.nextMs = now + 1000 * 2 ** told.tries;
    told.id = randomInt(0x1_0000);
    const questions = [{ name: zone.name, type: typeNumbers.SOA, class: classIn }];
    const plain = writeMessage({ id: told.id, flags: opcodeNotify | flags.AA, questions, answers: [soa] });
    const message = key === undefined ? plain : new Signer(key).sign(plain, Math.floor(now / 1000));
    this.#socket(to.address.includes(':') ? 'udp6' : 'udp4').send(message, to.port, to.address, () => undefined);
  }

  #socket(type: 'udp4' | 'udp6'): Socket {
    const known = this.#sockets.get(type);
    if (known !== undefined) return known;
    const socket = createSocket({ type, lookup: (host, _, done) => done(null, host, type === 'udp4' ? 4 : 6) });
    socket.on('error', () => undefined);
    socket.on('message', (packet, { address, port }) => this.#acknowledge(packet, address, port));
    this.#sockets.set(type, socket.unref());
    return socket;
  }

  #acknowledge(packet: Buffer, address: string, port: number): void {
    if (packet.length < 12 || (packet.readUInt16BE(2) & 0xf800) !== (flags.QR | opcodeNotify)) return;
    const id = packet.readUInt16BE(0);
    const told = this.#told.find(({ to, ...each }) => each.id === id && to.address === address && to.port === port);
    if (told !== undefined) told.isAcknowledged = true;
  }
}

/** What one server was told of one zone. */
interface Told {
  readonly zone: TransferZone;
  readonly to: SocketAddress;
  readonly key: TsigKey | undefined;
  serial: number | undefined;
  tries: number;
  /** Unix milliseconds. */
  nextMs: number;
  id: number | undefined;
  isAcknowledged: boolean;
}

function toldOf({ zones: names, notify, keys }: TransferSettings, zones: readonly TransferZone[]): Told[] {
  const isOfRule = zoneTest(names);
  return zones
    .filter(({ name }) => isOfRule(name))
    .flatMap((zone) =>
      notify.map((to) => ({
        zone,
        to,
        key: keys[0],
        serial: undefined,
        tries: 0,
        nextMs: 0,
        id: undefined,
        isAcknowledged: true,
      })),
    );
}
