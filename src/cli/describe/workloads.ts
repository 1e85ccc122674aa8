import type { Deployment } from '../../api/apps/deployment.ts';
import type { ReplicaSet } from '../../api/apps/replica-set.ts';
import type { PodTemplateSpec } from '../../api/core/pod/pod-template.ts';
import type { AnyObject } from '../objects/rest.ts';
import { conditionTable, identity, pairs, selectorText } from './common.ts';
import { containerFields } from './containers.ts';
import type { Fields } from './fields.ts';

/** A Deployment: how far its rollout is, and the ReplicaSets behind it. */
export function describeDeployment(
  deployment: AnyObject & Deployment,
  replicaSets: readonly ReplicaSet[],
  nowMs: number,
): Fields {
  const { spec, status } = deployment;
  const { replicas = 0, updatedReplicas = 0, availableReplicas = 0, unavailableReplicas = 0 } = status ?? {};
  const counts = `${updatedReplicas} updated, ${replicas} total, ${availableReplicas} available, ${unavailableReplicas} unavailable`;
  const rolling = spec?.strategy?.rollingUpdate;
  return [
    ...identity(deployment),
    ['Selector', selectorText(spec?.selector)],
    ['Replicas', `${spec?.replicas ?? 1} desired, ${counts}`],
    ['Strategy', spec?.strategy?.type ?? 'RollingUpdate'],
    [
      'Rolling update',
      rolling && `${rolling.maxUnavailable ?? '25%'} may be unavailable, ${rolling.maxSurge ?? '25%'} more at once`,
    ],
    ['Min ready', spec?.minReadySeconds ? `${spec.minReadySeconds}s` : undefined],
    ['Paused', spec?.paused ? 'True' : undefined],
    ['Pod template', templateFields(spec?.template)],
    ['Conditions', conditionTable(status?.conditions, nowMs)],
    [
      'Replica sets',
      replicaSets.filter(isInUse).map(({ metadata, spec, status }) => {
        const revision = metadata.annotations?.['deployment.kubernetes.io/revision'] ?? '?';
        return `${metadata.name} (revision ${revision}): ${status?.readyReplicas ?? 0} of ${spec?.replicas ?? 0} ready`;
      }),
    ],
  ];
}

function isInUse({ spec, status }: ReplicaSet): boolean {
  return (spec?.replicas ?? 0) > 0 || (status?.replicas ?? 0) > 0;
}

/** A ReplicaSet and its Pods by phase. */
export function describeReplicaSet(
  replicaSet: AnyObject & ReplicaSet,
  phases: ReadonlyMap<string, number>,
  nowMs: number,
): Fields {
  const { spec, status } = replicaSet;
  return [
    ...identity(replicaSet),
    ['Selector', selectorText(spec?.selector)],
    ['Replicas', `${spec?.replicas ?? 1} desired, ${status?.replicas ?? 0} total, ${status?.readyReplicas ?? 0} ready`],
    ['Pods', [...phases].map(([phase, count]) => `${count} ${phase}`).join(', ')],
    ['Pod template', templateFields(spec?.template)],
    ['Conditions', conditionTable(status?.conditions, nowMs)],
  ];
}

function templateFields(template: PodTemplateSpec | undefined): Fields {
  const initContainers = template?.spec?.initContainers ?? [];
  return [
    ['Labels', pairs(template?.metadata?.labels)],
    ['Service account', template?.spec?.serviceAccountName],
    ['Init containers', initContainers.length === 0 ? undefined : containerFields(initContainers)],
    ['Containers', containerFields(template?.spec?.containers)],
  ];
}
