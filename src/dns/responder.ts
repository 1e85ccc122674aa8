import type { Logger } from '../observe/log.ts';
import type { Client, Transport } from './client.ts';
import type { Answer } from './handlers/handler.ts';
import { pluginNumber } from './coredns-names.ts';
import { ListenerTallies } from './listener-tallies.ts';
import type { QueryCounts } from './metrics.ts';
import type { CountedQuestion, QueryTally } from './query-tally.ts';
import { answerChaos } from './answer-chaos.ts';
import { answerOptions, noAnswerOptions } from './answer-options.ts';
import type { AnswerOptions, Identity } from './answer-options.ts';
import type { Tapped } from './dnstap/message.ts';
import type { Tap } from './dnstap/tap.ts';
import { OwnNames } from './overload/own-names.ts';
import { codeReply } from './reply.ts';
import type { Reply } from './reply.ts';
import { PrebuiltReader, type PrebuiltMemory } from './prebuilt/reader.ts';
import { serverFinder } from './servers.ts';
import type { ServedZone, Server } from './servers.ts';
import type { ListenSettings } from './settings/settings.ts';
import type { Shadow } from './shadow/shadow.ts';
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
  /** How it is counted once it is written. */
  readonly counted: Counted;
}

/** A question that is counted with its answer. */
interface Counted extends CountedQuestion {
  /** Of who answers. */
  readonly plugin: number;
  readonly tally: QueryTally;
  readonly startedMs: number;
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
  /** What `quick` has answered since the last call is on its way. */
  sent(): void;
  /** Has the shadow follow a question that another thread answered. */
  follow(packet: Buffer, client: Client): void;
  /** What `quick` answers from, for other threads; undefined when it answers nothing. */
  source(): ThreadSource | undefined;
  /** Whether a packet asks for a name that is known here: such questions come before those about names of others. */
  isOwn(packet: Uint8Array, at: number, length: number): boolean;
  /** Counts questions that were too many: one unless told otherwise. */
  dropped(count?: number): void;
  /** What another thread counts its answers in. */
  openTally(): QueryTally;
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
  readonly where: ListenSettings;
  readonly identity: Identity;
  readonly logger: Logger;
  readonly counts: QueryCounts;
  /** Compares answers with those of another server. */
  readonly shadow?: Shadow;
}

/** Longest OPT record that this server writes, with the text of an extended error and padding. */
const optSpace = 1024;

const clusterPlugin = pluginNumber('cluster');
const cachePlugin = pluginNumber('cache');
const chaosPlugin = pluginNumber('chaos');
/** What the server itself answers. */
const noPlugin = pluginNumber('refused');

