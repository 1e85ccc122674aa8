import { randomInt } from 'node:crypto';
import type { Logger } from '../../observe/log.ts';
import type { Metrics } from '../../observe/metrics.ts';
import type { SocketAddress } from '../config.ts';
import { writeEdns } from '../wire/edns.ts';
import type { Message, Question } from '../wire/message.ts';
import { formatName, nameKey } from '../wire/names.ts';
import { extendedErrors, flags, rcodeName, rcodes, typeName } from '../wire/types.ts';
import { writeMessage } from '../wire/writer.ts';
import { AnswerCache } from './answer-cache.ts';
import { exchange } from './exchange.ts';
import { relevantOf } from './relevant.ts';
import type { Resolved, Resolver } from './resolver.ts';

export interface ForwarderOptions {
  /** Asked in this order; those that failed lately come last. Not empty. */
  readonly upstreams: readonly SocketAddress[];
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** For one attempt: 1500 unless given. */
  readonly timeoutMs?: number;
  /** Attempts for one question over all upstreams: 3 unless given. */
  readonly attempts?: number;
  /** Questions under way at once; more get SERVFAIL: 1000 unless given. */
  readonly maxPending?: number;
  /** Answers kept: 10000 unless given. */
  readonly cacheCapacity?: number;
}

/** An upstream that failed is asked last for this long. */
const avoidMs = 5000;
/** A question nobody could answer is not asked again for this long (RFC 9520). */
const failureSeconds = 2;

/**
 * Asks upstream servers, with a cache. Equal questions that come while one is under way wait for its answer; so a question
 * that an upstream sends back to us waits for itself and times out instead of going round.
 */
export function createForwarder(options: ForwarderOptions): Resolver {
  return new Forwarder(options);
}

class Forwarder implements Resolver {
  readonly #options: ForwarderOptions;
  readonly #cache: AnswerCache;
  readonly #pending = new Map<string, Promise<Resolved>>();
  readonly #avoidUntil = new Map<SocketAddress, number>();
  readonly #stop = new AbortController();
  readonly #figures: ReturnType<typeof forwardMetrics>;

  constructor(options: ForwarderOptions) {
    this.#options = options;
    this.#cache = new AnswerCache(options.cacheCapacity ?? 10_000);
    this.#figures = forwardMetrics(options.metrics, () => this.#cache.size);
  }

  async resolve(question: Question, dnssecOk: boolean, checkingDisabled: boolean): Promise<Resolved> {
    const key = `${question.type} ${Number(dnssecOk)}${Number(checkingDisabled)} ${nameKey(question.name)}`;
    const kept = this.#cache.get(key, this.#options.now());
    if (kept?.isFresh) {
      this.#figures.hits.inc();
      return kept.resolved;
    }
    const pending = this.#pending.get(key);
    if (pending !== undefined) return pending;
    if (this.#pending.size >= (this.#options.maxPending ?? 1000)) return failure('too many questions are under way');
    const asked = this.#ask(question, dnssecOk, checkingDisabled, key, kept?.resolved).finally(() =>
      this.#pending.delete(key),
    );
    this.#pending.set(key, asked);
    return asked;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await Promise.allSettled(this.#pending.values());
  }

  async #ask(
    question: Question,
    dnssecOk: boolean,
    checkingDisabled: boolean,
    key: string,
    stale: Resolved | undefined,
  ): Promise<Resolved> {
    const attempts = this.#options.attempts ?? 3;
    const order = this.#order();
    let reason = '';
    for (let i = 0; i < attempts && !this.#stop.signal.aborted; i += 1) {
      const upstream = order[i % order.length];
      if (upstream === undefined) break;
      const answer = await this.#attempt(upstream, question, dnssecOk, checkingDisabled);
      if (typeof answer !== 'string') return this.#keep(key, question, answer, upstream);
      reason = answer;
    }
    if (stale !== undefined && stale.rcode !== rcodes.SERVFAIL) {
      const error = { code: extendedErrors.staleAnswer, text: reason };
      return { ...stale, error };
    }
    this.#options.logger.debug('no upstream answered', {
      name: formatName(question.name),
      type: typeName(question.type),
      reason,
    });
    const failed = failure(reason);
    this.#cache.put(key, failed, failureSeconds, this.#options.now());
    return failed;
  }

  /** The answer, or why there is none. */
  async #attempt(
    upstream: SocketAddress,
    question: Question,
    dnssecOk: boolean,
    checkingDisabled: boolean,
  ): Promise<Message | string> {
    const id = randomInt(0x10000);
    const packet = writeMessage({
      id,
      flags: flags.RD | (checkingDisabled ? flags.CD : 0),
      questions: [question],
      opt: writeEdns(0, dnssecOk),
    });
    const started = this.#options.now();
    const label = { upstream: upstream.address };
    try {
      const timeoutMs = this.#options.timeoutMs ?? 1500;
      const answer = await exchange(upstream, { packet, id, question }, { timeoutMs, signal: this.#stop.signal });
      this.#figures.seconds.observe((this.#options.now() - started) / 1000, label);
      if (answer.rcode === rcodes.NOERROR || answer.rcode === rcodes.NXDOMAIN) return answer;
      this.#figures.failures.inc(label);
      return `${upstream.address} answered ${rcodeName(answer.rcode)}`;
    } catch (error) {
      this.#figures.failures.inc(label);
      this.#avoidUntil.set(upstream, this.#options.now() + avoidMs);
      return error instanceof Error ? error.message : String(error);
    }
  }

  #keep(key: string, question: Question, message: Message, upstream: SocketAddress): Resolved {
    const { answers, authorities, ttl } = relevantOf(message, question);
    const resolved: Resolved = { rcode: message.rcode, answers, authorities, from: upstream.address };
    this.#cache.put(key, resolved, ttl, this.#options.now());
    return resolved;
  }

  /** In the given order, those that failed lately behind the others. */
  #order(): readonly SocketAddress[] {
    const now = this.#options.now();
    const isAvoided = (upstream: SocketAddress): number => Number((this.#avoidUntil.get(upstream) ?? 0) > now);
    return this.#options.upstreams.toSorted((a, b) => isAvoided(a) - isAvoided(b));
  }
}

function failure(reason: string): Resolved {
  const error = { code: extendedErrors.noReachableAuthority, text: reason };
  return { rcode: rcodes.SERVFAIL, answers: [], authorities: [], error, from: 'nobody' };
}

function forwardMetrics(metrics: Metrics, cacheSize: () => number) {
  metrics.observed({ name: 'fairlead_dns_cache_answers', help: 'Upstream answers kept.' }, cacheSize);
  return {
    hits: metrics.counter({
      name: 'fairlead_dns_cache_hits_total',
      help: 'Questions answered from upstream answers kept.',
    }),
    failures: metrics.counter({
      name: 'fairlead_dns_upstream_failures_total',
      help: 'Attempts that an upstream did not answer, or answered with an error.',
      labels: ['upstream'],
    }),
    seconds: metrics.histogram({
      name: 'fairlead_dns_upstream_seconds',
      help: 'Time until an upstream answered.',
      labels: ['upstream'],
    }),
  };
}
