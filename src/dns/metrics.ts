import type { Metrics } from '../observe/metrics.ts';
import type { Transport } from './client.ts';
import { rcodeName } from './wire/types.ts';

/** Counts queries without making label texts for each: a query takes a microsecond or two altogether. */
export interface QueryCounts extends Disposable {
  /** `handler` is an index into the names given at creation. */
  add(handler: number, rcode: number, transport: Transport, count?: number): void;
}

const rcodeSlots = 32;
const transports: readonly Transport[] = ['udp', 'tcp', 'tls', 'https'];
const flushEveryMs = 1000;

/** Counters that reach the registry once a second, while there are queries. */
export function createQueryCounts(metrics: Metrics, handlers: readonly string[]): QueryCounts {
  const counter = metrics.counter({
    name: 'fairlead_dns_queries_total',
    help: 'Queries answered, by the handler that answered and the response code.',
    labels: ['handler', 'rcode', 'transport'],
  });
  const counts = new Float64Array(handlers.length * rcodeSlots * transports.length);
  let timer: NodeJS.Timeout | undefined;

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    for (const [index, count] of counts.entries()) {
      if (count === 0) continue;
      counts[index] = 0;
      const cell = Math.floor(index / transports.length);
      const transport = transports[index % transports.length] ?? 'udp';
      const handler = handlers[Math.floor(cell / rcodeSlots)] ?? '';
      counter.inc({ handler, rcode: rcodeName(cell % rcodeSlots), transport }, count);
    }
  }

  return {
    add(handler, rcode, transport, count = 1) {
      const index = (handler * rcodeSlots + (rcode % rcodeSlots)) * transports.length + transports.indexOf(transport);
      counts[index] = (counts[index] ?? 0) + count;
      timer ??= setTimeout(flush, flushEveryMs).unref();
    },
    [Symbol.dispose]: flush,
  };
}
