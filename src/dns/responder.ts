import type { Logger } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { Client, Transport } from './client.ts';
import type { Answer } from './handlers/handler.ts';
import { createQueryCounts } from './metrics.ts';
import { answerChaos } from './answer-chaos.ts';
import { answerOptions } from './answer-options.ts';
import type { AnswerOptions, Identity } from './answer-options.ts';
import type { Tapped } from './dnstap/message.ts';
import type { Tap } from './dnstap/tap.ts';
import { codeReply } from './reply.ts';
import type { Reply } from './reply.ts';
import { PrebuiltReader } from './prebuilt/reader.ts';
import { serverFinder } from './servers.ts';
import type { Prebuilt, Server } from './servers.ts';
import { ownUdpSize, writeEdns } from './wire/edns.ts';
import type { ThreadSource } from './workers/messages.ts';
import { readQuery } from './wire/query.ts';
import type { Query, Refusal } from './wire/query.ts';
import { transferMessages } from './transfer/messages.ts';
import { readSignature } from './transfer/signature.ts';
import type { Signature } from './transfer/signature.ts';
import { classIn, flags, rcodes } from './wire/types.ts';
import { writeReply } from './write-reply.ts';
import type { Asked } from './write-reply.ts';

/** A reply with what it needs to become a packet for one asker. */
export interface Answered {
  readonly asked: Asked;
  readonly reply: Reply;
  /** Longest packet the asker takes. */
  readonly limit: number;
  /** How the answer is signed; undefined when the question was not. */
  readonly signature?: Signature;
  /** What a collector is to be told of the question; undefined without one. */
  readonly tapped?: Omit<Tapped, 'response' | 'answeredMs'> & { readonly tap: Tap };
}

/** From request packets to answers. */
export interface Responder extends Disposable {
  /**
   * The answer to a packet, now or later; undefined when there must be none. A later answer owns copies of all it needs;
   * one that is ready refers to the packet.
   */
  answer(packet: Buffer, client: Client): Answered | undefined | Promise<Answered | undefined>;
  /**
   * Answers a plain UDP question whose answer is ready: the packet of `length` bytes at `at`, into `out` from `outAt`, where
   * 1232 bytes are free. Returns the length of the answer; 0 when the packet is for `answer`.
   */
  quick(packet: Uint8Array, at: number, length: number, out: Uint8Array, outAt: number): number;
  /** What `quick` answers from, for other threads; undefined when it answers nothing. */
  source(): ThreadSource | undefined;
  /** Counts answers that other threads gave. */
  count(rcode: number, answers: number): void;
  /** Writes an answer into `out` from `at`; returns its length. */
  write(answered: Answered, out: Buffer, at: number): number;
  /** The messages of an answer that is a zone transfer. To be gone through once. */
  messages(answered: Answered): Iterable<Buffer>;
  /** Other servers answer from now on. */
  become(servers: readonly Server[]): void;
  /** Most bytes that `write` may need. */
  size(answered: Answered): number;
}

