import { formatTime } from '../../api/times.ts';
import type { Pod } from '../../api/core/pod.ts';
import type { Container } from '../../api/core/pod/container.ts';
import type { ContainerState as ApiState, ContainerStatus } from '../../api/core/pod/container-status.ts';
import type { PodStatus } from '../../api/core/pod/pod-status.ts';
import { podConditions } from './conditions.ts';
import { qosClassOf } from './qos.ts';
import { mayRestart, restartAtMs } from './restart.ts';
import { initFailed } from './decide.ts';
import type { ContainerState, Exit, PodState } from './state.ts';
import { initializedCount } from './init-progress.ts';
import { hasStarted, initContainersOf, isContainerReady, isSidecar, stateOf } from './state.ts';

/** The Pod's status as the API shows it. Pure; `nowMs` stamps conditions that change. */
export function podStatus(pod: Pod, state: PodState, node: { readonly hostIp: string }, nowMs: number): PodStatus {
  const phase = podPhase(pod, state);
  const ip = state.sandbox.state === 'ready' || state.sandbox.state === 'removed' ? state.sandbox.ip : undefined;
  const isInitialized = initializedCount(pod, state) === initContainersOf(pod).length;
  const statuses = (containers: readonly Container[], isInit: boolean) =>
    containers.map((each) => containerStatus(pod, each, state, isInit || isInitialized, nowMs));
  return {
    ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
    phase,
    conditions: podConditions(pod, state, phase, nowMs),
    ...failureReason(state, phase),
    hostIP: node.hostIp,
    hostIPs: [{ ip: node.hostIp }],
    ...(ip === undefined ? {} : { podIP: ip, podIPs: [{ ip }] }),
    startTime: formatTime(state.startedMs),
    ...(initContainersOf(pod).length === 0 ? {} : { initContainerStatuses: statuses(initContainersOf(pod), true) }),
    containerStatuses: statuses(pod.spec.containers, false),
    qosClass: qosClassOf(pod),
  };
}

function failureReason(state: PodState, phase: string): Pick<PodStatus, 'reason' | 'message'> {
  if (phase !== 'Failed' || state.ending?.kind !== 'deadline') return {};
  return { reason: 'DeadlineExceeded', message: 'Pod was active on the node longer than the specified deadline' };
}

/** The phase, by the kubelet's rules. */
export function podPhase(pod: Pod, state: PodState): NonNullable<PodStatus['phase']> {
  const states = pod.spec.containers.map((each) => stateOf(state, each.name));
  const isEnding = state.ending !== undefined;
  if (state.ending?.kind === 'deadline') return 'Failed';
  if (initFailed(pod, state)) return 'Failed';
  const isStopped = ({ phase, last }: ContainerState) => phase.state === 'exited' || last !== undefined;
  if (states.some(({ phase }) => phase.state === 'running')) return 'Running';
  if (!states.every(isStopped)) return 'Pending';
  const exits = states.flatMap(({ phase }) => (phase.state === 'exited' ? [phase.exit] : []));
  const wouldRestart = pod.spec.containers.some((each, index) => {
    const exit = exits[index];
    return exit === undefined || mayRestart(pod, each, exit);
  });
  const sidecarsUp = initContainersOf(pod).some(
    (each) => isSidecar(each) && stateOf(state, each.name).phase.state === 'running',
  );
  if ((wouldRestart && !isEnding) || sidecarsUp || exits.length < states.length) return 'Running';
  return exits.every(({ code }) => code === 0) ? 'Succeeded' : 'Failed';
}

function containerStatus(
  pod: Pod,
  container: Container,
  pods: PodState,
  mayBegin: boolean,
  nowMs: number,
): ContainerStatus {
  const state = stateOf(pods, container.name);
  const { current, last } = apiStates(pod, container, pods, mayBegin, nowMs);
  const isInit = initContainersOf(pod).includes(container) && !isSidecar(container);
  const isDone = state.phase.state === 'exited' && state.phase.exit.code === 0;
  return {
    name: container.name,
    state: current,
    lastState: last,
    ready: isInit ? isDone : isContainerReady(container, state),
    restartCount: state.restarts,
    image: container.image ?? '',
    imageID: '',
    ...(state.id === '' ? {} : { containerID: containerId(state.id) }),
    started: isInit ? state.phase.state === 'running' : hasStarted(container, state),
    ...(container.resources === undefined ? {} : { resources: container.resources }),
  };
}

function containerId(id: string): string {
  return `fairlead://${id}`;
}

function apiStates(pod: Pod, container: Container, pods: PodState, mayBegin: boolean, nowMs: number) {
  const state = stateOf(pods, container.name);
  const last: ApiState = state.last === undefined ? {} : { terminated: terminated(state.last) };
  const { phase } = state;
  if (phase.state === 'running') return { current: { running: { startedAt: formatTime(phase.startedMs) } }, last };
  if (phase.state === 'exited') {
    const isBackingOff =
      pods.ending === undefined && mayRestart(pod, container, phase.exit) && restartAtMs(state, phase.exit) > nowMs;
    if (!isBackingOff) return { current: { terminated: terminated(phase.exit) }, last };
    return { current: { waiting: crashLoop(pod, container, state) }, last: { terminated: terminated(phase.exit) } };
  }
  return { current: { waiting: waiting(pods, phase, mayBegin) }, last };
}

function waiting(pods: PodState, phase: ContainerState['phase'], mayBegin: boolean): NonNullable<ApiState['waiting']> {
  if (phase.state === 'waiting' && phase.reason !== undefined) {
    return { reason: phase.reason, ...(phase.message === undefined ? {} : { message: phase.message }) };
  }
  if (pods.sandbox.state === 'none' && pods.sandbox.message !== undefined) {
    return { reason: 'ContainerCreating', message: pods.sandbox.message };
  }
  return { reason: mayBegin ? 'ContainerCreating' : 'PodInitializing' };
}

function crashLoop(pod: Pod, container: Container, state: ContainerState): NonNullable<ApiState['waiting']> {
  const seconds = (state.backOff?.delayMs ?? 0) / 1000;
  const delay = seconds >= 60 ? `${Math.floor(seconds / 60)}m${seconds % 60}s` : `${seconds}s`;
  const { name, namespace, uid } = pod.metadata;
  const message = `back-off ${delay} restarting failed container=${container.name} pod=${name}_${namespace}(${uid})`;
  return { reason: 'CrashLoopBackOff', message };
}

function terminated(exit: Exit): NonNullable<ApiState['terminated']> {
  return {
    exitCode: exit.code,
    reason: exit.reason,
    ...(exit.message === undefined ? {} : { message: exit.message }),
    ...(exit.startedMs === undefined ? {} : { startedAt: formatTime(exit.startedMs) }),
    finishedAt: formatTime(exit.finishedMs),
    ...(exit.id === '' ? {} : { containerID: containerId(exit.id) }),
  };
}
