import type { Pod } from '../../api/core/pod.ts';
import { allContainersOf } from '../pod/state.ts';

/** Whether a Pod uses a ConfigMap or Secret of its namespace. */
export function usesConfig(pod: Pod, kind: 'ConfigMap' | 'Secret', name: string): boolean {
  return namesOf(pod, kind).has(name);
}

function namesOf(pod: Pod, kind: 'ConfigMap' | 'Secret'): ReadonlySet<string> {
  const isMap = kind === 'ConfigMap';
  const fromEnv = allContainersOf(pod).flatMap(({ env = [], envFrom = [] }) => [
    ...env.map(({ valueFrom }) => (isMap ? valueFrom?.configMapKeyRef?.name : valueFrom?.secretKeyRef?.name)),
    ...envFrom.map(({ configMapRef, secretRef }) => (isMap ? configMapRef?.name : secretRef?.name)),
  ]);
  const fromVolumes = (pod.spec.volumes ?? []).flatMap(({ configMap, secret, projected }) => [
    isMap ? configMap?.name : secret?.secretName,
    ...(projected?.sources ?? []).map((each) => (isMap ? each.configMap?.name : each.secret?.name)),
  ]);
  return new Set([...fromEnv, ...fromVolumes].filter((name) => name !== undefined));
}
