import { Service } from '../api/core/service.ts';
import { createEventRecorder } from '../client/event-recorder.ts';
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

/** Tells users about a Service: an event on it, a line in the log, a figure. */
export interface ServiceEvents extends AsyncDisposable {
  tell(news: News): void;
}

export function createServiceEvents(config: ProxyConfig, counter: Counter): ServiceEvents {
  const { client, nodeName, logger, now, isOnlyNode = false } = config;
  const recorder = createEventRecorder({ client, component: 'proxy', host: nodeName, logger, now });
  return {
    tell({ service, type, reason, message }) {
      counter.inc({ reason });
      logger[type === 'Warning' ? 'warn' : 'info'](message, { service, reason });
      // What is in order on most nodes of a cluster would be an event from each of them.
      if (type === 'Normal' && !isOnlyNode) return;
      const [namespace, name = ''] = service.split('/');
      const object = servicesOf(config).get(name, namespace);
      if (object !== undefined) recorder.record(Service, object, { type, reason, message });
    },
    [Symbol.asyncDispose]: () => recorder[Symbol.asyncDispose](),
  };
}
