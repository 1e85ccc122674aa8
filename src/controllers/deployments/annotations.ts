/** What `kubectl rollout` and this controller write on Deployments and ReplicaSets. */
export const revisionAnnotation = 'deployment.kubernetes.io/revision';
const revisionHistoryAnnotation = 'deployment.kubernetes.io/revision-history';
export const desiredReplicasAnnotation = 'deployment.kubernetes.io/desired-replicas';
export const maxReplicasAnnotation = 'deployment.kubernetes.io/max-replicas';
export const hashLabel = 'pod-template-hash';

type Annotations = Readonly<Record<string, string>>;

/** Annotations of a Deployment that its ReplicaSets do not copy. */
const notCopied = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  'deprecated.deployment.rollback.to',
  revisionAnnotation,
  revisionHistoryAnnotation,
  desiredReplicasAnnotation,
  maxReplicasAnnotation,
]);

/** Characters that the history of revisions may take, as in Kubernetes. */
const maxHistoryLength = 2000;

/** The revision that annotations name; 0 when they name none. */
export function revisionOf(annotations: Annotations | undefined): number {
  const revision = Number(annotations?.[revisionAnnotation] ?? 0);
  return Number.isInteger(revision) ? revision : 0;
}

/**
 * A ReplicaSet's annotations as the newest one of its Deployment: the Deployment's own, and the revision. One that had a
 * smaller revision is being rolled back to: the old number goes into its history.
 */
export function newestAnnotations(own: Annotations, deployment: Annotations, revision: number): Annotations {
  const copied = Object.entries(deployment).filter(([name]) => !notCopied.has(name));
  const old = own[revisionAnnotation];
  const result = { ...own, ...Object.fromEntries(copied) };
  if (revisionOf(own) >= revision) return result;
  const renewed = { ...result, [revisionAnnotation]: String(revision) };
  return old === undefined ? renewed : { ...renewed, [revisionHistoryAnnotation]: historyWith(own, old) };
}

function historyWith(own: Annotations, old: string): string {
  const revisions = [...(own[revisionHistoryAnnotation]?.split(',') ?? []), old];
  while (revisions.length > 1 && revisions.join().length > maxHistoryLength) revisions.shift();
  return revisions.join();
}

/** The annotations by which a later proportional scaling knows what the sizes were meant for. */
export function sizeAnnotations(desired: number, max: number): Annotations {
  return { [desiredReplicasAnnotation]: String(desired), [maxReplicasAnnotation]: String(max) };
}
