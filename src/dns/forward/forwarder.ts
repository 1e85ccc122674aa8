import type { Clock } from '../../observe/clock.ts';
import type { Logger } from '../../observe/log.ts';
import type { Metrics } from '../../observe/metrics.ts';
import type { CacheSettings, ForwardSettings } from '../settings/settings.ts';
import { FairSlots } from '../overload/fair-slots.ts';
import type { Message, Question } from '../wire/message.ts';
import { formatName, isWithin, nameKey } from '../wire/names.ts';
import type { Name } from '../wire/names.ts';
import { extendedErrors, rcodes, typeName } from '../wire/types.ts';
import { AnswerCache } from './answer-cache.ts';
import type { CacheKey } from './answer-cache.ts';
import type { Network } from './exchange.ts';
import { LoopProbes } from './loop-probes.ts';
import { forwardMetrics, type CacheLabels, type ForwardMetrics } from './metrics.ts';
import { relevantOf } from './relevant.ts';
import type { KeptKind, Resolved, Resolver, ResolverQuestion } from './resolver.ts';
import { ZoneForwarder } from './zone-forwarder.ts';

export interface ForwarderOptions {
  readonly forwards: readonly ForwardSettings[];
  readonly cache: CacheSettings;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly labels: CacheLabels;
  readonly clock: Clock;
  /** Carries questions to servers that are asked over plain UDP and TCP. */
  readonly network: Network;
  /** Numbers in [0, 1); `Math.random` unless given. */
  readonly random?: () => number;
  /** A question is given up after this long: 5000 unless given. */
  readonly deadlineMs?: number;
  /** Told when an upstream is found that sends our questions back to us. */
  readonly onLoop?: (upstream: string) => void;
}

/**
 * Asks upstream servers, with a cache. A name belongs to the longest zone that holds it. Equal questions that come while one
 * is under way wait for its answer; so a question that an upstream sends back to us waits for itself and times out instead
 * of going round.
 */
export function createForwarder(options: ForwarderOptions): Resolver {
  return new Forwarder(options);
}

class Forwarder implements Resolver {
  readonly #zones: readonly ZoneForwarder[];
  readonly #options: ForwarderOptions;
  readonly #cache: AnswerCache;
  readonly #pending = new Map<string, Promise<Resolved>>();
  readonly #slots: FairSlots;
  /** What ends the questions under way. */
  readonly #underWay = new Set<AbortController>();
  #isStopped = false;
  readonly #figures: ForwardMetrics;
  readonly #labels: Readonly<Record<keyof CacheLabels, string>>;
  readonly #updating: Disposable;
  readonly #probes: LoopProbes;
  readonly #byZone: readonly (readonly [Name, ZoneForwarder])[];

