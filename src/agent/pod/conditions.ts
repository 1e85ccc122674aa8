import { formatTime } from '../../api/times.ts';
import type { Pod } from '../../api/core/pod.ts';
import type { PodCondition } from '../../api/core/pod/pod-status.ts';
import { initializedCount } from './init-progress.ts';
import type { PodState } from './state.ts';
import { allContainersOf, initContainersOf, isContainerReady, isSidecar, stateOf } from './state.ts';

interface Finding {
  readonly type: string;
  readonly status: 'True' | 'False';
  readonly reason?: string;
  readonly message?: string;
}

/**
 * The conditions that the agent owns, in the kubelet's order; conditions of others stay. The transition time of a
 * condition whose status did not change stays too.
 */
export function podConditions(pod: Pod, state: PodState, phase: string, nowMs: number): readonly PodCondition[] {
  const containersReady = findContainersReady(pod, state, phase);
  const findings: readonly Finding[] = [
    { type: 'PodReadyToStartContainers', status: state.sandbox.state === 'ready' ? 'True' : 'False' },
    findInitialized(pod, state, phase),
    findReady(pod, containersReady),
    containersReady,
    { type: 'PodScheduled', status: 'True' },
  ];
  const old = pod.status?.conditions ?? [];
  const own = new Set(findings.map(({ type }) => type));
  const others = old.filter(({ type }) => !own.has(type));
  return [...findings.map((finding) => stamp(finding, old, pod.metadata.generation, nowMs)), ...others];
}

function stamp(
  finding: Finding,
  old: readonly PodCondition[],
  generation: number | undefined,
  nowMs: number,
): PodCondition {
  const before = old.find(({ type }) => type === finding.type);
  const isSame = before?.status === finding.status && before.lastTransitionTime !== undefined;
  const lastTransitionTime = isSame ? before.lastTransitionTime : formatTime(nowMs);
  return { ...finding, ...(generation === undefined ? {} : { observedGeneration: generation }), lastTransitionTime };
}

function findInitialized(pod: Pod, state: PodState, phase: string): Finding {
  const pending = initContainersOf(pod).slice(initializedCount(pod, state));
  if (phase === 'Succeeded') return { type: 'Initialized', status: 'True', reason: 'PodCompleted' };
  if (pending.length === 0) return { type: 'Initialized', status: 'True' };
  const message = `containers with incomplete status: [${pending.map(({ name }) => name).join(' ')}]`;
  return { type: 'Initialized', status: 'False', reason: 'ContainersNotInitialized', message };
}

function findContainersReady(pod: Pod, state: PodState, phase: string): Finding {
  const type = 'ContainersReady';
  if (phase === 'Succeeded') return { type, status: 'False', reason: 'PodCompleted' };
  if (phase === 'Failed') return { type, status: 'False', reason: 'PodFailed' };
  const counted = allContainersOf(pod).filter((each) => !initContainersOf(pod).includes(each) || isSidecar(each));
  const unready = counted.filter((each) => !isContainerReady(each, stateOf(state, each.name)));
  if (unready.length === 0) return { type, status: 'True' };
  const message = `containers with unready status: [${unready.map(({ name }) => name).join(' ')}]`;
  return { type, status: 'False', reason: 'ContainersNotReady', message };
}

function findReady(pod: Pod, containersReady: Finding): Finding {
  if (containersReady.status === 'False') return { ...containersReady, type: 'Ready' };
  const messages = (pod.spec.readinessGates ?? []).flatMap(({ conditionType }) => {
    const condition = pod.status?.conditions?.find(({ type }) => type === conditionType);
    if (condition === undefined) {
      return [`corresponding condition of pod readiness gate "${conditionType}" does not exist.`];
    }
    if (condition.status === 'True') return [];
    return [`the status of pod readiness gate "${conditionType}" is not "True", but ${condition.status}`];
  });
  if (messages.length === 0) return { type: 'Ready', status: 'True' };
  return { type: 'Ready', status: 'False', reason: 'ReadinessGatesNotReady', message: messages.join(', ') };
}
