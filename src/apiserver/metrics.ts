import type { Counter, Gauge, Histogram, Metrics } from '../observe/metrics.ts';
import { latencyBuckets } from '../observe/metrics.ts';

/** The figures of the API server. */
export interface ServerMetrics {
  readonly requests: Counter;
  readonly requestSeconds: Histogram;
  readonly watchers: Gauge;
  readonly slowWatchers: Counter;
  readonly storedObjects: Gauge;
}

/** Registers them. Names follow kube-apiserver's where the meaning is the same. */
export function createServerMetrics(metrics: Metrics): ServerMetrics {
  return {
    requests: metrics.counter({
      name: 'apiserver_request_total',
      help: 'Requests answered, by verb, resource, subresource and status code.',
      labels: ['verb', 'resource', 'subresource', 'code'],
    }),
    requestSeconds: metrics.histogram({
      name: 'apiserver_request_duration_seconds',
      help: 'Time from the first byte of a request to its answer, without watches.',
      labels: ['verb', 'resource'],
      buckets: latencyBuckets,
    }),
    watchers: metrics.gauge({
      name: 'apiserver_longrunning_requests',
      help: 'Open watches by resource.',
      labels: ['resource'],
    }),
    slowWatchers: metrics.counter({
      name: 'apiserver_terminated_watchers_total',
      help: 'Watches that were ended because the client did not read fast enough.',
      labels: ['resource'],
    }),
    storedObjects: metrics.gauge({
      name: 'apiserver_storage_objects',
      help: 'Stored objects by resource, as of the last scrape.',
      labels: ['resource'],
    }),
  };
}