  constructor(options: ForwarderOptions) {
    const { forwards, cache, metrics, logger, clock, network, deadlineMs, random = Math.random } = options;
    this.#options = options;
    this.#figures = forwardMetrics(metrics);
    this.#slots = new FairSlots(Math.max(...forwards.map(({ maxConcurrent }) => maxConcurrent)));
    this.#labels = { ...options.labels };
    const figures = this.#figures.cache;
    this.#cache = new AnswerCache(cache, (type) => figures.evictions.inc({ ...this.#labels, type }));
    this.#updating = metrics.beforeRender(() => {
      for (const [type, size] of Object.entries(this.#cache.sizes()))
        figures.entries.set(size, { ...this.#labels, type });
    });
    this.#zones = forwards.map(
      (settings) => new ZoneForwarder({ settings, metrics: this.#figures, logger, random, deadlineMs, clock, network }),
    );
    const upstreams = this.#zones.flatMap((forwarder) => forwarder.upstreams);
    this.#probes = new LoopProbes(upstreams, (upstream) => options.onLoop?.(upstream.name), clock);
    this.#byZone = this.#zones
      .flatMap((forwarder) => forwarder.zones.map((zone) => [zone, forwarder] as const))
      .toSorted(([a], [b]) => b.length - a.length);
  }

  isOwnProbe(key: Name): boolean {
    return this.#probes.isOwn(key);
  }

  findLoops(): Promise<void> {
    return this.#probes.probe();
  }

  noteGiven({ success, denial }: Readonly<Record<KeptKind, number>>): void {
    const { requests, hits } = this.#figures.cache;
    requests.inc(this.#labels, success + denial);
    if (success > 0) hits.inc({ ...this.#labels, type: 'success' }, success);
    if (denial > 0) hits.inc({ ...this.#labels, type: 'denial' }, denial);
  }

  resolve(wanted: ResolverQuestion): Resolved | Promise<Resolved> | undefined {
    const { question, dnssecOk, checkingDisabled, given } = wanted;
    const key = nameKey(question.name);
    const forwarder = this.#byZone.find(([zone, each]) => isWithin(key, zone) && !each.isExcept(key))?.[1];
    if (forwarder === undefined) return undefined;
    const asked: CacheKey = { key, type: question.type, dnssecOk, checkingDisabled };
    const kept = this.#cache.get(asked, this.#options.clock.now(), given);
    const { requests, hits, misses, prefetches } = this.#figures.cache;
    requests.inc(this.#labels);
    if (kept?.isFresh !== true) {
      misses.inc(this.#labels);
      return this.#askOnce(forwarder, wanted, asked, kept?.resolved);
    }
    hits.inc({ ...this.#labels, type: kept.kind });
    if (kept.isDue) {
      prefetches.inc(this.#labels);
      void this.#askOnce(forwarder, wanted, asked, kept.resolved);
    }
    return kept.resolved;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true;
    for (const stop of this.#underWay) stop.abort();
    this.#updating[Symbol.dispose]();
    await Promise.allSettled(this.#pending.values());
    this.#probes[Symbol.dispose]();
    for (const forwarder of this.#zones) forwarder[Symbol.dispose]();
  }

  #askOnce(
    forwarder: ZoneForwarder,
    { question, client }: ResolverQuestion,
    asked: CacheKey,
    stale: Resolved | undefined,
  ): Promise<Resolved> {
    const text = `${asked.type} ${Number(asked.dnssecOk)}${Number(asked.checkingDisabled)} ${asked.key}`;
    const pending = this.#pending.get(text);
    if (pending !== undefined) return pending;
    const stop = new AbortController();
    const slot = this.#slots.take(client.address(), this.#options.clock.monotonic(), () => stop.abort());
    if (slot === undefined) {
      this.#figures.rejected.inc();
      return Promise.resolve(this.#stale(stale, tooMany) ?? failure(tooMany));
    }
    if (this.#isStopped) stop.abort();
    this.#underWay.add(stop);
    const started = this.#ask(forwarder, { question, asked, stale, stop }).finally(() => {
      this.#underWay.delete(stop);
      slot.giveBack();
      this.#pending.delete(text);
    });
    this.#pending.set(text, started);
    return started;
  }

  async #ask(forwarder: ZoneForwarder, { question, asked, stale, stop }: Asking): Promise<Resolved> {
    const { dnssecOk, checkingDisabled } = asked;
    const result = await forwarder.ask({ question, dnssecOk, checkingDisabled, stop });
    const kept = 'message' in result ? this.#keep(asked, question, result.message, result.from) : undefined;
    if (kept !== undefined) return kept;
    const reasons = 'reasons' in result ? result.reasons : [`the aliases that ${result.from} gave have no end`];
    const reason = [...new Set(reasons)].join('; ');
    const old = this.#stale(stale, reason);
    if (old !== undefined) return old;
    this.#options.logger.debug('no upstream answered', {
      name: formatName(question.name),
      type: typeName(question.type),
      reason,
    });
    const failed = failure(reason);
    this.#cache.put(asked, failed, 0, this.#options.clock.now());
    return failed;
  }

  /** An answer whose time is over, when there is one that is better than none. */
  #stale(stale: Resolved | undefined, reason: string): Resolved | undefined {
    if (stale === undefined || stale.rcode === rcodes.SERVFAIL) return undefined;
    this.#figures.cache.stale.inc(this.#labels);
    return { ...stale, error: { code: extendedErrors.staleAnswer, text: reason } };
  }

  /** Undefined for an answer that is none. */
  #keep(asked: CacheKey, question: Question, message: Message, from: string): Resolved | undefined {
    const relevant = relevantOf(message, question);
    if (relevant === undefined) return undefined;
    const { answers, authorities, ttl } = relevant;
    const resolved: Resolved = { rcode: message.rcode, answers, authorities, from };
    this.#cache.put(asked, resolved, ttl, this.#options.clock.now());
    return resolved;
  }
}

const tooMany = 'too many questions are under way';

/** A question under way. */
interface Asking {
  readonly question: Question;
  readonly asked: CacheKey;
  readonly stale: Resolved | undefined;
  readonly stop: AbortController;
}

function failure(reason: string): Resolved {
  const error = { code: extendedErrors.noReachableAuthority, text: reason };
  return { rcode: rcodes.SERVFAIL, answers: [], authorities: [], error, from: 'nobody' };
}
