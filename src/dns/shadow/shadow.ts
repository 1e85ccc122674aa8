import { randomInt } from 'node:crypto';
import { type Clock, wait } from '../../observe/clock.ts';
import type { Logger } from '../../observe/log.ts';
import type { Metrics } from '../../observe/metrics.ts';
import { pluginNames } from '../coredns-names.ts';
import { exchange, type Network } from '../forward/exchange.ts';
import type { Answer } from '../handlers/handler.ts';
import { readReply, type Reply } from '../reply.ts';
import type { ShadowSettings } from '../settings/settings.ts';
import { writeEdns } from '../wire/edns.ts';
import { formatName, nameKey } from '../wire/names.ts';
import type { Query } from '../wire/query.ts';
import { flags, typeName, typeNumbers } from '../wire/types.ts';
import { writeMessage } from '../wire/writer.ts';
import { answerText, differencesOf, type ComparedAnswer } from './compare.ts';
import { explanationOf } from './known-differences.ts';
import { Ledger } from './ledger.ts';
import { Sampler } from './sampler.ts';

/** Questions being compared at once, and those that wait; more are skipped. */
const mostAtOnce = 64;
const mostWaiting = 1000;
const timeoutMs = 2000;
/** Answers that differ are asked for again after this long: the cluster may just be changing. */
const lookAgainMs = 1000;
/** EDNS option of the local range (RFC 6891 9) that says who asks, so that no server follows a follower. */
const markOption = 65_313;

/** A question that was chosen, in copies that outlive its packet. */
export interface Followed {
  readonly query: Query;
  readonly reply: Answer;
  /** Number of who gave it (`coredns-names.ts`). */
  readonly plugin: number;
  readonly handlers: readonly string[];
  /** Asks the server that answered. */
  readonly ask: (query: Query) => Answer;
  /** Number of the plugin that the last question to it ended at. */
  readonly answeredBy: () => number;
}

export interface ShadowOptions {
  readonly network: Network;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/**
 * Asks another server what this one is asked, for a share of the questions, and compares the answers: to see what would
 * change before this server takes the other's place. All of it happens afterwards and within bounds; who asked never waits.
 */
export class Shadow implements Disposable {
  readonly #options: ShadowOptions;
  readonly #ledger: Ledger;
  readonly #stop = new AbortController();
  readonly #sampler = new Sampler();
  readonly #waiting: (() => Followed | undefined)[] = [];
  #running = 0;
  #settings: ShadowSettings | undefined;

  constructor(options: ShadowOptions) {
    this.#options = options;
    this.#ledger = new Ledger(options.metrics, options.logger);
  }

  /** Share of the questions that are chosen: 0 while there is no other server. */
  get share(): number {
    return this.#sampler.share;
  }

  /** Asks that server from now on; undefined asks nobody. */
  become(settings: ShadowSettings | undefined): void {
    this.#settings = settings;
    this.#sampler.share = settings === undefined ? 0 : settings.percent / 100;
  }

  /** Whether the question at hand is chosen. */
  chooses(): boolean {
    return this.#sampler.next();
  }

