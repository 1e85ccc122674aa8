import { createCaches } from '../client/caches.ts';
import type { Caches } from '../client/caches.ts';
import type { Client } from '../client/client.ts';
import { silentLogger } from '../observe/log.ts';
import type { Logger } from '../observe/log.ts';
import { createMetrics } from '../observe/metrics.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { ControllerContext, StartController } from './context.ts';
import { startDeployments } from './deployments/run.ts';
import { startEndpointSliceMirroring } from './endpoint-slice-mirroring/run.ts';
import { startEndpointSlices } from './endpoint-slices/run.ts';
import { startEndpoints } from './endpoints/run.ts';
import { startEventTtl } from './event-ttl/run.ts';
import { startGarbageCollector } from './garbage-collector/run.ts';
import { startNamespaces } from './namespaces/run.ts';
import { startNodes } from './nodes/run.ts';
import { startPlacement } from './placement/run.ts';
import { startPodGarbage } from './pod-garbage/run.ts';
import { startReplicaSets } from './replica-sets/run.ts';
import { serviceAccountsWith } from './service-accounts/run.ts';

export interface ControllersConfig {
  readonly client: Client;
  /** Shared with other components of the process; made here when unset. */
  readonly caches?: Caches;
  readonly logger?: Logger;
  readonly metrics?: Metrics;
  /** Ends everything. */
  readonly signal: AbortSignal;
  /** Unix milliseconds. */
  readonly now?: () => number;
  /** In [0, 1), for jitter. */
  readonly random?: () => number;
  /** PEM of the cluster's authority, for `kube-root-ca.crt` in every namespace; without it none is written. */
  readonly rootCa?: string;
}

/** Every controller by its name, in the order of the journey of a Service. */
function controllersOf(config: ControllersConfig): Readonly<Record<string, StartController>> {
  return {
    'endpoint-slices': startEndpointSlices,
    endpoints: startEndpoints,
    'endpoint-slice-mirroring': startEndpointSliceMirroring,
    deployments: startDeployments,
    'replica-sets': startReplicaSets,
    placement: startPlacement,
    nodes: startNodes,
    'pod-garbage': startPodGarbage,
    'garbage-collector': startGarbageCollector,
    namespaces: startNamespaces,
    'service-accounts': serviceAccountsWith(config.rootCa),
    'event-ttl': startEventTtl,
  };
}

/** Starts every controller; resolves when all of them work. Disposing of the result ends them. */
export async function startControllers(config: ControllersConfig): Promise<AsyncDisposable> {
  const { client, logger = silentLogger, metrics = createMetrics(), now = Date.now, random = Math.random } = config;
  const disposables = new AsyncDisposableStack();
  const stop = new AbortController();
  const signal = AbortSignal.any([config.signal, stop.signal]);
  const caches = config.caches ?? disposables.use(createCaches(client, { logger, metrics, random }));
  const context: ControllerContext = { client: caches.through(client), caches, logger, metrics, signal, now, random };
  const started = await Promise.all(Object.values(controllersOf(config)).map((start) => start(context)));
  for (const controller of started) disposables.use(controller);
  disposables.defer(() => stop.abort());
  return disposables;
}
