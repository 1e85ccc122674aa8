import type { Pod } from '../../api/core/pod.ts';
import type { Container } from '../../api/core/pod/container.ts';
import { mayRestart, restartAtMs } from './restart.ts';
import type { ContainerState, Exit, PodState } from './state.ts';
import { allContainersOf, hasStarted, initContainersOf, isSidecar, stateOf } from './state.ts';

/** What the shell has to do now. */
export type Action =
  | { readonly type: 'startSandbox' }
  | { readonly type: 'start'; readonly container: Container }
  | {
      readonly type: 'stop';
      readonly container: Container;
      readonly graceMs: number;
      readonly why: 'ending' | 'startup' | 'liveness' | 'postStart' | 'podFinished';
    }
  | { readonly type: 'removeSandbox' }
  /** Nothing of the Pod is left here: delete it from the API (when deleted) and forget it. */
  | { readonly type: 'finish' }
  | { readonly type: 'end'; readonly kind: 'deadline' };

export interface Decision {
  readonly actions: readonly Action[];
  /** Ask again then (Unix ms), also when nothing happens. */
  readonly wakeMs?: number;
}

const nothing: Decision = { actions: [] };

/** Decides what to do for a Pod. Pure and level-triggered: the same state gives the same actions until it changes. */
export function decide(pod: Pod, state: PodState, nowMs: number): Decision {
  if (state.ending !== undefined) return endPod(pod, state, state.ending.graceMs);
  const deadline = deadlineMs(pod, state);
  if (deadline !== undefined && nowMs >= deadline && !isOver(pod, state)) {
    return { actions: [{ type: 'end', kind: 'deadline' }] };
  }
  return sooner(runPod(pod, state, nowMs), deadline);
}

function sooner(decision: Decision, atMs: number | undefined): Decision {
  if (atMs === undefined) return decision;
  return { ...decision, wakeMs: Math.min(atMs, decision.wakeMs ?? Number.POSITIVE_INFINITY) };
}

function deadlineMs(pod: Pod, state: PodState): number | undefined {
  const seconds = pod.spec.activeDeadlineSeconds;
  return seconds === undefined ? undefined : state.startedMs + seconds * 1000;
}

function runPod(pod: Pod, state: PodState, nowMs: number): Decision {
  if (isOver(pod, state)) return endPod(pod, state, graceMsOf(pod));
  switch (state.sandbox.state) {
    case 'none': {
      const { retryMs } = state.sandbox;
      if (retryMs !== undefined && retryMs > nowMs) return { actions: [], wakeMs: retryMs };
      return { actions: [{ type: 'startSandbox' }] };
    }
    case 'ready':
      return runContainers(pod, state, nowMs);
    default:
      return nothing;
  }
}

function runContainers(pod: Pod, state: PodState, nowMs: number): Decision {
  const steps: Decision[] = [];
  for (const container of initContainersOf(pod)) {
    const current = stateOf(state, container.name);
    if (!isSidecar(container) && isDone(pod, container, current)) continue;
    steps.push(runContainer(pod, container, current, nowMs));
    if (!isSidecar(container) || !hasStarted(container, current)) {
      // What already runs keeps being looked after while an earlier sidecar restarts.
      return merge([...steps, ...tendRunning(pod, state, nowMs, container)]);
    }
  }
  return merge([
    ...steps,
    ...pod.spec.containers.map((each) => runContainer(pod, each, stateOf(state, each.name), nowMs)),
  ]);
}

function tendRunning(pod: Pod, state: PodState, nowMs: number, after: Container): Decision[] {
  const all = allContainersOf(pod);
  const later = all.slice(all.indexOf(after) + 1);
  const begun = later.filter(({ name }) => stateOf(state, name).id !== '' && !isFinishedInit(pod, state, name));
  return begun.map((each) => runContainer(pod, each, stateOf(state, each.name), nowMs));
}

function isFinishedInit(pod: Pod, state: PodState, name: string): boolean {
  const container = initContainersOf(pod).find((each) => each.name === name);
  return container !== undefined && !isSidecar(container) && isDone(pod, container, stateOf(state, name));
}

