import { ApiError, forbidden, notFound } from '../../api/errors.ts';
import { Namespace } from '../../api/core/namespace.ts';
import type { ResourceCache } from '../cache/resource-cache.ts';
import { objectAs } from '../cache/item.ts';
import type { AdmissionRule } from './admission.ts';
import { unchanged } from './admission.ts';

/** Namespaces that hold the cluster together. */
const immortal: ReadonlySet<string> = new Set(['default', 'kube-system', 'kube-public']);

/** Nothing new in a namespace that is not there or on its way out; nobody deletes the system's own. */
export function namespaceLifecycle(namespaces: ResourceCache): AdmissionRule {
  return {
    name: 'NamespaceLifecycle',
    applies: ({ operation, kind, namespace }) =>
      (operation === 'create' && namespace !== undefined) || (operation === 'delete' && kind.kind === Namespace.kind),
    admit({ operation, kind, namespace = '', name }, object) {
      if (operation === 'delete') {
        if (immortal.has(name)) throw forbidden(kind, name, 'this namespace may not be deleted');
        return unchanged(object);
      }
      const item = namespaces.items.get(`${namespaces.prefix}${namespace}`);
      if (item === undefined) throw notFound(Namespace, namespace);
      const found = objectAs(Namespace, item);
      const isTerminating = found.metadata.deletionTimestamp !== undefined || found.status?.phase === 'Terminating';
      if (isTerminating) throw terminating(forbidden(kind, name, ''), namespace);
      return unchanged(object);
    },
  };
}

function terminating(base: ApiError, namespace: string): ApiError {
  const text = `unable to create new content in namespace ${namespace} because it is being terminated`;
  const cause = {
    reason: 'NamespaceTerminating',
    message: `namespace ${namespace} is being terminated`,
    field: 'metadata.namespace',
  };
  const { status } = base;
  return new ApiError({
    ...status,
    message: `${status.message ?? ''}${text}`,
    details: { ...status.details, causes: [cause] },
  });
}
