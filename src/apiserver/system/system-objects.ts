import type { ApiObject } from '../../api/meta/object-meta.ts';
import { cidrAddress, parseCidr } from '../../lib/cidr.ts';
import { familyOf } from '../../lib/ip.ts';

/** What the objects that every cluster has depend on. */
export interface SystemFacts {
  readonly serviceCidrs: readonly string[];
  /** Where Pods reach the API server. */
  readonly advertiseAddress: string;
  readonly port: number;
}

/** An object and the collection it belongs into. */
export interface SystemObject {
  readonly collection: string;
  readonly object: ApiObject & { readonly metadata: { readonly name: string } };
  /** Fields that are put right when they differ; an object without any is left as users made it. */
  readonly owned?: readonly string[];
}

const namespaceNames = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];

/** The address of the Service `kubernetes`: the first of the first range. */
export function kubernetesServiceIp(serviceCidrs: readonly string[]): string {
  const cidr = parseCidr(serviceCidrs[0] ?? '');
  if (cidr === undefined) throw new Error(`not a service range: ${serviceCidrs[0] ?? '(none)'}`);
  return cidrAddress(cidr, 1);
}

/** Everything the server makes at start and keeps, in the order in which it has to be made. Pure. */
export function systemObjects(facts: SystemFacts): readonly SystemObject[] {
  const namespaces = namespaceNames.map((name) => ({
    collection: '/api/v1/namespaces',
    object: { kind: 'Namespace', apiVersion: 'v1', metadata: { name } },
  }));
  const cidr = {
    collection: '/apis/networking.k8s.io/v1/servicecidrs',
    object: {
      kind: 'ServiceCIDR',
      apiVersion: 'networking.k8s.io/v1',
      metadata: { name: 'kubernetes' },
      spec: { cidrs: facts.serviceCidrs },
    },
  };
  return [...namespaces, cidr, kubernetesService(facts), kubernetesEndpoints(facts), kubernetesSlice(facts)];
}

const serviceLabels = { component: 'apiserver', provider: 'kubernetes' };

function kubernetesService({ serviceCidrs, port }: SystemFacts): SystemObject {
  const ports = [{ name: 'https', port: 443, protocol: 'TCP', targetPort: port }];
  const spec = { clusterIP: kubernetesServiceIp(serviceCidrs), ports, type: 'ClusterIP', sessionAffinity: 'None' };
  const metadata = { name: 'kubernetes', namespace: 'default', labels: serviceLabels };
  return {
    collection: '/api/v1/namespaces/default/services',
    object: { kind: 'Service', apiVersion: 'v1', metadata, spec } as ApiObject & SystemObject['object'],
  };
}

function kubernetesEndpoints({ advertiseAddress, port }: SystemFacts): SystemObject {
  const subsets = [{ addresses: [{ ip: advertiseAddress }], ports: [{ name: 'https', port, protocol: 'TCP' }] }];
  const metadata = {
    name: 'kubernetes',
    namespace: 'default',
    labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' },
  };
  const object = { kind: 'Endpoints', apiVersion: 'v1', metadata, subsets };
  return { collection: '/api/v1/namespaces/default/endpoints', object, owned: ['subsets'] };
}

function kubernetesSlice({ advertiseAddress, port }: SystemFacts): SystemObject {
  const metadata = { name: 'kubernetes', namespace: 'default', labels: { 'kubernetes.io/service-name': 'kubernetes' } };
  const object = {
    kind: 'EndpointSlice',
    apiVersion: 'discovery.k8s.io/v1',
    metadata,
    addressType: familyOf(advertiseAddress) ?? 'IPv4',
    endpoints: [{ addresses: [advertiseAddress], conditions: { ready: true } }],
    ports: [{ name: 'https', port, protocol: 'TCP' }],
  };
  const collection = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices';
  return { collection, object, owned: ['endpoints', 'ports'] };
}
