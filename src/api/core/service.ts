import { bool, int32, intOrString, kind, list, map, message, object, string } from '../declare.ts';
import { Condition } from '../meta/condition.ts';
import { metadata, typeMeta } from '../meta/object-meta.ts';
import { dns1035, nameRule } from '../names.ts';
import type { Infer } from '../schema.ts';
import { statusSubresource } from '../subresources.ts';
import { serviceColumns } from './service-columns.ts';
import { defaultService, prepareChangedService, prepareNewService } from './service-strategy.ts';
import { validateService, validateServiceUpdate } from './service-validation.ts';

/** Services: a stable name and address for a changing set of Pods. */

export const ServicePort = message(
  'core.v1.ServicePort',
  {
    name: string(1, { doc: 'Tells the ports apart; needed when there are several.' }),
    protocol: string(2, { doc: 'TCP, UDP or SCTP.', default: 'TCP', values: ['TCP', 'UDP', 'SCTP'] }),
    appProtocol: string(6, {
      doc: 'What is spoken on the port, as a hint: an IANA service name or a prefixed one.',
      pointer: true,
    }),
    port: int32(3, { doc: 'The port that clients connect to.', required: true }),
    targetPort: intOrString(4, { doc: 'The port of the Pods: a number, or the name of a port of their containers.' }),
    nodePort: int32(5, { doc: 'The port on every node. Assigned when it is needed and empty.' }),
  },
  { doc: 'One port of a Service.' },
);
export type ServicePort = Infer<typeof ServicePort>;

export const ClientIPConfig = message(
  'core.v1.ClientIPConfig',
  {
    timeoutSeconds: int32(1, {
      doc: 'How long a client that is silent keeps its Pod: up to a day, 10800 by default.',
      pointer: true,
    }),
  },
  { doc: 'Details of affinity by client address.' },
);
export type ClientIPConfig = Infer<typeof ClientIPConfig>;

export const SessionAffinityConfig = message(
  'core.v1.SessionAffinityConfig',
  {
    clientIP: object(1, ClientIPConfig, { doc: 'Details of affinity by client address.' }),
  },
  { doc: 'Details of session affinity.' },
);
export type SessionAffinityConfig = Infer<typeof SessionAffinityConfig>;

export const ServiceSpec = message(
  'core.v1.ServiceSpec',
  {
    ports: list(1, ServicePort, {
      doc: 'The ports that clients connect to. At least one, except for headless and ExternalName Services.',
      mergeKey: 'port',
      listType: 'map',
      mapKeys: ['port', 'protocol'],
    }),
    selector: map(2, 'string', {
      doc: 'Labels of the Pods behind the Service. Without it somebody else writes the EndpointSlices.',
      mapType: 'atomic',
    }),
    clusterIP: string(3, {
      doc: 'The virtual address. Assigned when empty; `None` makes the Service headless: names resolve to the Pods themselves. Stays once set.',
    }),
    clusterIPs: list(18, 'string', {
      doc: 'The virtual addresses, at most one per IP family; the first equals `clusterIP`.',
    }),
    type: string(4, {
      doc: 'Who can reach it: `ClusterIP` inside the cluster, `NodePort` also on a port of every node, `LoadBalancer` also on an address from outside, `ExternalName` is an alias in DNS.',
      values: ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'],
    }),
    externalIPs: list(5, 'string', {
      doc: 'Further addresses for which nodes accept traffic, routed to them by other means. Deprecated.',
    }),
    sessionAffinity: string(7, {
      doc: '`ClientIP` sends all connections of a client to the same Pod.',
      values: ['ClientIP', 'None'],
    }),
    loadBalancerIP: string(8, { doc: 'Asks for this outside address. Deprecated; not every load balancer listens.' }),
    loadBalancerSourceRanges: list(9, 'string', { doc: 'Only clients in these ranges may use the outside address.' }),
    externalName: string(10, { doc: 'The name that an ExternalName Service is an alias of.' }),
    externalTrafficPolicy: string(11, {
      doc: '`Local` keeps traffic from outside on the node that it reached, with the address of the client; `Cluster` spreads it over all Pods.',
      values: ['Cluster', 'Local'],
    }),
    healthCheckNodePort: int32(12, {
      doc: 'Port on which nodes tell load balancers whether they have a Pod of the Service. Assigned for `Local` external traffic.',
    }),
    publishNotReadyAddresses: bool(13, { doc: 'Pods count as ready whether they are or not.' }),
    sessionAffinityConfig: object(14, SessionAffinityConfig, { doc: 'Details of the affinity.' }),
    ipFamilies: list(19, 'string', {
      doc: 'IP families of the virtual addresses, in the order of `clusterIPs`. The first stays.',
      values: ['IPv4', 'IPv6'],
    }),
    ipFamilyPolicy: string(17, {
      doc: 'Whether it has addresses of one family or of both.',
      pointer: true,
      values: ['SingleStack', 'PreferDualStack', 'RequireDualStack'],
    }),
    allocateLoadBalancerNodePorts: bool(20, {
      doc: 'False: a load balancer Service gets no node ports by itself.',
      pointer: true,
    }),
    loadBalancerClass: string(21, {
      doc: 'Which load balancer is meant. Stays while the type is LoadBalancer.',
      pointer: true,
    }),
    internalTrafficPolicy: string(22, {
      doc: '`Local` sends traffic from inside the cluster only to Pods on the same node.',
      pointer: true,
      values: ['Cluster', 'Local'],
    }),
    trafficDistribution: string(23, {
      doc: 'Which Pods to prefer: `PreferSameZone` or `PreferSameNode`. Others are used when there are none.',
      pointer: true,
    }),
  },
  { doc: 'How clients reach the Pods, and which Pods those are.' },
);
export type ServiceSpec = Infer<typeof ServiceSpec>;

