import type { RequestListener } from 'node:http';
import { type Metrics, metricsContentType } from '../observe/metrics.ts';
import { type HttpListener, type ListenAddress, listenHttp } from './http-listener.ts';

export interface MetricsServerOptions extends ListenAddress {
  readonly metrics: Metrics;
  /** The name of the plane in use. */
  readonly plane: () => string;
  readonly onFailure: (error: Error) => void;
}

/** `/metrics`, `/proxyMode` (the plane's name) and `/healthz` (it answers at all), where kube-proxy has them. */
export function serveMetrics(options: MetricsServerOptions): HttpListener {
  const pages: Readonly<Record<string, () => { readonly type: string; readonly text: string }>> = {
    '/metrics': () => ({ type: metricsContentType, text: options.metrics.render() }),
    '/proxyMode': () => ({ type: 'text/plain; charset=utf-8', text: options.plane() }),
    '/healthz': () => ({ type: 'text/plain; charset=utf-8', text: 'ok' }),
  };
  const handler: RequestListener = (request, response) => {
    const page = pages[request.url?.split('?')[0] ?? '']?.();
    if (page === undefined) response.writeHead(404).end();
    else response.writeHead(200, { 'Content-Type': page.type, 'X-Content-Type-Options': 'nosniff' }).end(page.text);
  };
  return listenHttp({ ...options, handler });
}