  /** Follows a question that was chosen, soon. `copy` is called then, once; undefined is no question to follow. */
  follow(type: number, copy: () => Followed | undefined): void {
    if (this.#waiting.length >= mostWaiting) return this.#ledger.count(type, 'skipped');
    this.#waiting.push(copy);
    setImmediate(() => this.#start());
  }

  /** What was found, as text; undefined without another server. */
  page(): string | undefined {
    if (this.#settings === undefined) return undefined;
    const { to, percent } = this.#settings;
    const head = `${percent} % of the questions go to ${to.address} port ${to.port} too.`;
    return [head, '', ...this.#ledger.lines(), ''].join('\n');
  }

  /** What is under way ends by itself, and is not told of. */
  [Symbol.dispose](): void {
    this.#stop.abort();
    this.#waiting.length = 0;
  }

  #start(): void {
    while (this.#running < mostAtOnce) {
      const copy = this.#waiting.shift();
      if (copy === undefined) return;
      const followed = copy();
      if (followed === undefined || this.#settings === undefined || isMarked(followed.query)) continue;
      this.#running += 1;
      void this.#compare(followed, this.#settings).finally(() => {
        this.#running -= 1;
        this.#start();
      });
    }
  }

  /** Never rejects. */
  async #compare(followed: Followed, { to }: ShadowSettings): Promise<void> {
    const { query, reply } = followed;
    const first = await this.#both(query, reply, to);
    if (this.#stop.signal.aborted) return;
    if (first?.ours.isSilent || first?.ours.transfer !== undefined) return;
    if (first === undefined || isAlike(first)) return this.#ledger.count(query.type, first ? 'same' : 'unanswered');
    await wait(this.#options.clock, lookAgainMs, this.#stop.signal);
    if (this.#stop.signal.aborted) return;
    const second = await this.#both(query, followed.ask(query), to);
    if (second === undefined || isAlike(second))
      return this.#ledger.count(query.type, second ? 'passing' : 'unanswered');
    this.#tell(followed, second);
  }

  async #both(query: Query, reply: Answer, to: ShadowSettings['to']): Promise<Both | undefined> {
    const { name, type, class: of } = query;
    const id = randomInt(0x10000);
    const asked = (query.recursionDesired ? flags.RD : 0) | (query.checkingDisabled ? flags.CD : 0);
    const opt = writeEdns(0, query.edns?.dnssecOk ?? false, undefined, mark);
    const packet = writeMessage({ id, flags: asked, questions: [{ name, type, class: of }], opt });
    const request = { packet, id, question: { name, type, class: of } };
    const { network } = this.#options;
    try {
      const [ours, theirs] = await Promise.all([
        reply,
        exchange(to, request, { timeoutMs, signal: this.#stop.signal }, network),
      ]);
      return { ours, theirs, read: { ...readReply(query, ours), rcode: ours.rcode } };
    } catch {
      return undefined;
    }
  }

  #tell({ query, plugin, handlers, ask, answeredBy }: Followed, { ours, theirs, read }: Both): void {
    const { key, type } = query;
    const explanation = explanationOf({
      key,
      type,
      ours: { ...read, error: ours.error },
      theirs,
      plugin: pluginNames[plugin] ?? '',
      handlers,
      hasRecords: () => hasRecords(query, ask),
      isOutside(name) {
        void ask({ ...query, name, key: nameKey(name) });
        return pluginNames[answeredBy()] === 'forward';
      },
    });
    this.#ledger.count(type, explanation === undefined ? 'different' : 'explained');
    this.#ledger.keep({
      question: `${formatName(key)} ${typeName(type)}`,
      differences: differencesOf(read, theirs),
      ours: answerText(read),
      theirs: answerText(theirs),
      explanation,
      atMs: this.#options.clock.now(),
    });
  }
}

/** Both answers; `read` is ours in records. */
interface Both {
  readonly ours: Reply;
  readonly theirs: ComparedAnswer;
  readonly read: ComparedAnswer;
}

function isAlike({ read, theirs }: Both): boolean {
  return differencesOf(read, theirs).length === 0;
}

const mark = Buffer.alloc(4);
mark.writeUInt16BE(markOption);

function isMarked({ edns }: Query): boolean {
  return edns?.options.some(({ code }) => code === markOption) ?? false;
}

/** Whether a name of the cluster has records of any type; answers about it are there at once. */
function hasRecords(query: Query, ask: (query: Query) => Answer): boolean {
  const { A, AAAA, CNAME, PTR, SRV, TXT } = typeNumbers;
  return [A, AAAA, CNAME, PTR, SRV, TXT].some((type) => {
    const reply = ask({ ...query, type });
    return reply instanceof Promise || reply.answers > 0;
  });
}
