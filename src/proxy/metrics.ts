import { type Counter, type Gauge, type Histogram, latencyBuckets, type Metrics } from '../observe/metrics.ts';

/**
 * The figures of the node proxy. Where a figure of kube-proxy means the same, it has kube-proxy's name and labels, so that
 * dashboards made for it go on working (names: kubernetes.io, Kubernetes Metrics Reference). `docs/reference/metrics.md`
 * tells all of them.
 */
export interface ProxyMetrics {
  /** From the write to the API that caused a change to its acknowledgement by the kernel: once for each change. */
  readonly programming: Histogram;
  /** Time the plane took for one batch. */
  readonly sync: Histogram;
  readonly lastSynced: Gauge;
  readonly lastQueued: Gauge;
  readonly endpointChanges: Counter;
  readonly endpointChangesPending: Gauge;
  readonly serviceChanges: Counter;
  readonly serviceChangesPending: Gauge;
  readonly noLocalEndpoints: Gauge;
  readonly healthz: Counter;
  /** Under the name that kube-proxy gives it for nftables, whatever the plane. */
  readonly failures: Counter;
  readonly livez: Counter;
  readonly operations: Counter;
  readonly frontends: Gauge;
  readonly refused: Gauge;
  readonly news: Counter;
}

/** kube-proxy's buckets for programming latency, in seconds, which begin at 250 ms, and finer ones below them. */
const programmingBuckets: readonly number[] = [
  ...latencyBuckets.filter((bound) => bound < 0.25),
  0.25,
  0.5,
  ...steps(1, 1, 59),
  ...steps(60, 5, 12),
  ...steps(120, 30, 7),
];

function steps(first: number, step: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => first + index * step);
}

const family = ['ip_family'];
const syncPrefix = 'kubeproxy_sync_proxy_rules';

export function proxyMetrics(metrics: Metrics): ProxyMetrics {
  return { ...kubeProxyMetrics(metrics), ...ownMetrics(metrics) };
}

function kubeProxyMetrics(metrics: Metrics) {
  return {
    programming: metrics.histogram({
      name: 'kubeproxy_network_programming_duration_seconds',
      help: 'From the change of a Pod or Service to its acknowledgement by the data plane, for each change.',
      labels: family,
      buckets: programmingBuckets,
    }),
    sync: metrics.histogram({
      name: `${syncPrefix}_duration_seconds`,
      help: 'Time the data plane took for one batch of changes.',
      labels: family,
    }),
    lastSynced: metrics.gauge({
      name: `${syncPrefix}_last_timestamp_seconds`,
      help: 'When changes were last brought into force, in Unix seconds.',
      labels: family,
    }),
    lastQueued: metrics.gauge({
      name: `${syncPrefix}_last_queued_timestamp_seconds`,
      help: 'When changes were last queued for the data plane, in Unix seconds.',
      labels: family,
    }),
    ...changeMetrics(metrics),
    noLocalEndpoints: metrics.gauge({
      name: `${syncPrefix}_no_local_endpoints_total`,
      help: 'Service ports with a Local traffic policy and endpoints, but none on this node.',
      labels: ['ip_family', 'traffic_policy'],
    }),
    failures: metrics.counter({
      name: `${syncPrefix}_nftables_sync_failures_total`,
      help: 'Batches that the data plane, whichever it is, could not carry out as a whole; they are tried again.',
    }),
    healthz: metrics.counter({
      name: 'kubeproxy_proxy_healthz_total',
      help: 'Answers of /healthz by HTTP status.',
      labels: ['code'],
    }),
    livez: metrics.counter({
      name: 'kubeproxy_proxy_livez_total',
      help: 'Answers of /livez by HTTP status.',
      labels: ['code'],
    }),
  };
}

function changeMetrics(metrics: Metrics) {
  return {
    endpointChanges: metrics.counter({
      name: `${syncPrefix}_endpoint_changes_total`,
      help: 'Changes of EndpointSlices seen.',
    }),
    endpointChangesPending: metrics.gauge({
      name: `${syncPrefix}_endpoint_changes_pending`,
      help: 'Changes of EndpointSlices that are not in force yet.',
    }),
    serviceChanges: metrics.counter({
      name: `${syncPrefix}_service_changes_total`,
      help: 'Changes of Services seen.',
    }),
    serviceChangesPending: metrics.gauge({
      name: `${syncPrefix}_service_changes_pending`,
      help: 'Changes of Services that are not in force yet.',
    }),
  };
}

function ownMetrics(metrics: Metrics) {
  return {
    operations: metrics.counter({
      name: 'fairlead_proxy_operations_total',
      help: 'Data plane objects written or removed: map elements, rules, listeners.',
    }),
    frontends: metrics.gauge({ name: 'fairlead_proxy_frontends', help: 'Frontends that should be in force.' }),
    refused: metrics.gauge({
      name: 'fairlead_proxy_refused_frontends',
      help: 'Frontends that the data plane refused.',
    }),
    news: metrics.counter({
      name: 'fairlead_proxy_service_events_total',
      help: 'What there was to tell about Services: frontends refused, malformed objects, conflicts.',
      labels: ['reason'],
    }),
  };
}
