import { type Logger, silentLogger } from '../../observe/log.ts';
import type { Frontend, FrontendChanges, FrontendKey } from '../../routing/frontend.ts';
import type { Applied, Dataplane, FrontendCounters } from '../dataplane.ts';
import { Drains } from './drains.ts';
import { endedAstray, endedByChange, type EndedFlows } from './ended-flows.ts';
import { type FlowTable, openKernelFlows } from './kernel-flows.ts';

/** A reset that failed is tried again after this. */
const retryMs = 1000;
/** The longest that a timer of Node waits. */
const longestTimerMs = 2 ** 31 - 1;

export interface StaleFlowsOptions {
  readonly logger?: Logger;
  /** Milliseconds that only go on. */
  readonly now?: () => number;
  readonly flows?: FlowTable;
}

/**
 * A plane whose changes end the flows that they make stale: UDP flows to backends that went, by the change itself; TCP
 * connections after the drain time that their frontend asks for. Nothing else is touched.
 *
 * `create` makes the plane; it gets a function to call when the plane has put right what others changed in the kernel, for
 * flows may have begun meanwhile that nothing translated.
 *
 * After a restart the drain time of what is draining begins anew, from what the kernel still tracks.
 */
export function endingStaleFlows(
  create: (restored: () => void) => Dataplane,
  options: StaleFlowsOptions = {},
): Dataplane {
  return new StaleFlowsPlane(create, options);
}

class StaleFlowsPlane implements Dataplane {
  readonly #plane: Dataplane;
  readonly #logger: Logger;
  readonly #now: () => number;
  readonly #flows: FlowTable;
  readonly #drains = new Drains();
  /** The frontends in force whose flows may ever have to end. */
  readonly #watched = new Map<FrontendKey, Frontend>();
  #timer: NodeJS.Timeout | undefined;

  constructor(create: (restored: () => void) => Dataplane, { logger, now, flows }: StaleFlowsOptions) {
    this.#logger = logger ?? silentLogger;
    this.#now = now ?? (() => performance.now());
    this.#flows = flows ?? openKernelFlows();
    this.#plane = create(() => this.#endAstray());
  }

  get name(): Dataplane['name'] {
    return this.#plane.name;
  }

  async adopt(desired: readonly Frontend[]): Promise<Applied> {
    const applied = await this.#plane.adopt(desired);
    const refused = new Set(applied.refused.map(({ key }) => key));
    this.#watched.clear();
    for (const frontend of desired) if (!refused.has(frontend.key)) this.#watch(frontend.key, frontend);
    this.#forget((applied.displaced ?? []).map((frontend) => endedByChange(frontend, undefined)));
    this.#endAstray();
    for (const { frontend, lost } of this.#flows.astray(this.#drained()))
      this.#drains.start(frontend, lost, this.#now());
    this.#arm();
    return applied;
  }

  async apply(changes: FrontendChanges): Promise<Applied> {
    const applied = await this.#plane.apply(changes);
    const refused = new Set(applied.refused.map(({ key }) => key));
    const next = new Map<FrontendKey, Frontend | undefined>(changes.removed.map((key) => [key, undefined]));
    for (const frontend of changes.changed) next.set(frontend.key, refused.has(frontend.key) ? undefined : frontend);
    this.#forget([...next].map(([key, frontend]) => endedByChange(this.#watched.get(key), frontend)));
    for (const [key, frontend] of next) {
      this.#drains.change(this.#watched.get(key), frontend, this.#now());
      this.#watch(key, frontend);
    }
    this.#arm();
    return applied;
  }

  dump(): Promise<readonly Frontend[]> {
    return this.#plane.dump();
  }

  counters(): Promise<ReadonlyMap<FrontendKey, FrontendCounters>> {
    return this.#plane.counters();
  }

  close(): Promise<void> {
    this.#stop();
    return this.#plane.close();
  }

  remove(): Promise<void> {
    this.#stop();
    return this.#plane.remove();
  }

  retire(signal: AbortSignal): Promise<void> {
    this.#stop();
    return this.#plane.retire(signal);
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#flows[Symbol.dispose]();
  }

  #watch(key: FrontendKey, frontend: Frontend | undefined): void {
    const isWatched = frontend?.protocol === 'UDP' || frontend?.resetAfterSeconds !== undefined;
    if (frontend !== undefined && isWatched) this.#watched.set(key, frontend);
    else this.#watched.delete(key);
  }

  #drained(): Frontend[] {
    return [...this.#watched.values()].filter(({ protocol }) => protocol === 'TCP');
  }

  /** Ends the UDP flows of all frontends that lead to none of their backends, wherever that comes from. */
  #endAstray(): void {
    this.#forget([...this.#watched.values()].map(endedAstray));
  }

  #forget(all: readonly (EndedFlows | undefined)[]): void {
    const ended = all.filter((each) => each !== undefined);
    if (ended.length > 0) this.#flows.forget(ended);
  }

  #arm(atLeastMs = 0): void {
    clearTimeout(this.#timer);
    const nextMs = this.#drains.nextMs;
    if (nextMs === undefined) return;
    const waitMs = Math.min(Math.max(nextMs - this.#now(), atLeastMs), longestTimerMs);
    this.#timer = setTimeout(() => this.#resetDue(), waitMs).unref();
  }

  #resetDue(): void {
    const nowMs = this.#now();
    const due = this.#drains.take(nowMs);
    try {
      this.#flows.reset(due);
      this.#arm();
    } catch (error) {
      this.#logger.error('connections to backends that went could not be reset; trying again', { error, retryMs });
      for (const { frontend, lost } of due) this.#drains.start({ ...frontend, resetAfterSeconds: 0 }, lost, nowMs);
      this.#arm(retryMs);
    }
  }
}
