import type { Namespace, NamespaceCondition } from '../../api/core/namespace.ts';
import type { ApiObject } from '../../api/meta/object-meta.ts';
import type { Kind } from '../../api/schema.ts';
import { formatTime } from '../../api/times.ts';

/** The finalizer that keeps a Namespace until its content is gone. */
const namespaceFinalizer = 'kubernetes';

/** Objects that are still in a Namespace on its way out. */
export interface Remaining {
  readonly kind: Pick<Kind, 'plural' | 'group'>;
  readonly objects: readonly ApiObject[];
}

/** Does the content of this Namespace have to go? */
export function isLeaving({ metadata, spec }: Namespace): boolean {
  return metadata.deletionTimestamp !== undefined && (spec.finalizers ?? []).includes(namespaceFinalizer);
}

/** The Namespace, free to go. */
export function finalized(namespace: Namespace): Namespace {
  const finalizers = (namespace.spec.finalizers ?? []).filter((name) => name !== namespaceFinalizer);
  return { ...namespace, spec: { ...namespace.spec, finalizers } };
}

type Statement = Pick<NamespaceCondition, 'type' | 'status' | 'reason' | 'message'>;

/**
 * The conditions that say what a deletion waits for, with Kubernetes' reasons and messages. Times change only with the
 * statement.
 */
export function deletionConditions(
  namespace: Namespace,
  remaining: readonly Remaining[],
  failures: readonly string[],
  nowMs: number,
): readonly NamespaceCondition[] {
  const old = namespace.status?.conditions ?? [];
  const statements = [discovered, parsed, deletionOf(failures), contentOf(remaining), finalizersOf(remaining)];
  return statements.map((statement) => {
    const before = old.find(({ type }) => type === statement.type);
    const isSame = before?.status === statement.status && before.reason === statement.reason;
    return isSame && before.message === statement.message
      ? before
      : { ...statement, lastTransitionTime: formatTime(nowMs) };
  });
}

const discovered: Statement = {
  type: 'NamespaceDeletionDiscoveryFailure',
  status: 'False',
  reason: 'ResourcesDiscovered',
  message: 'All resources successfully discovered',
};

const parsed: Statement = {
  type: 'NamespaceDeletionGroupVersionParsingFailure',
  status: 'False',
  reason: 'ParsedGroupVersions',
  message: 'All legacy kube types successfully parsed',
};

function deletionOf(failures: readonly string[]): Statement {
  const type = 'NamespaceDeletionContentFailure';
  if (failures.length > 0)
    return { type, status: 'True', reason: 'ContentDeletionFailed', message: failures.join(', ') };
  const message = 'All content successfully deleted, may be waiting on finalization';
  return { type, status: 'False', reason: 'ContentDeleted', message };
}

function contentOf(remaining: readonly Remaining[]): Statement {
  const type = 'NamespaceContentRemaining';
  const parts = remaining
    .filter(({ objects }) => objects.length > 0)
    .map(({ kind, objects }) => `${kind.plural}.${kind.group} has ${objects.length} resource instances`);
  if (parts.length === 0) {
    return { type, status: 'False', reason: 'ContentRemoved', message: 'All content successfully removed' };
  }
  return {
    type,
    status: 'True',
    reason: 'SomeResourcesRemain',
    message: `Some resources are remaining: ${parts.join(', ')}`,
  };
}

function finalizersOf(remaining: readonly Remaining[]): Statement {
  const type = 'NamespaceFinalizersRemaining';
  const counts = new Map<string, number>();
  for (const name of remaining.flatMap(({ objects }) => objects).flatMap(({ metadata }) => metadata.finalizers ?? [])) {
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  if (counts.size === 0) {
    return {
      type,
      status: 'False',
      reason: 'ContentHasNoFinalizers',
      message: 'All content-preserving finalizers finished',
    };
  }
  const parts = [...counts].map(([name, count]) => `${name} in ${count} resource instances`);
  const message = `Some content in the namespace has finalizers remaining: ${parts.join(', ')}`;
  return { type, status: 'True', reason: 'SomeFinalizersRemain', message };
}
