import type { Counter, Gauge, Histogram, Metrics } from '../observe/metrics.ts';

export interface ProxyMetrics {
  /** From the write to the API that caused a change to its acknowledgement by the kernel. */
  readonly programming: Histogram;
  readonly apply: Histogram;
  readonly operations: Counter;
  readonly failures: Counter;
  readonly frontends: Gauge;
  readonly refused: Gauge;
}

export function proxyMetrics(metrics: Metrics): ProxyMetrics {
  return {
    programming: metrics.histogram({
      name: 'fairlead_proxy_programming_seconds',
      help: 'From the API write that caused a change to its acknowledgement by the data plane.',
    }),
    apply: metrics.histogram({
      name: 'fairlead_proxy_apply_seconds',
      help: 'Time the data plane took for one change.',
    }),
    operations: metrics.counter({
      name: 'fairlead_proxy_operations_total',
      help: 'Data plane objects written or removed: map elements, rules, listeners.',
    }),
    failures: metrics.counter({
      name: 'fairlead_proxy_failures_total',
      help: 'Changes that the data plane could not carry out as a whole; they are tried again.',
    }),
    frontends: metrics.gauge({ name: 'fairlead_proxy_frontends', help: 'Frontends that should be in force.' }),
    refused: metrics.gauge({
      name: 'fairlead_proxy_refused_frontends',
      help: 'Frontends that the data plane refused.',
    }),
  };
}