export function createResponder({ servers, identity, logger, counts, where, shadow }: ResponderOptions): Responder {
  let find = serverFinder(servers);
  const tallies = new ListenerTallies(where, counts);
  let prebuilt = prebuiltOf(servers, tallies, identity.now);
  let own = ownNamesOf(servers);
  let hasTap = servers.some(({ tap }) => tap !== undefined);
  /** Of the question at hand: who answers it, and where it belongs. */
  let plugin = noPlugin;
  let zone: ServedZone | undefined;
  let keys = servers.flatMap((server) => server.keys);
  const nowSeconds = (): number => Math.floor(identity.now() / 1000);
  const writing = { recursionAvailable: servers.some((server) => server.hasRecursion), turn: 0 };

  function safely(query: Query): Answer {
    plugin = noPlugin;
    zone = undefined;
    try {
      zone = find(query);
      if (query.class !== classIn) {
        plugin = chaosPlugin;
        return answerChaos(query, identity);
      }
      if (zone === undefined) return codeReply(rcodes.REFUSED);
      const reply = ask(zone.server, query);
      plugin = zone.server.answeredBy();
      return reply;
    } catch (error) {
      return failed(error);
    }
  }

  /** An error of a handler is an answer too. */
  function ask(server: Server, query: Query): Answer {
    try {
      const reply = server.ask(query);
      return reply instanceof Promise ? reply.catch((error: unknown) => failed(error)) : reply;
    } catch (error) {
      return failed(error);
    }
  }

  function failed(error: unknown): Reply {
    counts.failed();
    logger.error('a query could not be answered', { error });
    return codeReply(rcodes.SERVFAIL);
  }

  function refuse(refusal: Refusal, client: Client, requestBytes: number, startedMs: number): Answered | undefined {
    const { refuse: rcode, id, repeat, question, edns } = refusal;
    if (rcode === 'ignore') return undefined;
    // What options of another version mean is not known (RFC 6891 6.1.3).
    const extra = rcode === rcodes.BADVERS ? noAnswerOptions : answerOptions(edns, client, identity);
    const type = question?.readUInt16BE(question.length - 4) ?? 0;
    const tally = tallies.of(undefined, client.transport);
    return {
      asked: {
        id,
        repeat,
        question: question ?? new Uint8Array(),
        edns,
        ...(extra === 'malformed' ? {} : { options: extra.bytes, isPadded: extra.isPadded }),
      },
      reply: codeReply(refusalCode(rcode, extra)),
      limit: limitOf(edns?.udpSize, client.transport),
      counted: { tally, type, plugin: noPlugin, dnssecOk: edns?.dnssecOk ?? false, requestBytes, startedMs },
    };
  }

  function answer(packet: Buffer, client: Client): Answered | undefined | Promise<Answered | undefined> {
    const startedMs = performance.now();
    const query = readQuery(packet, client);
    if ('refuse' in query) return refuse(query, client, packet.length, startedMs);
    const extra = answerOptions(query.edns, client, identity);
    if (extra === 'malformed') return refuse(malformed(query), client, packet.length, startedMs);
    // Beside an OPT record there is only room for a signature.
    const maySigned = packet.readUInt16BE(10) > (query.edns === undefined ? 0 : 1);
    const signature = maySigned ? readSignature(packet, keys, nowSeconds()) : undefined;
    if (signature === 'malformed') return refuse(malformed(query), client, packet.length, startedMs);
    const limit = limitOf(query.edns?.udpSize, client.transport) - (signature?.space ?? 0);
    const reply = signature === undefined ? safely(query) : believed(query, signature);
    const counted: Counted = {
      tally: tallies.of(zone, client.transport),
      type: query.type,
      plugin,
      dnssecOk: query.edns?.dnssecOk ?? false,
      requestBytes: packet.length,
      startedMs,
    };
    if (zone !== undefined && signature === undefined && query.class === classIn && shadow?.chooses())
      followAnswered(query, reply, zone, plugin);
    if (!(reply instanceof Promise)) {
      if (reply.isSilent) return silent(counted, reply);
      return { asked: askedBy(query, query.question, extra), reply, limit, signature, counted };
    }
    const asked = askedBy(query, Buffer.from(query.question), extra);
    return reply.then((late) =>
      late.isSilent ? silent(counted, late) : { asked, reply: late, limit, signature, counted },
    );
  }

  function followAnswered(query: Query, reply: Answer, { server }: ServedZone, by: number): void {
    const own = ownCopy(query, query.client.address());
    shadow?.follow(query.type, () => ({ ...followedBy(server), query: own, reply, plugin: by }));
  }

  /** The same of a question that was answered without being read. */
  function followPacket(packet: Buffer, address: string, type: number): void {
    shadow?.follow(type, () => {
      const query = readQuery(packet, { transport: 'udp', address: () => address });
      const server = 'refuse' in query ? undefined : find(query)?.server;
      if ('refuse' in query || server === undefined) return undefined;
      const reply = ask(server, query);
      return { ...followedBy(server), query, reply, plugin: server.answeredBy() };
    });
  }

  /** What the shadow asks a server by. */
  function followedBy(server: Server) {
    return { handlers: server.handlers, ask: (query: Query) => ask(server, query), answeredBy: server.answeredBy };
  }

  function silent(counted: Counted, reply: Reply): undefined {
    count(counted, reply, 0);
  }

  function believed(query: Query, { key }: Signature): Answer {
    if (key !== undefined) return safely({ ...query, signedBy: key });
    plugin = noPlugin;
    zone = undefined;
    return codeReply(rcodes.NOTAUTH);
  }

  /** A function, because the compiler does not see that answering changes it. */
  function zoneAtHand(): ServedZone | undefined {
    return zone;
  }

  /** The same, with what the collector of the server that answers is to be told. The packet is only valid now. */
  function answerTapped(packet: Buffer, client: Client): Answered | undefined | Promise<Answered | undefined> {
    const askedMs = identity.now();
    zone = undefined;
    const answered = answer(packet, client);
    const tap = zoneAtHand()?.server.tap;
    if (tap === undefined) return answered;
    const [clientAddress, query] = [client.address(), Buffer.from(packet)];
    const tapped = { tap, transport: client.transport, clientAddress, askedMs, query };
    if (answered instanceof Promise) return answered.then((late) => late && { ...late, tapped });
    return answered && { ...answered, tapped };
  }

  return {
    answer: (packet, client) => (hasTap ? answerTapped(packet, client) : answer(packet, client)),
    quick(packet, at, length, out, outAt) {
      if (prebuilt === undefined) return 0;
      const turn = (writing.turn + 1) & 0x3fffffff;
      const { reader, tally } = prebuilt;
      const written = reader.answer(packet, at, length, out, outAt, writing.recursionAvailable, turn);
      if (written === 0) return 0;
      writing.turn = turn;
      const by = reader.isOthers ? cachePlugin : clusterPlugin;
      tally.countInBatch(reader.type, by, reader.rcode, reader.dnssecOk, length, written);
      // No handler that asks for the address stands before what is prebuilt.
      if (shadow?.chooses()) followPacket(Buffer.from(packet.subarray(at, at + length)), '', reader.type);
      return written;
    },
    follow: (packet, client) => followPacket(Buffer.from(packet), client.address(), 0),
    sent: () => prebuilt?.tally.endBatch(),
    source() {
      if (prebuilt === undefined) return undefined;
      return {
        memory: prebuilt.memory,
        recursionAvailable: writing.recursionAvailable,
        shadowShare: shadow?.share ?? 0,
      };
    },
    openTally: () => tallies.open('.', '', 'udp'),
    isOwn: (packet, at, length) => own.has(packet, at, length),
    dropped: (count) => counts.dropped(count),
    write({ asked, reply, limit, tapped, signature, counted }, out, at) {
      writing.turn = (writing.turn + 1) & 0x3fffffff;
      let length = writeReply(out, at, asked, reply, { limit, ...writing });
      if (signature !== undefined) {
        length = signature.append(Buffer.from(out.subarray(at, at + length)), nowSeconds()).copy(out, at);
      }
      if (tapped !== undefined) {
        const response = Buffer.from(out.subarray(at, at + length));
        tapped.tap.tell({ ...tapped, answeredMs: identity.now(), response });
      }
      count(counted, reply, length);
      return length;
    },
    messages: ({ asked, reply, signature, tapped, counted }) => {
      const { transfer } = reply;
      if (transfer === undefined) return [];
      const opt = asked.edns && writeEdns(0, asked.edns.dnssecOk, undefined, asked.options);
      const messages = transferMessages({ id: asked.id, repeat: asked.repeat, transfer, opt });
      return messages.map((plain, index) => {
        const response = signature?.append(plain, nowSeconds()) ?? plain;
        if (index === 0) count(counted, reply, response.length);
        tapped?.tap.tell({ ...tapped, answeredMs: identity.now(), response });
        return response;
      });
    },
    become(others) {
      hasTap = others.some(({ tap }) => tap !== undefined);
      find = serverFinder(others);
      keys = others.flatMap((server) => server.keys);
      writing.recursionAvailable = others.some((server) => server.hasRecursion);
      prebuilt = prebuiltOf(others, tallies, identity.now);
      own = ownNamesOf(others);
    },
    size: ({ asked, reply, limit, signature }) =>
      Math.min(limit, 12 + asked.question.length + reply.body.length + optSpace) + (signature?.space ?? 0),
    [Symbol.dispose]: () => tallies[Symbol.dispose](),
  };
}

