import type { Service } from '../api/core/service.ts';
import type { Backend, Frontend, FrontendKind, Target } from './frontend.ts';
import type { Selection } from './selection.ts';

/** The targets that a port's frontends share: built once per port and family. */
export interface PortTargets {
  readonly cluster: Target;
  readonly local: Target;
}

const rejected: Target = { verdict: 'reject', backends: [] };
const dropped: Target = { verdict: 'drop', backends: [] };

/** Policy Cluster refuses when nothing serves anywhere; policy Local ignores when something serves, but not here. */
export function targetsOf({ cluster, local, hasAny }: Selection): PortTargets {
  return { cluster: forwardTo(cluster) ?? rejected, local: forwardTo(local) ?? (hasAny ? dropped : rejected) };
}

/** What the two classes of clients get, and whether their address survives. */
export function policyOf(
  service: Service,
  kind: FrontendKind,
  targets: PortTargets,
): Pick<Frontend, 'internal' | 'external' | 'masquerade'> {
  if (kind === 'ClusterIP') {
    const target = service.spec?.internalTrafficPolicy === 'Local' ? targets.local : targets.cluster;
    return { internal: target, external: target, masquerade: 'off-cluster' };
  }
  // Clients inside the cluster reach an external address as if it were the cluster IP with policy Cluster.
  if (service.spec?.externalTrafficPolicy === 'Local') {
    return { internal: targets.cluster, external: targets.local, masquerade: 'never' };
  }
  return { internal: targets.cluster, external: targets.cluster, masquerade: 'always' };
}

function forwardTo(backends: readonly Backend[]): Target | undefined {
  return backends.length > 0 ? { verdict: 'forward', backends } : undefined;
}
