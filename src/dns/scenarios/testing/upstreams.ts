import type { FakeClock } from '../../../observe/fake-clock.ts';
import type { SocketAddress } from '../../config.ts';
import { readAnswer } from '../../forward/exchange.ts';
import type { ExchangeOptions, Network, Request } from '../../forward/exchange.ts';
import type { Message, Question } from '../../wire/message.ts';
import { formatName } from '../../wire/names.ts';
import { flags, rcodes, typeName } from '../../wire/types.ts';
import { writeMessage } from '../../wire/writer.ts';
import type { MessageToWrite } from '../../wire/writer.ts';

/** What an upstream server does by itself. */
export type Manner =
  /** Waits for the scenario to answer. */
  | 'scripted'
  /** Never answers. */
  | 'down'
  /** Sends every question to the server that it came from. */
  | 'looping';

/** A question on its way to an upstream server. */
interface Asked {
  readonly server: string;
  readonly transport: 'udp' | 'tcp';
  readonly question: Question;
  readonly reply: (packet: Buffer) => void;
  readonly id: number;
}

/** Asks the server under test, as a client at this address. */
export type AskServer = (packet: Buffer, from: string) => Promise<Buffer>;

const probeSuffix = '.fairlead-loop-probe.';

/** Upstream servers that do what a scenario says, at the times of its clock. */
export class ScriptedUpstreams implements Network {
  readonly #clock: FakeClock;
  readonly #askServer: AskServer;
  readonly #manners = new Map<string, Manner>();
  /** Questions that the scenario has not spoken of. */
  readonly #unsaid: Asked[] = [];
  /** Questions that it has, and that have no answer yet. */
  readonly #said: Asked[] = [];

  constructor(clock: FakeClock, askServer: AskServer) {
    this.#clock = clock;
    this.#askServer = askServer;
  }

  readonly udp = (server: SocketAddress, request: Request, options: ExchangeOptions): Promise<Message> =>
    this.#exchange('udp', server, request, options);

  readonly tcp = (server: SocketAddress, request: Request, options: ExchangeOptions): Promise<Message> =>
    this.#exchange('tcp', server, request, options);

  become(server: string, manner: Manner): void {
    this.#manners.set(server, manner);
  }

  /** The oldest question that the scenario has not spoken of, as it would say it. */
  unsaid(): string | undefined {
    const [first] = this.#unsaid;
    return first && textOf(first);
  }

  /** Takes the oldest such question for said. */
  say(): void {
    this.#said.push(...this.#unsaid.splice(0, 1));
  }

  /** Answers the oldest question of a server that the scenario has spoken of; false when there is none. */
  answer(server: string, answer: Partial<MessageToWrite> | 'silence'): boolean {
    const index = this.#said.findIndex((each) => each.server === server);
    const [asked] = index < 0 ? [] : this.#said.splice(index, 1);
    if (asked === undefined) return false;
    if (answer !== 'silence') asked.reply(responseTo(asked, answer));
    return true;
  }

  #exchange(
    transport: Asked['transport'],
    { address }: SocketAddress,
    request: Request,
    { timeoutMs, signal }: ExchangeOptions,
  ): Promise<Message> {
    const { promise, resolve, reject } = Promise.withResolvers<Message>();
    const stop = (): void => reject(new Error('stopped'));
    const timer = this.#clock.after(timeoutMs, () => reject(new Error(`no answer within ${timeoutMs} ms`)));
    signal?.addEventListener('abort', stop, { once: true });
    const reply = (packet: Buffer): void => {
      const answer = readAnswer(packet, request);
      if (answer instanceof Error) reject(answer);
      else if (answer !== undefined) resolve(answer);
    };
    this.#receive({ server: address, transport, question: request.question, id: request.id, reply }, request);
    return promise.finally(() => {
      timer[Symbol.dispose]();
      signal?.removeEventListener('abort', stop);
    });
  }

  #receive(asked: Asked, { packet }: Request): void {
    const manner = this.#manners.get(asked.server) ?? 'scripted';
    if (manner === 'down') return;
    if (manner === 'looping') void this.#askServer(Buffer.from(packet), asked.server).then(asked.reply);
    else if (isProbe(asked.question)) asked.reply(responseTo(asked, { flags: rcodes.NXDOMAIN }));
    else this.#unsaid.push(asked);
  }
}

/** Questions that the server asks for its own sake: for loops, and whether a server is back. */
function isProbe({ name }: Question): boolean {
  const text = formatName(name);
  return text === '.' || text.endsWith(probeSuffix);
}

function textOf({ server, transport, question }: Asked): string {
  const over = transport === 'tcp' ? ' over tcp' : '';
  return `upstream ${server} is asked ${formatName(question.name).slice(0, -1)} ${typeName(question.type)}${over}`;
}

function responseTo({ id, question }: Asked, answer: Partial<MessageToWrite>): Buffer {
  return writeMessage({
    questions: [question],
    ...answer,
    id,
    flags: flags.QR | flags.RD | flags.RA | (answer.flags ?? 0),
  });
}
