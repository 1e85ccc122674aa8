import type { Service } from '../api/core/service.ts';
import type { PortEndpoint } from './endpoints.ts';
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
export function targetsOf(selection: Selection, nodeName: string): PortTargets {
  return {
    cluster: forwardTo(selection.cluster, nodeName) ?? rejected,
    local: forwardTo(selection.local, nodeName) ?? (selection.hasAny ? dropped : rejected),
  };
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

function forwardTo(endpoints: readonly PortEndpoint[], nodeName: string): Target | undefined {
  if (endpoints.length === 0) return undefined;
  return { verdict: 'forward', backends: endpoints.map((it) => backendOf(it, nodeName)) };
}

function backendOf({ endpoint, port }: PortEndpoint, nodeName: string): Backend {
  const { address, pod } = endpoint;
  const local = endpoint.nodeName === nodeName;
  return pod === undefined ? { address, port, weight: 1, local } : { address, port, weight: 1, local, pod };
}