export interface ResponderOptions {
  /** Of one listener. */
  readonly servers: readonly Server[];
  readonly identity: Identity;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Longest OPT record that this server writes, with the text of an extended error and padding. */
const optSpace = 1024;

export function createResponder({ servers, identity, logger, metrics }: ResponderOptions): Responder {
  let find = serverFinder(servers);
  const refusals = createQueryCounts(metrics, ['refused']);
  let prebuilt = prebuiltOf(servers);
  let hasTap = servers.some(({ tap }) => tap !== undefined);
  /** Of the server that the latest question went to. */
  let latestTap: Tap | undefined;
  let keys = servers.flatMap((server) => server.keys);
  const nowSeconds = (): number => Math.floor(identity.now() / 1000);
  const options = { recursionAvailable: servers.some((server) => server.hasRecursion), turn: 0 };

  function safely(query: Query): Answer {
    try {
      const server = find(query);
      latestTap = server?.tap;
      if (query.class !== classIn) return answerChaos(query, identity);
      if (server === undefined) return notServed(query.client.transport);
      const reply = server.ask(query);
      return reply instanceof Promise ? reply.catch((error: unknown) => failed(error)) : reply;
    } catch (error) {
      return failed(error);
    }
  }

  function notServed(transport: Transport): Reply {
    refusals.add(0, rcodes.REFUSED, transport);
    return codeReply(rcodes.REFUSED);
  }

  function failed(error: unknown): Reply {
    logger.error('a query could not be answered', { error });
    return codeReply(rcodes.SERVFAIL);
  }

  function refuse(refusal: Refusal, transport: Transport): Answered | undefined {
    const { refuse: rcode, id, repeat, question, edns } = refusal;
    if (rcode === 'ignore') return undefined;
    refusals.add(0, rcode, transport);
    return {
      asked: { id, repeat, question: question ?? new Uint8Array(), edns },
      reply: codeReply(rcode),
      limit: limitOf(edns?.udpSize, transport),
    };
  }

  function answer(packet: Buffer, client: Client): Answered | undefined | Promise<Answered | undefined> {
    const query = readQuery(packet, client);
    if ('refuse' in query) return refuse(query, client.transport);
    const extra = answerOptions(query.edns, client, identity);
    if (extra === 'malformed') return refuse(malformed(query), client.transport);
    // Beside an OPT record there is only room for a signature.
    const maySigned = packet.readUInt16BE(10) > (query.edns === undefined ? 0 : 1);
    const signature = maySigned ? readSignature(packet, keys, nowSeconds()) : undefined;
    if (signature === 'malformed') return refuse(malformed(query), client.transport);
    const limit = limitOf(query.edns?.udpSize, client.transport) - (signature?.space ?? 0);
    const reply = signature === undefined ? safely(query) : believed(query, signature);
    if (!(reply instanceof Promise)) {
      return reply.isSilent ? undefined : { asked: askedBy(query, query.question, extra), reply, limit, signature };
    }
    const asked = askedBy(query, Buffer.from(query.question), extra);
    return reply.then((late) => (late.isSilent ? undefined : { asked, reply: late, limit, signature }));
  }

  function believed(query: Query, { key }: Signature): Answer {
    if (key !== undefined) return safely({ ...query, signedBy: key });
    refusals.add(0, rcodes.NOTAUTH, query.client.transport);
    return codeReply(rcodes.NOTAUTH);
  }

  /** The same, with what the collector of the server that answers is to be told. The packet is only valid now. */
  function answerTapped(packet: Buffer, client: Client): Answered | undefined | Promise<Answered | undefined> {
    const askedMs = identity.now();
    latestTap = undefined;
    const answered = answer(packet, client);
    if (latestTap === undefined) return answered;
    const [clientAddress, query] = [client.address(), Buffer.from(packet)];
    const tapped = { tap: latestTap, transport: client.transport, clientAddress, askedMs, query };
    if (answered instanceof Promise) return answered.then((late) => late && { ...late, tapped });
    return answered && { ...answered, tapped };
  }

  return {
    answer: (packet, client) => (hasTap ? answerTapped(packet, client) : answer(packet, client)),
    quick(packet, at, length, out, outAt) {
      if (prebuilt === undefined) return 0;
      const turn = (options.turn + 1) & 0x3fffffff;
      const written = prebuilt.reader.answer(packet, at, length, out, outAt, options.recursionAvailable, turn);
      if (written === 0) return 0;
      options.turn = turn;
      prebuilt.count(prebuilt.reader.rcode, 'udp', 1);
      return written;
    },
    source() {
      if (prebuilt === undefined) return undefined;
      return { memory: prebuilt.memory, recursionAvailable: options.recursionAvailable };
    },
    count: (rcode, answers) => prebuilt?.count(rcode, 'udp', answers),
    write({ asked, reply, limit, tapped, signature }, out, at) {
      options.turn = (options.turn + 1) & 0x3fffffff;
      let length = writeReply(out, at, asked, reply, { limit, ...options });
      if (signature !== undefined) {
        length = signature.append(Buffer.from(out.subarray(at, at + length)), nowSeconds()).copy(out, at);
      }
      if (tapped !== undefined) {
        const response = Buffer.from(out.subarray(at, at + length));
        tapped.tap.tell({ ...tapped, answeredMs: identity.now(), response });
      }
      return length;
    },
    messages: ({ asked, reply: { transfer }, signature, tapped }) => {
      if (transfer === undefined) return [];
      const opt = asked.edns && writeEdns(0, asked.edns.dnssecOk, undefined, asked.options);
      const messages = transferMessages({ id: asked.id, repeat: asked.repeat, transfer, opt });
      return messages.map((plain) => {
        const response = signature?.append(plain, nowSeconds()) ?? plain;
        tapped?.tap.tell({ ...tapped, answeredMs: identity.now(), response });
        return response;
      });
    },
    become(others) {
      hasTap = others.some(({ tap }) => tap !== undefined);
      find = serverFinder(others);
      keys = others.flatMap((server) => server.keys);
      options.recursionAvailable = others.some((server) => server.hasRecursion);
      prebuilt = prebuiltOf(others);
    },
    size: ({ asked, reply, limit, signature }) =>
      Math.min(limit, 12 + asked.question.length + reply.body.length + optSpace) + (signature?.space ?? 0),
    [Symbol.dispose]: () => refusals[Symbol.dispose](),
  };
}

/** What a listener with these servers may answer by itself. */
function prebuiltOf(servers: readonly Server[]): (Prebuilt & { readonly reader: PrebuiltReader }) | undefined {
  const [server, ...others] = servers;
  // Who is told of every question needs the question.
  if (server?.prebuilt === undefined || server.tap !== undefined || others.length > 0) return undefined;
  return { ...server.prebuilt, reader: new PrebuiltReader(server.prebuilt.memory) };
}

function askedBy(query: Query, question: Uint8Array, { bytes, isPadded }: AnswerOptions): Asked {
  const { id, recursionDesired, checkingDisabled, edns } = query;
  const repeat = (recursionDesired ? flags.RD : 0) | (checkingDisabled ? flags.CD : 0);
  return { id, repeat, question, edns, options: bytes, isPadded };
}

function malformed({ id, recursionDesired, question, edns }: Query): Refusal {
  return { refuse: rcodes.FORMERR, id, repeat: recursionDesired ? flags.RD : 0, question, edns };
}

/** UDP: what the asker takes, at least 512, at most what travels without fragments. Streams: 64 KiB. */
function limitOf(udpSize: number | undefined, transport: Transport): number {
  if (transport !== 'udp') return 65_535;
  return Math.min(Math.max(udpSize ?? 512, 512), ownUdpSize);
}
