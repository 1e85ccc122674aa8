import { type HttpListener, type ListenAddress, listenHttp, pages, plainText } from '../observe/http-listener.ts';
import { type Metrics, metricsContentType } from '../observe/metrics.ts';

export interface MetricsServerOptions extends ListenAddress {
  readonly metrics: Metrics;
  /** The name of the plane in use. */
  readonly plane: () => string;
  readonly onFailure: (error: Error) => void;
}

/** `/metrics`, `/proxyMode` (the plane's name) and `/healthz` (it answers at all), where kube-proxy has them. */
export function serveMetrics(options: MetricsServerOptions): HttpListener {
  const handler = pages({
    '/metrics': () => ({ type: metricsContentType, text: options.metrics.render() }),
    '/proxyMode': () => ({ type: plainText, text: options.plane() }),
    '/healthz': () => ({ type: plainText, text: 'ok' }),
  });
  return listenHttp({ ...options, handler });
}