function runContainer(pod: Pod, container: Container, state: ContainerState, nowMs: number): Decision {
  const { phase } = state;
  switch (phase.state) {
    case 'waiting': {
      if (phase.reason === undefined) return { actions: [{ type: 'start', container }] };
      if (phase.retryMs === undefined) return nothing;
      return phase.retryMs > nowMs
        ? { actions: [], wakeMs: phase.retryMs }
        : { actions: [{ type: 'start', container }] };
    }
    case 'running':
      return checkHealth(pod, container, state);
    case 'exited':
      return restart(pod, container, state, phase.exit, nowMs);
    case 'starting':
      return nothing;
  }
}

function restart(pod: Pod, container: Container, state: ContainerState, exit: Exit, nowMs: number): Decision {
  if (!mayRestart(pod, container, exit)) return nothing;
  const atMs = restartAtMs(state, exit);
  return atMs > nowMs ? { actions: [], wakeMs: atMs } : { actions: [{ type: 'start', container }] };
}

function checkHealth(pod: Pod, container: Container, state: ContainerState): Decision {
  if (state.phase.state !== 'running' || state.phase.isStopping) return nothing;
  const stop = (why: 'startup' | 'liveness' | 'postStart', graceSeconds?: number): Decision => ({
    actions: [
      { type: 'stop', container, why, graceMs: graceSeconds === undefined ? graceMsOf(pod) : graceSeconds * 1000 },
    ],
  });
  if (state.phase.hook === 'failed') return stop('postStart');
  if (state.startup === 'failure') return stop('startup', container.startupProbe?.terminationGracePeriodSeconds);
  if (state.liveness === 'failure') return stop('liveness', container.livenessProbe?.terminationGracePeriodSeconds);
  return nothing;
}

/** Ends the Pod: its containers first, then its sidecars from last to first, then its surroundings. */
function endPod(pod: Pod, state: PodState, graceMs: number): Decision {
  const isUp = ({ name }: Container) => ['running', 'starting'].includes(stateOf(state, name).phase.state);
  const ordinary = [...pod.spec.containers, ...initContainersOf(pod).filter((each) => !isSidecar(each))].filter(isUp);
  const lastSidecar = initContainersOf(pod).filter(isSidecar).findLast(isUp);
  const next = ordinary.length > 0 ? ordinary : lastSidecar === undefined ? [] : [lastSidecar];
  if (next.length > 0) {
    const why = state.ending === undefined ? 'podFinished' : 'ending';
    const toStop = next.filter(({ name }) => needsStop(stateOf(state, name)));
    return { actions: toStop.map((container) => ({ type: 'stop', container, graceMs, why })) };
  }
  if (state.sandbox.state === 'ready') return { actions: [{ type: 'removeSandbox' }] };
  const isGone = state.sandbox.state === 'removed' || state.sandbox.state === 'none';
  return isGone && state.ending?.kind === 'deleted' ? { actions: [{ type: 'finish' }] } : nothing;
}

function needsStop({ phase }: ContainerState): boolean {
  return phase.state === 'running' && !phase.isStopping;
}

/** Whether the Pod will run nothing again by itself: all containers ended for good, or an init container failed for good. */
export function isOver(pod: Pod, state: PodState): boolean {
  return initFailed(pod, state) || pod.spec.containers.every((each) => isEnded(pod, each, stateOf(state, each.name)));
}

/** Whether an init container failed and must not be tried again. */
export function initFailed(pod: Pod, state: PodState): boolean {
  return initContainersOf(pod).some((each) => {
    const { phase } = stateOf(state, each.name);
    return !isSidecar(each) && phase.state === 'exited' && phase.exit.code !== 0 && !mayRestart(pod, each, phase.exit);
  });
}

function isEnded(pod: Pod, container: Container, { phase }: ContainerState): boolean {
  return phase.state === 'exited' && !mayRestart(pod, container, phase.exit);
}

/** An init container that succeeded. */
function isDone(pod: Pod, container: Container, state: ContainerState): boolean {
  return isEnded(pod, container, state) && state.phase.state === 'exited' && state.phase.exit.code === 0;
}

/** The Pod's own grace period. */
export function graceMsOf(pod: Pod): number {
  return (pod.spec.terminationGracePeriodSeconds ?? 30) * 1000;
}

function merge(decisions: readonly Decision[]): Decision {
  const wakes = decisions.flatMap(({ wakeMs }) => (wakeMs === undefined ? [] : [wakeMs]));
  const actions = decisions.flatMap((each) => each.actions);
  return wakes.length === 0 ? { actions } : { actions, wakeMs: Math.min(...wakes) };
}
