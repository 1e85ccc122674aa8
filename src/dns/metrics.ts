import type { Counter, Histogram, Metrics } from '../observe/metrics.ts';
import { pluginNames, sizeBuckets, timeBuckets, typeLabels } from './coredns-names.ts';
import { QueryTally, type Tallied } from './query-tally.ts';
import { rcodeName } from './wire/types.ts';

/** What all queries of one tally have in common, as CoreDNS's labels of these names. */
export interface TallyLabels {
  readonly server: string;
  readonly zone: string;
  readonly view: string;
  readonly proto: 'udp' | 'tcp';
  /** 1 for IPv4, 2 for IPv6. */
  readonly family: '1' | '2';
}

/** Queries of a whole DNS server, counted under CoreDNS's names. The figures are brought up to date when they are rendered. */
export class QueryCounts implements Disposable {
  readonly #figures: ReturnType<typeof queryMetrics>;
  readonly #open = new Map<QueryTally, TallyLabels>();
  readonly #updating: Disposable;
  /** Of tallies that are closed. */
  #askedBefore = 0;

  constructor(metrics: Metrics) {
    this.#figures = queryMetrics(metrics);
    this.#updating = metrics.beforeRender(() => {
      for (const [tally, labels] of this.#open) this.#collect(tally, labels);
    });
  }

  /** A tally for queries that have these labels. */
  open(labels: TallyLabels): QueryTally {
    const tally = new QueryTally();
    this.#open.set(tally, labels);
    return tally;
  }

  /** Nothing is counted in it any more. */
  close(tally: QueryTally): void {
    const labels = this.#open.get(tally);
    if (labels === undefined) return;
    this.#collect(tally, labels);
    this.#askedBefore += tally.asked();
    this.#open.delete(tally);
  }

  /** Questions so far. */
  asked(): number {
    return [...this.#open.keys()].reduce((sum, tally) => sum + tally.asked(), this.#askedBefore);
  }

  /** An error of this program kept a query from being answered. */
  failed(): void {
    this.#figures.panics.inc();
  }

  /** Questions were too many. */
  dropped(count = 1): void {
    this.#figures.dropped.inc({}, count);
  }

  [Symbol.dispose](): void {
    for (const tally of this.#open.keys()) this.close(tally);
    this.#updating[Symbol.dispose]();
  }

  #collect(tally: QueryTally, { server, zone, view, proto, family }: TallyLabels): void {
    const since = tally.look();
    if (since === undefined) return;
    const { requests, dnssecOk, durations, requestSizes, responseSizes } = this.#figures;
    const where = { server, zone, view };
    for (const [slot, type] of typeLabels.entries()) {
      const count = since.byType[slot] ?? 0;
      if (count > 0) requests.inc({ ...where, proto, family, type }, count);
      const times = since.times[slot];
      if (times !== undefined && isAny(times.counts)) durations.add(times.counts, times.sum, { ...where, type });
    }
    if (since.dnssecOk > 0) dnssecOk.inc(where, since.dnssecOk);
    requestSizes.add(since.requestSizes.counts, since.requestSizes.sum, { ...where, proto });
    if (isAny(since.responseSizes.counts))
      responseSizes.add(since.responseSizes.counts, since.responseSizes.sum, { ...where, proto });
    this.#collectAnswers(since, where);
  }

  #collectAnswers({ answers }: Tallied, where: { readonly server: string; readonly zone: string; view: string }): void {
    for (const [number, plugin] of pluginNames.entries()) {
      for (const [rcode, count] of Array.from(answers[number] ?? []).entries()) {
        if (count > 0) this.#figures.responses.inc({ ...where, rcode: rcodeName(rcode), plugin }, count);
      }
    }
  }
}

function isAny(counts: ArrayLike<number>): boolean {
  return Array.from(counts).some((count) => count > 0);
}

function queryMetrics(metrics: Metrics) {
  const where = ['server', 'zone', 'view'];
  const counter = (name: string, help: string, labels: readonly string[]): Counter =>
    metrics.counter({ name, help, labels });
  const histogram = (name: string, help: string, labels: readonly string[], buckets: readonly number[]): Histogram =>
    metrics.histogram({ name, help, labels, buckets });
  return {
    requests: counter('coredns_dns_requests_total', 'Questions.', [...where, 'proto', 'family', 'type']),
    dnssecOk: counter('coredns_dns_do_requests_total', 'Questions with the DO bit.', where),
    responses: counter('coredns_dns_responses_total', 'Answers, by code and by who gave them.', [
      ...where,
      'rcode',
      'plugin',
    ]),
    durations: histogram(
      'coredns_dns_request_duration_seconds',
      'From reading a question to having written its answer.',
      [...where, 'type'],
      timeBuckets,
    ),
    requestSizes: histogram('coredns_dns_request_size_bytes', 'Sizes of questions.', [...where, 'proto'], sizeBuckets),
    responseSizes: histogram('coredns_dns_response_size_bytes', 'Sizes of answers.', [...where, 'proto'], sizeBuckets),
    dropped: metrics.counter({
      name: 'fairlead_dns_dropped_total',
      help: 'Questions that were too many to be answered.',
    }),
    panics: metrics.counter({
      name: 'coredns_panics_total',
      help: 'Queries that an error of this program kept from being answered.',
    }),
  };
}
