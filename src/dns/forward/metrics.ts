import type { Counter, Histogram, Metrics } from '../../observe/metrics.ts';

export interface ForwardMetrics {
  readonly hits: Counter;
  readonly failures: Counter;
  readonly seconds: Histogram;
}

export function forwardMetrics(metrics: Metrics): ForwardMetrics {
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
