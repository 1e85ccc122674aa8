import { createServer, type Server } from 'node:http';
import type { Logger } from '../observe/log.ts';
import type { HealthCheck } from '../routing/health-check.ts';
import type { RouterChanges } from '../routing/router.ts';

/**
 * Health check node ports: tell a load balancer whether this node has ready endpoints of a Service. Any path answers 200
 * with at least one, else 503, and a JSON body with the count (the form kube-proxy gives, which balancers may read).
 */
export class HealthChecks {
  readonly #servers = new Map<string, { check: HealthCheck; readonly server: Server }>();
  readonly #onFailure: (check: HealthCheck, error: Error) => void;
  readonly #logger: Logger;

  constructor(logger: Logger, onFailure: (check: HealthCheck, error: Error) => void) {
    this.#logger = logger;
    this.#onFailure = onFailure;
  }

  apply({ healthChecks, healthChecksRemoved }: Pick<RouterChanges, 'healthChecks' | 'healthChecksRemoved'>): void {
    for (const service of healthChecksRemoved) this.#close(service);
    for (const check of healthChecks) this.#put(check);
  }

  close(): void {
    for (const service of this.#servers.keys()) this.#close(service);
  }

  #put(check: HealthCheck): void {
    const known = this.#servers.get(check.service);
    if (known !== undefined && known.check.port === check.port) {
      known.check = check;
      return;
    }
    this.#close(check.service);
    const server = createServer((_, response) => {
      const { localEndpoints } = this.#servers.get(check.service)?.check ?? check;
      const [namespace = '', name = ''] = check.service.split('/');
      response.writeHead(localEndpoints > 0 ? 200 : 503, {
        'Content-Type': 'application/json',
        'X-Content-Type-Options': 'nosniff',
      });
      response.end(JSON.stringify({ service: { namespace, name }, localEndpoints, serviceProxyHealthy: true }));
    });
    server.on('error', (error) => {
      this.#logger.warn('a health check port cannot be had', { service: check.service, port: check.port, error });
      this.#onFailure(check, error);
    });
    server.listen(check.port);
    this.#servers.set(check.service, { check, server });
  }

  #close(service: string): void {
    const known = this.#servers.get(service);
    this.#servers.delete(service);
    known?.server.close();
    known?.server.closeAllConnections();
  }
}