export const PortStatus = message(
  'core.v1.PortStatus',
  {
    port: int32(1, { doc: 'The port.', required: true }),
    protocol: string(2, { doc: 'Its protocol.', required: true, values: ['TCP', 'UDP', 'SCTP'] }),
    error: string(3, { doc: 'Why it does not work.', pointer: true }),
  },
  { doc: 'What became of one port.' },
);
export type PortStatus = Infer<typeof PortStatus>;

export const LoadBalancerIngress = message(
  'core.v1.LoadBalancerIngress',
  {
    ip: string(1, { doc: 'The address.' }),
    hostname: string(2, { doc: 'The name, for load balancers that have one.' }),
    ipMode: string(3, {
      doc: '`VIP`: traffic arrives with this address as its destination; `Proxy`: it does not, so nodes leave the address alone.',
      pointer: true,
    }),
    ports: list(4, PortStatus, { doc: 'What became of each port.' }),
  },
  { doc: 'One way in from outside.' },
);
export type LoadBalancerIngress = Infer<typeof LoadBalancerIngress>;

export const LoadBalancerStatus = message(
  'core.v1.LoadBalancerStatus',
  {
    ingress: list(1, LoadBalancerIngress, { doc: 'One entry per address or name.' }),
  },
  { doc: 'Outside addresses of a Service.' },
);
export type LoadBalancerStatus = Infer<typeof LoadBalancerStatus>;

export const ServiceStatus = message(
  'core.v1.ServiceStatus',
  {
    loadBalancer: object(1, LoadBalancerStatus, { doc: 'Outside addresses.', pointer: false }),
    conditions: list(2, Condition, {
      doc: 'Aspects of its state.',
      mergeKey: 'type',
      listType: 'map',
      mapKeys: ['type'],
    }),
  },
  { doc: 'What became of a Service.' },
);
export type ServiceStatus = Infer<typeof ServiceStatus>;

export const ServiceMessage = message(
  'core.v1.Service',
  {
    ...typeMeta,
    metadata,
    spec: object(2, ServiceSpec, { present: true, doc: 'What the author wants.', pointer: false }),
    status: object(3, ServiceStatus, {
      doc: 'What the system observed. Written by controllers, never by authors.',
      pointer: false,
    }),
  },
  { doc: 'A stable name and address for a changing set of Pods.' },
);
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
