import type { Infer } from '../schema.ts';
import { bool, int32, intOrString, kind, list, map, message, object, string } from '../schema.ts';
import { Condition } from '../meta/condition.ts';
import { metadata, typeMeta } from '../meta/object-meta.ts';
import { dns1035, nameRule } from '../names.ts';
import { statusSubresource } from '../subresources.ts';
import { serviceColumns } from './service-columns.ts';
import { defaultService, prepareChangedService, prepareNewService } from './service-strategy.ts';
import { validateService, validateServiceUpdate } from './service-validation.ts';

export const ServicePort = message('core.v1.ServicePort', {
  name: string(1),
  protocol: string(2, { default: 'TCP', values: ['TCP', 'UDP', 'SCTP'] }),
  appProtocol: string(6, { pointer: true }),
  port: int32(3, { required: true }),
  targetPort: intOrString(4),
  nodePort: int32(5),
});
export type ServicePort = Infer<typeof ServicePort>;

export const ClientIPConfig = message('core.v1.ClientIPConfig', {
  timeoutSeconds: int32(1, { pointer: true }),
});
export type ClientIPConfig = Infer<typeof ClientIPConfig>;

export const SessionAffinityConfig = message('core.v1.SessionAffinityConfig', {
  clientIP: object(1, ClientIPConfig),
});
export type SessionAffinityConfig = Infer<typeof SessionAffinityConfig>;

export const ServiceSpec = message('core.v1.ServiceSpec', {
  ports: list(1, ServicePort, { mergeKey: 'port', listType: 'map', mapKeys: ['port', 'protocol'] }),
  selector: map(2, 'string', { mapType: 'atomic' }),
  clusterIP: string(3),
  clusterIPs: list(18, 'string'),
  type: string(4, { values: ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'] }),
  externalIPs: list(5, 'string'),
  sessionAffinity: string(7, { values: ['ClientIP', 'None'] }),
  loadBalancerIP: string(8),
  loadBalancerSourceRanges: list(9, 'string'),
  externalName: string(10),
  externalTrafficPolicy: string(11, { values: ['Cluster', 'Local'] }),
  healthCheckNodePort: int32(12),
  publishNotReadyAddresses: bool(13),
  sessionAffinityConfig: object(14, SessionAffinityConfig),
  ipFamilies: list(19, 'string', { values: ['IPv4', 'IPv6'] }),
  ipFamilyPolicy: string(17, { pointer: true, values: ['SingleStack', 'PreferDualStack', 'RequireDualStack'] }),
  allocateLoadBalancerNodePorts: bool(20, { pointer: true }),
  loadBalancerClass: string(21, { pointer: true }),
  internalTrafficPolicy: string(22, { pointer: true, values: ['Cluster', 'Local'] }),
  trafficDistribution: string(23, { pointer: true }),
});
export type ServiceSpec = Infer<typeof ServiceSpec>;

export const PortStatus = message('core.v1.PortStatus', {
  port: int32(1, { required: true }),
  protocol: string(2, { required: true, values: ['TCP', 'UDP', 'SCTP'] }),
  error: string(3, { pointer: true }),
});
export type PortStatus = Infer<typeof PortStatus>;

export const LoadBalancerIngress = message('core.v1.LoadBalancerIngress', {
  ip: string(1),
  hostname: string(2),
  ipMode: string(3, { pointer: true }),
  ports: list(4, PortStatus),
});
export type LoadBalancerIngress = Infer<typeof LoadBalancerIngress>;

export const LoadBalancerStatus = message('core.v1.LoadBalancerStatus', {
  ingress: list(1, LoadBalancerIngress),
});
export type LoadBalancerStatus = Infer<typeof LoadBalancerStatus>;

export const ServiceStatus = message('core.v1.ServiceStatus', {
  loadBalancer: object(1, LoadBalancerStatus, { pointer: false }),
  conditions: list(2, Condition, { mergeKey: 'type', listType: 'map', mapKeys: ['type'] }),
});
export type ServiceStatus = Infer<typeof ServiceStatus>;

export const ServiceMessage = message('core.v1.Service', {
  ...typeMeta,
  metadata,
  spec: object(2, ServiceSpec, { present: true, pointer: false }),
  status: object(3, ServiceStatus, { pointer: false }),
});
export type Service = Infer<typeof ServiceMessage>;

export const Service = kind(ServiceMessage, {
  group: '',
  version: 'v1',
  kind: 'Service',
  plural: 'services',
  namespaced: true,
  shortNames: ['svc'],
  categories: ['all'],
  subresources: [statusSubresource],
  columns: serviceColumns,
  selectableFields: {
    'spec.clusterIP': (service) => service.spec.clusterIP ?? '',
    'spec.type': (service) => service.spec.type ?? '',
  },
  validateName: nameRule(dns1035),
  setDefaults: defaultService,
  validate: validateService,
  validateUpdate: validateServiceUpdate,
  prepareForCreate: prepareNewService,
  prepareForUpdate: prepareChangedService,
});
