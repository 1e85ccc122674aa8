import { Service } from '../api/core/service.ts';
import { createEventRecorder } from '../client/event-recorder.ts';
import { plainLine } from '../lib/plain-line.ts';
import type { Counter } from '../observe/metrics.ts';
import { servicesOf } from './caches.ts';
import type { ProxyConfig } from './config.ts';

/** Something to tell about a Service (`namespace/name`). */
interface News {
  readonly service: string;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

/** How much is kept of what is told before the Services are known; the rest is in the log. */
const maxWaiting = 1000;

/**
 * Tells users about a Service, on one line whatever it quotes: an event on it, a line in the log, a figure. An event for a Service that is not known yet
 * waits for the first list of Services; none is written for one that is not in it.
 */
export interface ServiceEvents extends AsyncDisposable {
  tell(news: News): void;
}

export function createServiceEvents(config: ProxyConfig, counter: Counter): ServiceEvents {
  const { client, nodeName, logger, now, isOnlyNode = false } = config;
  const recorder = createEventRecorder({ client, component: 'proxy', host: nodeName, logger, now });
  const services = servicesOf(config);
  const waiting: News[] = [];
  const record = ({ service, type, reason, message }: News): boolean => {
    const [namespace, name = ''] = service.split('/');
    const object = services.get(name, namespace);
    if (object !== undefined) recorder.record(Service, object, { type, reason, message });
    return object !== undefined;
  };
  void services.synced.then(() => waiting.splice(0).forEach(record));
  return {
    tell(told) {
      const news = { ...told, message: plainLine(told.message) };
      const { service, type, reason, message } = news;
      counter.inc({ reason });
      logger[type === 'Warning' ? 'warn' : 'info'](message, { service, reason });
      // What is in order on most nodes of a cluster would be an event from each of them.
      if (type === 'Normal' && !isOnlyNode) return;
      if (!record(news) && !services.isSynced && waiting.length < maxWaiting) waiting.push(news);
    },
    [Symbol.asyncDispose]: () => recorder[Symbol.asyncDispose](),
  };
}
