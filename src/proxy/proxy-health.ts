import type { Node } from '../api/core/node.ts';

/** Put on a Node by the cluster autoscaler before it takes the machine away. */
const toBeDeletedTaint = 'ToBeDeletedByClusterAutoscaler';

/**
 * Whether the proxy keeps up, and whether load balancers should still send traffic to this node (KEP-3836). Times are Unix
 * milliseconds. Pure.
 */
export class ProxyHealth {
  /** Changes may wait this long, in milliseconds. */
  readonly #patienceMs: number;
  #queuedAtMs: number | undefined;
  #updatedAtMs: number | undefined;
  #isNodeEligible = true;

  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs;
  }

  /** Changes wait for the plane. */
  queued(nowMs: number): void {
    this.#queuedAtMs ??= nowMs;
  }

  /** Everything queued is in force. */
  updated(nowMs: number): void {
    this.#queuedAtMs = undefined;
    this.#updatedAtMs = nowMs;
  }

  /** This Node as it is; undefined when there is none, which says nothing. */
  sawNode(node: Node | undefined): void {
    if (node === undefined) return;
    const isTainted = (node.spec?.taints ?? []).some((taint) => taint?.key === toBeDeletedTaint);
    this.#isNodeEligible = node.metadata.deletionTimestamp === undefined && !isTainted;
  }

  /** Nothing waits too long. True during the start. */
  isHealthy(nowMs: number): boolean {
    return this.#queuedAtMs === undefined || nowMs - this.#queuedAtMs < this.#patienceMs;
  }

  /** False when this Node is on its way out: connections that are stay, new ones should go elsewhere. */
  get isNodeEligible(): boolean {
    return this.#isNodeEligible;
  }

  /** Everything that is known has been in force once. */
  get isReady(): boolean {
    return this.#updatedAtMs !== undefined;
  }

  /**
   * When the plane last was up to date: now while the proxy is healthy, as kube-proxy tells it; undefined before the
   * first time.
   */
  lastUpdatedMs(nowMs: number): number | undefined {
    return this.isHealthy(nowMs) ? nowMs : this.#updatedAtMs;
  }
}
