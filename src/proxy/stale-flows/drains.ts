import type { Frontend, FrontendKey } from '../../routing/frontend.ts';
import { type EndedFlows, flowTargets } from './ended-flows.ts';

/**
 * When the TCP connections to backends that went are reset: the drain time of their frontend after they went. A backend
 * that comes back before that is left alone. Pure: time is an argument, in milliseconds of any clock that only goes on.
 */
export class Drains {
  /** By frontend: when each lost backend is due. */
  readonly #due = new Map<FrontendKey, { readonly frontend: Frontend; readonly backends: Map<string, number> }>();

  /** Takes note of a change. */
  change(old: Frontend | undefined, next: Frontend | undefined, nowMs: number): void {
    const frontend = next ?? old;
    if (frontend === undefined) return;
    const targets = flowTargets(next);
    if (frontend.protocol !== 'TCP' || frontend.resetAfterSeconds === undefined) this.#due.delete(frontend.key);
    else this.start(frontend, flowTargets(old).difference(targets), nowMs);
    const draining = this.#due.get(frontend.key)?.backends;
    for (const target of targets) draining?.delete(target);
    if (draining?.size === 0) this.#due.delete(frontend.key);
  }

  /** Backends that a frontend does not have are to be drained from now; those that are already keep their time. */
  start(frontend: Frontend, lost: Iterable<string>, nowMs: number): void {
    const dueMs = nowMs + (frontend.resetAfterSeconds ?? 0) * 1000;
    const known = this.#due.get(frontend.key)?.backends;
    const backends = new Map(known);
    for (const target of lost) backends.set(target, Math.min(dueMs, known?.get(target) ?? dueMs));
    if (backends.size > 0) this.#due.set(frontend.key, { frontend, backends });
  }

  /** When the next is due; undefined when none drains. */
  get nextMs(): number | undefined {
    let next: number | undefined;
    for (const { backends } of this.#due.values()) {
      for (const dueMs of backends.values()) next = Math.min(dueMs, next ?? dueMs);
    }
    return next;
  }

  /** Those that are due, which are no longer kept here. */
  take(nowMs: number): EndedFlows[] {
    const ended: EndedFlows[] = [];
    for (const [key, { frontend, backends }] of this.#due) {
      const lost = new Set([...backends].filter(([, dueMs]) => dueMs <= nowMs).map(([target]) => target));
      if (lost.size === 0) continue;
      ended.push({ frontend, lost, kept: undefined });
      for (const target of lost) backends.delete(target);
      if (backends.size === 0) this.#due.delete(key);
    }
    return ended;
  }
}
