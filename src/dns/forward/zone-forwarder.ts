import { every } from '../../observe/clock.ts';
import type { Clock } from '../../observe/clock.ts';
import type { Logger } from '../../observe/log.ts';
import type { ForwardSettings, UpstreamSettings } from '../settings/settings.ts';
import { isWithin, parseKey } from '../wire/names.ts';
import type { Name } from '../wire/names.ts';
import type { Message, Question } from '../wire/message.ts';
import { rcodeName, rcodes, typeNumbers } from '../wire/types.ts';
import { exchange as exchangeDatagrams } from './exchange.ts';
import type { Exchange, Network } from './exchange.ts';
import { healthLabels, type ForwardMetrics } from './metrics.ts';
import { httpsExchange } from './https.ts';
import { UpstreamOrder } from './order.ts';
import { race } from './race.ts';
import { streamExchange } from './stream.ts';
import { Upstream } from './upstream.ts';

/** A question is given up after this long over all attempts, unless told otherwise. */
const defaultDeadlineMs = 5000;
/** Attempts for one question at least, so that a single upstream gets another chance. */
const leastAttempts = 3;

export interface ZoneForwarderOptions {
  readonly settings: ForwardSettings;
  readonly metrics: ForwardMetrics;
  readonly logger: Logger;
  /** Numbers in [0, 1). */
  readonly random: () => number;
  readonly deadlineMs: number | undefined;
  readonly clock: Clock;
  readonly network: Network;
}

/** What one question to the upstream servers of a zone needs to say. */
export interface ForwardedQuestion {
  readonly question: Question;
  readonly dnssecOk: boolean;
  readonly checkingDisabled: boolean;
  /** Ends all that is done for the question. */
  readonly stop: AbortController;
}

/** An answer with the name of the upstream that gave it, or why there is none. */
export type Forwarded = { readonly message: Message; readonly from: string } | { readonly reasons: readonly string[] };

/** The upstream servers of some zones. Disposing of it closes what it keeps open. */
export class ZoneForwarder implements Disposable {
  readonly zones: readonly Name[];
  readonly upstreams: readonly Upstream[];
  readonly #except: readonly Name[];
  readonly #order: UpstreamOrder;
  readonly #options: ZoneForwarderOptions;
  readonly #stack = new DisposableStack();

  constructor(options: ZoneForwarderOptions) {
    const { settings, random, clock } = options;
    this.#options = options;
    this.zones = settings.zones.map(readZone);
    this.#except = settings.except.map(readZone);
    this.upstreams = settings.upstreams.map((each) => new Upstream(each, this.#exchangeWith(each), clock));
    this.#order = new UpstreamOrder(this.upstreams, settings.policy, random);
    if (settings.healthCheckMs > 0) this.#checkHealth(settings.healthCheckMs);
  }

  /** Whether names below a zone are left to others. */
  isExcept(key: Name): boolean {
    return this.#except.some((zone) => isWithin(key, zone));
  }

  /** Asks until an upstream gives a usable answer; SERVFAIL, REFUSED and the like are asked for elsewhere. */
  async ask({ question, dnssecOk, checkingDisabled, stop }: ForwardedQuestion): Promise<Forwarded> {
    const order = this.#order.next();
    if (order.length === 0) return { reasons: ['every upstream server sends our questions back to us'] };
    if (order.every(({ isAside }) => isAside)) this.#options.metrics.allAside.inc();
    const { deadlineMs = defaultDeadlineMs, clock } = this.#options;
    const attempts = Math.max(leastAttempts, order.length);
    const chosen = Array.from({ length: attempts }, (_, index) => order[index % order.length]).filter(
      (each) => each !== undefined,
    );
    const startedMs = clock.monotonic();
    const leftMs = (): number => Math.max(1, Math.ceil(deadlineMs - (clock.monotonic() - startedMs)));
    const runners = chosen.map((upstream) => ({
      patienceMs: upstream.patienceMs,
      start: (signal: AbortSignal) =>
        this.#attempt(upstream, question, { dnssecOk, checkingDisabled, timeoutMs: leftMs(), signal }),
    }));
    const result = await race(runners, problemOf, stop, clock);
    if ('reasons' in result) return result;
    return { message: result.message, from: chosen[result.runner]?.name ?? '' };
  }

  [Symbol.dispose](): void {
    this.#stack[Symbol.dispose]();
  }

  async #attempt(upstream: Upstream, question: Question, options: Parameters<Upstream['ask']>[1]): Promise<Message> {
    const { clock, metrics } = this.#options;
    const { answered, failures } = metrics;
    const label = { to: upstream.label };
    const startedMs = clock.monotonic();
    using _impatient = clock.after(upstream.patienceMs, () => upstream.noteSilence());
    try {
      const answer = await upstream.ask(question, options);
      answered(upstream.label, answer.rcode, (clock.monotonic() - startedMs) / 1000);
      if (problemOf(answer) !== undefined) failures.inc(label);
      return answer;
    } catch (error) {
      if (!options.signal.aborted) failures.inc(label);
      throw new Error(`${upstream.name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }

  #exchangeWith(upstream: UpstreamSettings): Exchange {
    if (upstream.transport === 'https') return this.#stack.use(httpsExchange(upstream)).exchange;
    const isStream = upstream.transport === 'tls' || this.#options.settings.transport === 'tcp';
    if (isStream) return this.#stack.use(streamExchange(upstream)).exchange;
    return (request, options) => exchangeDatagrams(upstream, request, options, this.#options.network);
  }

  /** Asks upstream servers that were set aside whether they answer again: nothing is asked while all are well. */
  #checkHealth(everyMs: number): void {
    const probeAside = (): void => {
      for (const upstream of this.upstreams)
        if (upstream.isAside && !upstream.isLooping) void this.#probe(upstream, everyMs);
    };
    this.#stack.use(every(this.#options.clock, everyMs, probeAside));
  }

  /** Any answer will do: an upstream that refuses a question about the root is there. */
  async #probe(upstream: Upstream, timeoutMs: number): Promise<void> {
    const question = { name: '\0', type: typeNumbers.NS, class: 1 };
    const options = { dnssecOk: false, checkingDisabled: false, timeoutMs, signal: new AbortController().signal };
    await upstream
      .ask(question, options)
      .catch(() => this.#options.metrics.healthFailures.inc(healthLabels(upstream.label)));
  }
}

/** Why an answer should be asked for elsewhere; undefined for one that counts. */
function problemOf({ rcode }: Message): string | undefined {
  return rcode === rcodes.NOERROR || rcode === rcodes.NXDOMAIN ? undefined : `the answer was ${rcodeName(rcode)}`;
}

function readZone(text: string): Name {
  const zone = parseKey(text);
  if (zone === undefined) throw new RangeError(`"${text}" is no zone`);
  return zone;
}
