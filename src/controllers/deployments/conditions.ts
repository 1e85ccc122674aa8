import type { Deployment, DeploymentCondition, DeploymentStatus } from '../../api/apps/deployment.ts';
import type { ReplicaSet } from '../../api/apps/replica-set.ts';
import { formatTime } from '../../api/times.ts';
import { boundsOf, desiredSize } from './sizes.ts';

/** The conditions of a Deployment with Kubernetes' reasons and messages. Pure. */

export type Conditions = readonly DeploymentCondition[];

/** What a condition says, without its times. */
export type Statement = Pick<DeploymentCondition, 'type' | 'status' | 'reason' | 'message'>;

/** Absent means never; Kubernetes' largest 32-bit number as well. */
const noDeadline = 2_147_483_647;

export function conditionOf(conditions: Conditions | undefined, type: string): DeploymentCondition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

/** The conditions with one of them stated; its times change only with its status (transition) or reason (update). */
export function withCondition(conditions: Conditions, statement: Statement, nowMs: number): Conditions {
  const old = conditionOf(conditions, statement.type);
  if (old?.status === statement.status && old.reason === statement.reason) return conditions;
  return replaceCondition(conditions, statement, nowMs);
}

function replaceCondition(conditions: Conditions, statement: Statement, nowMs: number): Conditions {
  const old = conditionOf(conditions, statement.type);
  const now = formatTime(nowMs);
  const lastTransitionTime = old?.status === statement.status ? old.lastTransitionTime : now;
  const others = conditions.filter(({ type }) => type !== statement.type);
  return [...others, { ...statement, lastUpdateTime: now, lastTransitionTime }];
}

function withoutCondition(conditions: Conditions, type: string): Conditions {
  return conditions.filter((condition) => condition.type !== type);
}

export function availableCondition(deployment: Deployment, availableReplicas: number): Statement {
  const { desired, unavailable } = boundsOf(deployment);
  return availableReplicas >= desired - unavailable
    ? {
        type: 'Available',
        status: 'True',
        reason: 'MinimumReplicasAvailable',
        message: 'Deployment has minimum availability.',
      }
    : {
        type: 'Available',
        status: 'False',
        reason: 'MinimumReplicasUnavailable',
        message: 'Deployment does not have minimum availability.',
      };
}

export function progressing(reason: string, message: string, status: Statement['status'] = 'True'): Statement {
  return { type: 'Progressing', status, reason, message };
}

export function hasDeadline({ spec }: Deployment): boolean {
  return (spec.progressDeadlineSeconds ?? noDeadline) !== noDeadline;
}

/** All Pods are of the newest template and available. */
export function isComplete(deployment: Deployment, status: DeploymentStatus): boolean {
  const desired = desiredSize(deployment);
  return (
    status.updatedReplicas === desired &&
    status.replicas === desired &&
    status.availableReplicas === desired &&
    (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  );
}

/** Did the last moment bring the rollout forward? */
function isProgressing({ status: old = {} }: Deployment, status: DeploymentStatus): boolean {
  const oldOnes = (each: DeploymentStatus) => (each.replicas ?? 0) - (each.updatedReplicas ?? 0);
  return (
    (status.updatedReplicas ?? 0) > (old.updatedReplicas ?? 0) ||
    oldOnes(status) < oldOnes(old) ||
    (status.readyReplicas ?? 0) > (old.readyReplicas ?? 0) ||
    (status.availableReplicas ?? 0) > (old.availableReplicas ?? 0)
  );
}

/** When the rollout counts as stuck unless it moves, in Unix milliseconds; undefined when it is not waited for. */
export function deadlineMs(deployment: Deployment, conditions: Conditions): number | undefined {
  const condition = conditionOf(conditions, 'Progressing');
  if (!hasDeadline(deployment) || condition === undefined || deployment.spec.paused) return undefined;
  if (condition.reason === 'NewReplicaSetAvailable' || condition.reason === 'ProgressDeadlineExceeded')
    return undefined;
  return Date.parse(condition.lastUpdateTime ?? '') + (deployment.spec.progressDeadlineSeconds ?? 0) * 1000;
}

/** The `Progressing` condition after a pass of a rollout whose status is `status`. */
export function progressConditions(
  deployment: Deployment,
  status: DeploymentStatus,
  newest: ReplicaSet | undefined,
  nowMs: number,
): Conditions {
  const conditions = status.conditions ?? [];
  const current = conditionOf(conditions, 'Progressing');
  const wasComplete = current?.reason === 'NewReplicaSetAvailable' && status.replicas === status.updatedReplicas;
  if (!hasDeadline(deployment) || wasComplete) return conditions;
  const subject =
    newest === undefined
      ? `Deployment ${JSON.stringify(deployment.metadata.name)}`
      : `ReplicaSet ${JSON.stringify(newest.metadata.name)}`;
  if (isComplete(deployment, status)) {
    const statement = progressing('NewReplicaSetAvailable', `${subject} has successfully progressed.`);
    return withCondition(conditions, statement, nowMs);
  }
  if (isProgressing(deployment, status)) {
    return replaceCondition(conditions, progressing('ReplicaSetUpdated', `${subject} is progressing.`), nowMs);
  }
  const deadline = deadlineMs(deployment, conditions);
  if (deadline === undefined || nowMs < deadline) return conditions;
  const statement = progressing('ProgressDeadlineExceeded', `${subject} has timed out progressing.`, 'False');
  return withCondition(conditions, statement, nowMs);
}

/** Says so when a ReplicaSet cannot make its Pods; the newest one's trouble first. */
export function failureConditions(
  conditions: Conditions,
  newest: ReplicaSet | undefined,
  all: readonly ReplicaSet[],
): Conditions {
  const failureOf = (set: ReplicaSet) => set.status?.conditions?.find(({ type }) => type === 'ReplicaFailure');
  const failure = [...(newest === undefined ? [] : [newest]), ...all].map(failureOf).find((each) => each !== undefined);
  const others = withoutCondition(conditions, 'ReplicaFailure');
  if (failure === undefined) return others;
  const { status, reason, message, lastTransitionTime } = failure;
  const time = { lastTransitionTime, lastUpdateTime: lastTransitionTime };
  return [...others, { type: 'ReplicaFailure', status, reason, message, ...time }];
}

/** `Progressing` says whether the rollout is paused, so that a pause does not count against the deadline. */
export function pauseConditions(deployment: Deployment, conditions: Conditions, nowMs: number): Conditions {
  if (!hasDeadline(deployment)) return conditions;
  const current = conditionOf(conditions, 'Progressing');
  if (current?.reason === 'ProgressDeadlineExceeded') return conditions;
  const isShownPaused = current?.reason === 'DeploymentPaused';
  if (deployment.spec.paused && !isShownPaused) {
    return withCondition(conditions, progressing('DeploymentPaused', 'Deployment is paused', 'Unknown'), nowMs);
  }
  if (!deployment.spec.paused && isShownPaused) {
    return withCondition(conditions, progressing('DeploymentResumed', 'Deployment is resumed', 'Unknown'), nowMs);
  }
  return conditions;
}
