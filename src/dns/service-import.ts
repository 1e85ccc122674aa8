import type { Service } from '../api/core/service.ts';
import { int32, kind, list, message, object, string } from '../api/declare.ts';
import { metadata, typeMeta } from '../api/meta/object-meta.ts';
import type { Infer } from '../api/schema.ts';

/**
 * ServiceImports: Services of a cluster set (KEP-1645). A cluster with a multicluster controller serves them; of their
 * fields only those that names need are declared.
 */

/** Names the ServiceImport that an EndpointSlice belongs to. */
export const importedServiceLabel = 'multicluster.kubernetes.io/service-name';
/** Id of the cluster that an EndpointSlice comes from. */
export const sourceClusterLabel = 'multicluster.kubernetes.io/source-cluster';

const ImportedPort = message('multicluster.v1alpha1.ServicePort', {
  name: string(1),
  protocol: string(2, { values: ['TCP', 'UDP', 'SCTP'] }),
  port: int32(3, { required: true }),
});

const ServiceImportSpec = message('multicluster.v1alpha1.ServiceImportSpec', {
  ports: list(1, ImportedPort),
  ips: list(2, 'string'),
  type: string(3, { values: ['ClusterSetIP', 'Headless'] }),
});

const ServiceImportMessage = message('multicluster.v1alpha1.ServiceImport', {
  ...typeMeta,
  metadata,
  spec: object(2, ServiceImportSpec),
});
export type ServiceImport = Infer<typeof ServiceImportMessage>;

export const ServiceImport = kind(ServiceImportMessage, {
  group: 'multicluster.x-k8s.io',
  version: 'v1alpha1',
  kind: 'ServiceImport',
  plural: 'serviceimports',
  namespaced: true,
});

/** The Service that a ServiceImport stands for; undefined before it has an address. */
export function serviceOfImport(object: ServiceImport | undefined): Service | undefined {
  if (object === undefined) return undefined;
  const { ips = [], ports, type } = object.spec ?? {};
  if (type !== 'Headless' && ips.length === 0) return undefined;
  const clusterIPs = type === 'Headless' ? ['None'] : ips;
  return { metadata: object.metadata, spec: { type: 'ClusterIP', clusterIP: clusterIPs[0], clusterIPs, ports } };
}
