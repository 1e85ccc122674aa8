import type { Pod } from '../../api/core/pod.ts';
import type { Container } from '../../api/core/pod/container.ts';
import { ConfigError } from '../environment/config-error.ts';
import type { ProcessUser } from '../runtime/runtime.ts';

/** Who a container runs as: its own security context before the Pod's. Throws `ConfigError` when `runAsNonRoot` fails. */
export function processUser(pod: Pod, container: Container): ProcessUser {
  const own = container.securityContext ?? {};
  const shared = pod.spec.securityContext ?? {};
  const uid = own.runAsUser ?? shared.runAsUser;
  const gid = own.runAsGroup ?? shared.runAsGroup ?? (uid === undefined ? undefined : 0);
  const groups = [...(shared.supplementalGroups ?? []), ...(shared.fsGroup === undefined ? [] : [shared.fsGroup])];
  if ((own.runAsNonRoot ?? shared.runAsNonRoot) === true && (uid ?? process.getuid?.() ?? 0) === 0) {
    const { name, namespace, uid: podUid } = pod.metadata;
    const where = `(pod: "${name}_${namespace}(${podUid})", container: ${container.name})`;
    throw new ConfigError(`container has runAsNonRoot and image will run as root ${where}`);
  }
  return { uid, gid, groups, noNewPrivileges: own.allowPrivilegeEscalation === false };
}
