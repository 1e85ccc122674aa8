import type { Counter, Gauge, Metrics } from '../../observe/metrics.ts';
import { timeBuckets } from '../coredns-names.ts';
import { rcodeName } from '../wire/types.ts';

/** Whose questions a forwarder answers, as metrics of its cache say it. */
export interface CacheLabels {
  readonly server: string;
  /** Those that are cached. */
  readonly zones: string;
  readonly view: string;
}

/** What is counted of upstream servers and their answers that are kept, under CoreDNS's names. */
export interface ForwardMetrics {
  /** An upstream (its name) answered. */
  readonly answered: (upstream: string, rcode: number, seconds: number) => void;
  /** An upstream gave no usable answer. */
  readonly failures: Counter;
  /** An upstream that was set aside did not answer when asked for its health. */
  readonly healthFailures: Counter;
  /** Questions for which every upstream was set aside. */
  readonly allAside: Counter;
  readonly rejected: Counter;
  readonly cache: {
    readonly requests: Counter;
    readonly hits: Counter;
    readonly misses: Counter;
    readonly prefetches: Counter;
    readonly stale: Counter;
    readonly evictions: Counter;
    readonly entries: Gauge;
  };
}

const proxy = { proxy_name: 'forward' };

export function forwardMetrics(metrics: Metrics): ForwardMetrics {
  const upstream = ['to', 'rcode'];
  const seconds = { help: 'Time until an upstream answered.', buckets: timeBuckets };
  const took = metrics.histogram({
    name: 'coredns_proxy_request_duration_seconds',
    labels: ['proxy_name', ...upstream],
    ...seconds,
  });
  // The names that CoreDNS had before 1.11, which dashboards still use.
  const tookBefore = metrics.histogram({
    name: 'coredns_forward_request_duration_seconds',
    labels: upstream,
    ...seconds,
  });
  const counter = (name: string, help: string, labels: readonly string[] = []): Counter =>
    metrics.counter({ name, help, labels });
  const requests = counter('coredns_forward_requests_total', 'Questions answered by an upstream.', ['to']);
  const responses = counter('coredns_forward_responses_total', 'Answers of an upstream.', upstream);
  return {
    answered(to, code, tookSeconds) {
      const rcode = rcodeName(code);
      took.observe(tookSeconds, { ...proxy, to, rcode });
      tookBefore.observe(tookSeconds, { to, rcode });
      requests.inc({ to });
      responses.inc({ to, rcode });
    },
    failures: counter(
      'fairlead_dns_upstream_failures_total',
      'Attempts that an upstream did not answer, or answered with an error.',
      ['to'],
    ),
    healthFailures: counter(
      'coredns_proxy_healthcheck_failures_total',
      'Times that an upstream which was set aside did not answer.',
      ['proxy_name', 'to'],
    ),
    allAside: counter('coredns_forward_healthcheck_broken_total', 'Questions while every upstream was set aside.'),
    rejected: counter(
      'coredns_forward_max_concurrent_rejects_total',
      'Questions refused because too many were under way.',
    ),
    cache: cacheMetrics(metrics, counter),
  };
}

function cacheMetrics(
  metrics: Metrics,
  counter: (name: string, help: string, labels: readonly string[]) => Counter,
): ForwardMetrics['cache'] {
  const where = ['server', 'zones', 'view'];
  const byType = ['server', 'type', 'zones', 'view'];
  return {
    requests: counter('coredns_cache_requests_total', 'Questions that the cache was asked.', where),
    hits: counter('coredns_cache_hits_total', 'Questions answered from upstream answers kept.', byType),
    misses: counter('coredns_cache_misses_total', 'Questions that an upstream had to be asked.', where),
    prefetches: counter('coredns_cache_prefetch_total', 'Answers asked for again before their time was over.', where),
    stale: counter('coredns_cache_served_stale_total', 'Answers given after their time, nobody giving others.', where),
    evictions: counter('coredns_cache_evictions_total', 'Answers that had to go for others.', byType),
    entries: metrics.gauge({ name: 'coredns_cache_entries', help: 'Upstream answers kept.', labels: byType }),
  };
}

/** Labels of a failed health check. */
export function healthLabels(to: string): Readonly<Record<string, string>> {
  return { ...proxy, to };
}
