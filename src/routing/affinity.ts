import type { Service } from '../api/core/service.ts';
import type { Frontend } from './frontend.ts';

/** Three hours: the API's default for `sessionAffinityConfig.clientIP.timeoutSeconds`. */
const defaultTimeoutSeconds = 10_800;

/** ClientIP affinity of a Service; undefined for none. */
export function affinityOf(service: Service): Frontend['affinity'] {
  if (service.spec?.sessionAffinity !== 'ClientIP') return undefined;
  return { timeoutSeconds: service.spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? defaultTimeoutSeconds };
}