function count(counted: Counted, { rcode, isCached }: Reply, responseBytes: number): void {
  const tookSeconds = (performance.now() - counted.startedMs) / 1000;
  counted.tally.count(counted, isCached ? cachePlugin : counted.plugin, rcode, responseBytes, tookSeconds);
}

/** What a listener answers by itself. */
interface QuickAnswers {
  readonly memory: PrebuiltMemory;
  readonly reader: PrebuiltReader;
  readonly tally: QueryTally;
}

function ownNamesOf(servers: readonly Server[]): OwnNames {
  return new OwnNames(servers.flatMap(({ ownZones }) => ownZones));
}

function prebuiltOf(servers: readonly Server[], tallies: ListenerTallies, now: () => number): QuickAnswers | undefined {
  const [server, ...others] = servers;
  const memory = server?.prebuilt;
  // Who is told of every question needs the question.
  if (memory === undefined || server?.tap !== undefined || others.length > 0) return undefined;
  return { memory, reader: new PrebuiltReader(memory, now), tally: tallies.shared('.', '', 'udp') };
}

function askedBy(query: Query, question: Uint8Array, { bytes, isPadded }: AnswerOptions): Asked {
  const { id, recursionDesired, checkingDisabled, edns } = query;
  const repeat = (recursionDesired ? flags.RD : 0) | (checkingDisabled ? flags.CD : 0);
  return { id, repeat, question, edns, options: bytes, isPadded };
}

/** A question that outlives its packet. */
function ownCopy(query: Query, address: string): Query {
  const { transport } = query.client;
  return { ...query, question: Buffer.from(query.question), client: { transport, address: () => address } };
}

/** Malformed options come before all else; only an asker without a question is told that its cookie is bad (RFC 7873 5.4). */
function refusalCode(rcode: number, extra: AnswerOptions | 'malformed'): number {
  if (extra === 'malformed') return rcodes.FORMERR;
  return rcode === rcodes.NOERROR && extra.hasBadCookie ? rcodes.BADCOOKIE : rcode;
}

function malformed({ id, recursionDesired, question, edns }: Query): Refusal {
  return { refuse: rcodes.FORMERR, id, repeat: recursionDesired ? flags.RD : 0, question, edns };
}

/** UDP: what the asker takes, at least 512, at most what travels without fragments. Streams: 64 KiB. */
function limitOf(udpSize: number | undefined, transport: Transport): number {
  if (transport !== 'udp') return 65_535;
  return Math.min(Math.max(udpSize ?? 512, 512), ownUdpSize);
}
