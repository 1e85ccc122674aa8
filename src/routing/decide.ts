import type { Frontend } from './frontend.ts';
import { frontendsOf } from './frontends-of.ts';
import type { Circumstances } from './frontends-of.ts';
import { healthCheckOf } from './health-check.ts';
import type { HealthCheck } from './health-check.ts';
import type { ServiceState } from './known-objects.ts';
import { noteNoLocalEndpoints } from './no-local-endpoints.ts';
import { noticeOf } from './notice.ts';
import type { Note, Notice } from './notice.ts';
import { isSameFrontend } from './same-frontend.ts';
import type { Growth } from './slow-start.ts';

/** What a Service asks for, whatever others ask for. */
export interface Decision {
  /** Those that stay the same are the objects they were. */
  readonly frontends: readonly Frontend[];
  readonly healthCheck: HealthCheck | undefined;
  readonly notices: readonly Notice[];
  /** Of a Service with slow start. */
  readonly growth: Growth | undefined;
}

/** Decides one Service from its objects. */
export function decide(state: ServiceState, circumstances: Circumstances): Decision {
  const { key, service, slices } = state;
  if (service === undefined) return { frontends: [], healthCheck: undefined, notices: [], growth: undefined };
  const notices: Notice[] = [];
  const note: Note = (reason, message) => void notices.push(noticeOf(key, reason, message));
  const { growth, ...asked } = frontendsOf(service, slices, circumstances, state.growth?.openings, note);
  const frontends = keepSame(state.frontends, asked.frontends);
  noteNoLocalEndpoints(service, frontends, circumstances.place.nodeName, note);
  const families = new Set(frontends.map((frontend) => frontend.family));
  return { frontends, healthCheck: healthCheckOf(service, families, slices), notices, growth };
}

function keepSame(before: readonly Frontend[], now: readonly Frontend[]): readonly Frontend[] {
  const known = new Map(before.map((frontend) => [frontend.key, frontend]));
  return now.map((frontend) => {
    const old = known.get(frontend.key);
    return old !== undefined && isSameFrontend(old, frontend) ? old : frontend;
  });
}
