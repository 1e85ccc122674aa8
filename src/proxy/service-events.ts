import { Service } from '../api/core/service.ts';
import { createEventRecorder } from '../client/event-recorder.ts';
import type { ProxyConfig } from './config.ts';
import { servicesOf } from './follow.ts';

/** Tells users about a Service: a Warning event on it, and a line in the log. */
export interface ServiceEvents extends AsyncDisposable {
  warn(service: string, reason: string, message: string): void;
}

export function createServiceEvents(config: ProxyConfig): ServiceEvents {
  const { client, nodeName, logger, now } = config;
  const recorder = createEventRecorder({ client, component: 'proxy', host: nodeName, logger, now });
  return {
    warn(service, reason, message) {
      logger.warn(message, { service, reason });
      const [namespace, name = ''] = service.split('/');
      const object = servicesOf(config).get(name, namespace);
      if (object !== undefined) recorder.record(Service, object, { type: 'Warning', reason, message });
    },
    [Symbol.asyncDispose]: () => recorder[Symbol.asyncDispose](),
  };
}
