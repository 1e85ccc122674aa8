import type { Pod } from '../../api/core/pod.ts';
import type { Container } from '../../api/core/pod/container.ts';

/** How a container's process ended. Times are Unix milliseconds. */
export interface Exit {
  /** 0-255; 128 + n after signal n, as container runtimes report it. */
  readonly code: number;
  readonly reason: string;
  readonly message?: string;
  /** Undefined when it never ran. */
  readonly startedMs?: number;
  readonly finishedMs: number;
  readonly id: string;
}

/** What a probe says so far: `unknown` until its first threshold is reached. */
export type Verdict = 'unknown' | 'success' | 'failure';

/**
 * Where a container is in its life.
 *
 * ```
 * waiting ──start──► starting ──► running ──► exited ──restart──► starting …
 *    ▲                  │
 *    └── config error ──┘
 * ```
 */
export type ContainerPhase =
  | {
      readonly state: 'waiting';
      readonly reason?: string;
      readonly message?: string;
      /** Not before; undefined: only when something it needs changes. */
      readonly retryMs?: number;
    }
  | { readonly state: 'starting' }
  | {
      readonly state: 'running';
      readonly startedMs: number;
      /** The postStart hook. */
      readonly hook: 'none' | 'running' | 'done' | 'failed';
      readonly isStopping: boolean;
    }
  | { readonly state: 'exited'; readonly exit: Exit };

/** Crash back-off of one container. */
export interface BackOff {
  readonly delayMs: number;
  /** When the delay was last raised. */
  readonly atMs: number;
}

export interface ContainerState {
  readonly phase: ContainerPhase;
  /** Starts so far minus one; 0 before the first. */
  readonly restarts: number;
  /** Identity of the newest attempt; '' before the first. */
  readonly id: string;
  readonly last?: Exit;
  readonly backOff?: BackOff;
  readonly startup: Verdict;
  readonly liveness: Verdict;
  readonly readiness: Verdict;
}

/** The Pod's surroundings: network namespace, address, volumes. */
export type Sandbox =
  | { readonly state: 'none'; readonly message?: string; readonly retryMs?: number }
  | { readonly state: 'starting' }
  | { readonly state: 'ready'; readonly ip: string; readonly readyMs: number }
  | { readonly state: 'removing' }
  | { readonly state: 'removed'; readonly ip?: string };

/** Why and how a Pod is being ended. */
export interface Ending {
  readonly kind: 'deleted' | 'deadline';
  readonly sinceMs: number;
  readonly graceMs: number;
}

/** Everything the agent has observed of one Pod. */
export interface PodState {
  readonly sandbox: Sandbox;
  /** When the agent first saw the Pod. */
  readonly startedMs: number;
  readonly containers: ReadonlyMap<string, ContainerState>;
  readonly ending?: Ending;
}

export const newContainer: ContainerState = {
  phase: { state: 'waiting' },
  restarts: 0,
  id: '',
  startup: 'unknown',
  liveness: 'unknown',
  readiness: 'unknown',
};

/** An init container that keeps running beside the others (KEP-753). */
export function isSidecar(container: Container): boolean {
  return container.restartPolicy === 'Always';
}

export function initContainersOf(pod: Pod): readonly Container[] {
  return pod.spec.initContainers ?? [];
}

/** Every container of a Pod, init containers first. */
export function allContainersOf(pod: Pod): readonly Container[] {
  return [...initContainersOf(pod), ...pod.spec.containers];
}

export function stateOf(state: PodState, name: string): ContainerState {
  return state.containers.get(name) ?? newContainer;
}

/** Whether the startup probe (if any) has passed and the postStart hook is over: dependants may start. */
export function hasStarted(container: Container, state: ContainerState): boolean {
  if (state.phase.state !== 'running') return false;
  if (state.phase.hook === 'running' || state.phase.hook === 'failed') return false;
  return container.startupProbe === undefined || state.startup === 'success';
}

/** Ready: started, and the readiness probe (if any) succeeds. */
export function isContainerReady(container: Container, state: ContainerState): boolean {
  if (!hasStarted(container, state)) return false;
  return container.readinessProbe === undefined || state.readiness === 'success';
}
