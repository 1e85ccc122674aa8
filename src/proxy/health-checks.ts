import type { RequestListener } from 'node:http';
import type { HealthCheck } from '../routing/health-check.ts';
import type { RouterChanges } from '../routing/router.ts';
import { type HttpListener, listenHttp } from '../observe/http-listener.ts';

export interface HealthChecksOptions {
  /** The addresses of node ports; undefined for every address. Asked when a port is opened. */
  readonly addresses: () => readonly string[] | undefined;
  /** Whether the proxy keeps up. */
  readonly isHealthy: () => boolean;
  /** Called each time a port cannot be had; it is tried again. */
  readonly onFailure: (check: HealthCheck, error: Error) => void;
}

interface OpenCheck {
  check: HealthCheck;
  listeners: readonly HttpListener[];
}

/**
 * Health check node ports: tell a load balancer whether to send this node traffic of a Service. Any path answers 200 with
 * ready endpoints here and a proxy that keeps up, else 503, in the form that kube-proxy gives.
 */
export class HealthChecks implements Disposable {
  readonly #options: HealthChecksOptions;
  readonly #open = new Map<string, OpenCheck>();

  constructor(options: HealthChecksOptions) {
    this.#options = options;
  }

  apply({ healthChecks, healthChecksRemoved }: Pick<RouterChanges, 'healthChecks' | 'healthChecksRemoved'>): void {
    for (const service of healthChecksRemoved) this.#close(service);
    for (const check of healthChecks) this.#put(check);
  }

  /** The addresses of node ports are others now. */
  reopen(): void {
    for (const open of this.#open.values()) {
      close(open);
      open.listeners = this.#listen(open);
    }
  }

  [Symbol.dispose](): void {
    for (const service of this.#open.keys()) this.#close(service);
  }

  #put(check: HealthCheck): void {
    const known = this.#open.get(check.service);
    if (known !== undefined && known.check.port === check.port) {
      known.check = check;
      return;
    }
    this.#close(check.service);
    const open: OpenCheck = { check, listeners: [] };
    open.listeners = this.#listen(open);
    this.#open.set(check.service, open);
  }

  #close(service: string): void {
    const open = this.#open.get(service);
    this.#open.delete(service);
    if (open !== undefined) close(open);
  }

  #listen(open: OpenCheck): readonly HttpListener[] {
    const { port } = open.check;
    const handler = this.#handler(open);
    const onFailure = (error: Error) => this.#options.onFailure(open.check, error);
    const addresses = this.#options.addresses() ?? [undefined];
    return addresses.map((address) => listenHttp({ address, port, handler, onFailure }));
  }

  #handler(open: OpenCheck): RequestListener {
    return (_, response) => {
      const { service, localEndpoints } = open.check;
      const [namespace = '', name = ''] = service.split('/');
      const serviceProxyHealthy = this.#options.isHealthy();
      response.writeHead(localEndpoints > 0 && serviceProxyHealthy ? 200 : 503, {
        'Content-Type': 'application/json',
        'X-Content-Type-Options': 'nosniff',
        // By which balancers weigh nodes.
        'X-Load-Balancing-Endpoint-Weight': localEndpoints,
      });
      response.end(JSON.stringify({ service: { namespace, name }, localEndpoints, serviceProxyHealthy }));
    };
  }
}

function close({ listeners }: OpenCheck): void {
  for (const listener of listeners) listener[Symbol.dispose]();
}
