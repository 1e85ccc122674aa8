import type { ClaimEffects } from './claims.ts';
import type { Decision } from './decide.ts';
import type { Frontend, FrontendKey } from './frontend.ts';
import type { HealthCheck } from './health-check.ts';
import type { ServiceState } from './known-objects.ts';
import { isSameNotice, sortNotices } from './notice.ts';
import type { Notice } from './notice.ts';

/** What one round of changes did; `triggeredAtMs` is not its business. */
export interface RoundEnd {
  readonly changed: readonly Frontend[];
  readonly removed: readonly FrontendKey[];
  readonly healthChecks: readonly HealthCheck[];
  readonly healthChecksRemoved: readonly string[];
  readonly notices: readonly Notice[];
}

/** Collects what a round of changes did. A key may change hands between its Services: only its end counts. */
export class Round implements ClaimEffects<ServiceState> {
  /** What was in force before the round. */
  readonly #touched = new Map<FrontendKey, Frontend | undefined>();
  readonly #healthChecks: HealthCheck[] = [];
  readonly #healthChecksRemoved: string[] = [];
  /** Services to look at for notices, with the new ones that do not depend on others. */
  readonly #noticed = new Map<ServiceState, readonly Notice[]>();

  touch(key: FrontendKey, before: Frontend | undefined): void {
    if (!this.#touched.has(key)) this.#touched.set(key, before);
  }

  contest(state: ServiceState): void {
    if (this.#noticed.has(state)) return;
    const own = state.notices.filter((notice) => notice.reason !== 'AddressConflict');
    this.#noticed.set(state, own);
  }

  /** Takes over what was decided about a Service, besides its frontends. */
  settle(state: ServiceState, { healthCheck, notices, growth }: Decision): void {
    state.growth = growth;
    if (notices.length > 0 || state.notices.length > 0) this.#noticed.set(state, notices);
    const before = state.healthCheck;
    state.healthCheck = healthCheck;
    if (healthCheck === undefined) {
      if (before !== undefined) this.#healthChecksRemoved.push(state.key);
    } else if (before?.port !== healthCheck.port || before.localEndpoints !== healthCheck.localEndpoints) {
      this.#healthChecks.push(healthCheck);
    }
  }

  end(inForce: (key: FrontendKey) => Frontend | undefined): RoundEnd {
    const changed: Frontend[] = [];
    const removed: FrontendKey[] = [];
    for (const [key, before] of this.#touched) {
      const now = inForce(key);
      if (now !== undefined && now !== before) changed.push(now);
      else if (now === undefined && before !== undefined) removed.push(key);
    }
    const notices = sortNotices([...this.#noticed].flatMap(([state, own]) => renewNotices(state, own)));
    return {
      changed,
      removed,
      healthChecks: this.#healthChecks,
      healthChecksRemoved: this.#healthChecksRemoved,
      notices,
    };
  }
}

/** Sets what there is to tell about a Service; gives what is new of it. */
function renewNotices(state: ServiceState, own: readonly Notice[]): readonly Notice[] {
  const before = state.notices;
  const all = sortNotices([...own, ...(state.conflicts?.values() ?? [])]);
  state.notices = all.filter((notice, index) => {
    const previous = all[index - 1];
    return previous === undefined || !isSameNotice(notice, previous);
  });
  return state.notices.filter((notice) => !before.some((old) => isSameNotice(old, notice)));
}
