import { latencyBuckets } from '../observe/metrics.ts';
import type { Counter, Gauge, Histogram, Metrics } from '../observe/metrics.ts';

/** What the agent counts. */
export interface AgentMetrics {
  readonly pods: Gauge;
  readonly containerStarts: Counter;
  readonly containerEnds: Counter;
  readonly startSeconds: Histogram;
  readonly probes: Counter;
  readonly statusWrites: Counter;
}

export function agentMetrics(metrics: Metrics): AgentMetrics {
  return {
    pods: metrics.gauge({ name: 'fairlead_agent_pods', help: 'Pods this node looks after.' }),
    containerStarts: metrics.counter({
      name: 'fairlead_agent_container_starts_total',
      help: 'Containers started, restarts included, by result.',
      labels: ['result'],
    }),
    containerEnds: metrics.counter({
      name: 'fairlead_agent_container_ends_total',
      help: 'Containers that ended, by reason.',
      labels: ['reason'],
    }),
    startSeconds: metrics.histogram({
      name: 'fairlead_agent_pod_start_seconds',
      help: 'From first sight of a Pod to all its containers running, waiting for init containers included.',
      buckets: latencyBuckets,
    }),
    probes: metrics.counter({
      name: 'fairlead_agent_probes_total',
      help: 'Probes run, by kind and result.',
      labels: ['probe', 'result'],
    }),
    statusWrites: metrics.counter({
      name: 'fairlead_agent_status_writes_total',
      help: 'Writes of Pod status, by result.',
      labels: ['result'],
    }),
  };
}
