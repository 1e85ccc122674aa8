import type { PodObject } from '../objects/pods-of.ts';
import { conditionTable, identity, pairs } from './common.ts';
import { containerFields } from './containers.ts';
import type { Fields } from './fields.ts';

/** A Pod: where it runs, what its containers do, why it is not ready. */
export function describePod(pod: PodObject, nowMs: number): Fields {
  const { spec, status } = pod;
  const gracePeriod = pod.metadata.deletionTimestamp && `${spec?.terminationGracePeriodSeconds ?? 30}s`;
  return [
    ...identity(pod),
    ['Grace period', gracePeriod],
    ['Node', `${spec?.nodeName ?? '<none>'}${status?.hostIP ? ` (${status.hostIP})` : ''}`],
    ['Phase', pod.metadata.deletionTimestamp === undefined ? (status?.phase ?? 'Unknown') : 'Terminating'],
    ['Reason', status?.reason],
    ['Message', status?.message],
    ['Addresses', (status?.podIPs ?? []).map(({ ip }) => ip)],
    ['Hostname', spec?.hostname && [spec.hostname, spec.subdomain].filter(Boolean).join('.')],
    ['Host network', spec?.hostNetwork ? 'True' : undefined],
    ['Service account', spec?.serviceAccountName],
    ['Restart policy', spec?.restartPolicy],
    ['Node selector', spec?.nodeSelector && pairs(spec.nodeSelector)],
    ['Init containers', initContainers(pod)],
    ['Containers', containerFields(spec?.containers, status?.containerStatuses)],
    ['Conditions', conditionTable(status?.conditions, nowMs)],
  ];
}

function initContainers({ spec, status }: PodObject): Fields | undefined {
  const containers = spec?.initContainers ?? [];
  return containers.length === 0 ? undefined : containerFields(containers, status?.initContainerStatuses);
}
