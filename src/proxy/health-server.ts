import type { ServerResponse } from 'node:http';
import { type HttpListener, type ListenAddress, listenHttp } from '../observe/http-listener.ts';
import type { ProxyMetrics } from './metrics.ts';
import type { ProxyHealth } from './proxy-health.ts';

export interface HealthServerOptions extends ListenAddress {
  readonly health: ProxyHealth;
  readonly metrics: Pick<ProxyMetrics, 'healthz' | 'livez'>;
  readonly onFailure: (error: Error) => void;
  /** Unix milliseconds. */
  readonly now: () => number;
}

/**
 * The proxy's own health, as kube-proxy serves it.
 * - `/healthz`, for load balancers: it keeps up, and this node stays.
 * - `/livez`, for the kubelet: it keeps up. A node on its way out must not have its proxy restarted.
 * - `/readyz`: it keeps up, and everything known has been in force once.
 */
export function serveHealth(options: HealthServerOptions): HttpListener {
  const { health, metrics, now } = options;
  return listenHttp({
    ...options,
    handler(request, response) {
      const nowMs = now();
      const isHealthy = health.isHealthy(nowMs);
      const path = request.url?.split('?')[0];
      if (path === '/healthz') {
        const isWell = isHealthy && health.isNodeEligible;
        metrics.healthz.inc({ code: String(statusOf(isWell)) });
        answer(response, isWell, { ...times(health, nowMs), nodeEligible: health.isNodeEligible });
      } else if (path === '/livez') {
        metrics.livez.inc({ code: String(statusOf(isHealthy)) });
        answer(response, isHealthy, times(health, nowMs));
      } else if (path === '/readyz') {
        answer(response, isHealthy && health.isReady, times(health, nowMs));
      } else {
        response.writeHead(404).end();
      }
    },
  });
}

function statusOf(isWell: boolean): number {
  return isWell ? 200 : 503;
}

function times(health: ProxyHealth, nowMs: number) {
  const lastMs = health.lastUpdatedMs(nowMs);
  return {
    lastUpdated: lastMs === undefined ? '' : new Date(lastMs).toISOString(),
    currentTime: new Date(nowMs).toISOString(),
  };
}

function answer(response: ServerResponse, isWell: boolean, body: unknown): void {
  response.writeHead(statusOf(isWell), {
    'Content-Type': 'application/json',
    'X-Content-Type-Options': 'nosniff',
  });
  response.end(JSON.stringify(body));
}
