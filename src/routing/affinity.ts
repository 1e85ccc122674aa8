import type { Service } from '../api/core/service.ts';
import type { Frontend } from './frontend.ts';

/** Three hours: the API's default for `sessionAffinityConfig.clientIP.timeoutSeconds`. */
const defaultTimeoutSeconds = 10_800;

/** A day. */
const longestTimeoutSeconds = 86_400;

/** ClientIP affinity of a Service; undefined for none. */
export function affinityOf(service: Service): Frontend['affinity'] {
  if (service.spec?.sessionAffinity !== 'ClientIP') return undefined;
  const asked = service.spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? defaultTimeoutSeconds;
  // An API server refuses others.
  const isValid = Number.isInteger(asked) && asked > 0 && asked <= longestTimeoutSeconds;
  return { timeoutSeconds: isValid ? asked : defaultTimeoutSeconds };
}
