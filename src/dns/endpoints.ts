import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { type HttpListener, listenHttp, pages, plainText, type Page } from '../observe/http-listener.ts';
import type { Logger } from '../observe/log.ts';
import { type Counter, type Histogram, type Metrics, metricsContentType } from '../observe/metrics.ts';
import { slimTimeBuckets } from './coredns-names.ts';
import type { SocketAddress } from './config.ts';
import type { DnsSettings } from './settings/settings.ts';

export interface EndpointsOptions {
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Whether the cluster was read completely once; it never becomes false again. */
  readonly isReady: () => boolean;
  /** Whether the server has been told to end. */
  readonly isLeaving: () => boolean;
  /** What comparing with another server has found; undefined when none is asked. */
  readonly shadowPage: () => string | undefined;
}

/** What of the settings is about them. */
export type EndpointSettings = Pick<DnsSettings, 'health' | 'ready' | 'metrics'>;

/**
 * `/health`, `/ready` and `/metrics` over HTTP, where CoreDNS has them: alive as long as the process answers, ready once the
 * cluster was read. An API server that goes away changes neither: the last known state is served.
 */
export class Endpoints implements Disposable {
  readonly #options: EndpointsOptions;
  #open = new Map<string, HttpListener>();
  readonly #ownHealth: OwnHealth;

  constructor(options: EndpointsOptions) {
    this.#options = options;
    this.#ownHealth = new OwnHealth(options.metrics);
  }

  /** Serves exactly these; an address that is taken is said and tried again. */
  become({ health, ready, metrics }: EndpointSettings): void {
    const wanted = new Map<string, Record<string, () => Page>>();
    const add = (where: SocketAddress | undefined, path: string, page: () => Page): void => {
      if (where === undefined) return;
      const key = JSON.stringify([where.address, where.port]);
      wanted.set(key, { ...wanted.get(key), [path]: page });
    };
    add(health, '/health', () => ok('OK'));
    add(ready, '/ready', () => this.#ready());
    add(metrics, '/metrics', () => ({ type: metricsContentType, text: this.#options.metrics.render() }));
    add(metrics, '/shadow', () => {
      const text = this.#options.shadowPage();
      return text === undefined ? { status: 404, type: plainText, text: 'no shadow\n' } : ok(text);
    });
    const before = this.#open;
    this.#open = new Map();
    for (const [key, byPath] of wanted) {
      const paths = `${key} ${Object.keys(byPath).join(' ')}`;
      const known = before.get(paths);
      before.delete(paths);
      if (known === undefined)
        for (const [other, listener] of before) if (other.startsWith(key)) listener[Symbol.dispose]();
      this.#open.set(paths, known ?? this.#listen(key, byPath));
    }
    for (const listener of before.values()) listener[Symbol.dispose]();
    this.#ownHealth.become(health);
  }

  [Symbol.dispose](): void {
    this.#ownHealth[Symbol.dispose]();
    for (const listener of this.#open.values()) listener[Symbol.dispose]();
  }

  #ready(): Page {
    const { isReady, isLeaving } = this.#options;
    if (isLeaving()) return { status: 503, type: plainText, text: 'leaving' };
    return isReady() ? ok('OK') : { status: 503, type: plainText, text: 'kubernetes' };
  }

  #listen(key: string, byPath: Record<string, () => Page>): HttpListener {
    const [address, port] = JSON.parse(key) as [string, number];
    const { logger } = this.#options;
    const onFailure = (error: Error): void =>
      logger.error('a port of health and metrics cannot be had', { address, port, error });
    return listenHttp({ address, port, handler: pages(byPath), onFailure });
  }
}

const askEveryMs = 1000;

/** Asks for its own `/health` every second: how long that takes tells how busy the process is, as CoreDNS measures it. */
class OwnHealth implements Disposable {
  readonly #took: Histogram;
  readonly #failures: Counter;
  #timer: NodeJS.Timeout | undefined;

  constructor(metrics: Metrics) {
    this.#took = metrics.histogram({
      name: 'coredns_health_request_duration_seconds',
      help: 'Time that the own /health took to answer.',
      buckets: slimTimeBuckets,
    });
    this.#failures = metrics.counter({
      name: 'coredns_health_request_failures_total',
      help: 'Times that the own /health did not answer.',
    });
  }

  become(health: SocketAddress | undefined): void {
    this[Symbol.dispose]();
    if (health !== undefined) this.#timer = setInterval(() => void this.#ask(health), askEveryMs).unref();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  async #ask({ address, port }: SocketAddress): Promise<void> {
    const isAnywhere = /^[0:.]+$/.test(address);
    const own = isAnywhere ? (address.includes(':') ? '::1' : '127.0.0.1') : address;
    const startedMs = performance.now();
    try {
      const request = get({ host: own, port, path: '/health', agent: false, timeout: 5 * askEveryMs });
      request.on('timeout', () => request.destroy());
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      response.resume();
      await once(response, 'end');
      this.#took.observe((performance.now() - startedMs) / 1000);
    } catch {
      this.#failures.inc();
    }
  }
}

function ok(text: string): Page {
  return { type: plainText, text };
}
