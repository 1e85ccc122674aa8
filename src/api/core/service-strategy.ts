import { isDeepStrictEqual } from 'node:util';
import { compact, omit } from '../objects.ts';
import type { Service, ServicePort, ServiceSpec } from './service.ts';

/**
 * What happens to a Service besides validation: defaults, and carrying allocated values over when a client leaves them
 * out. Allocation itself is the server's.
 */

const defaultAffinitySeconds = 10_800;

/** Has it no cluster address by choice? */
export function isHeadless(spec: ServiceSpec): boolean {
  return spec.clusterIP === 'None' || spec.clusterIPs?.[0] === 'None';
}

/** Can traffic from outside the cluster be meant for it? */
export function isExternallyAccessible(spec: ServiceSpec): boolean {
  if (spec.type === 'LoadBalancer' || spec.type === 'NodePort') return true;
  return spec.type === 'ClusterIP' && (spec.externalIPs ?? []).length > 0;
}

/** Does a load balancer ask nodes whether they have an endpoint? */
export function needsHealthCheckPort(spec: ServiceSpec): boolean {
  return spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local';
}

/** Does it get cluster addresses (or `None`)? */
export function needsClusterIp(spec: ServiceSpec): boolean {
  return spec.type !== 'ExternalName';
}

/** Do its ports get node ports by themselves? */
export function needsNodePorts(spec: ServiceSpec): boolean {
  if (spec.type === 'NodePort') return true;
  return spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false;
}

function defaultPort(port: ServicePort): ServicePort {
  const { targetPort } = port;
  return targetPort === undefined || targetPort === 0 || targetPort === '' ? { ...port, targetPort: port.port } : port;
}

function affinityOf(spec: ServiceSpec): Partial<ServiceSpec> {
  if (spec.sessionAffinity !== 'ClientIP') {
    return { sessionAffinity: spec.sessionAffinity ?? 'None', sessionAffinityConfig: undefined };
  }
  const timeoutSeconds = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? defaultAffinitySeconds;
  return { sessionAffinityConfig: { clientIP: { timeoutSeconds } } };
}

function policiesOf(spec: ServiceSpec): Partial<ServiceSpec> {
  return {
    ...(isExternallyAccessible(spec) && { externalTrafficPolicy: spec.externalTrafficPolicy ?? 'Cluster' }),
    ...(spec.type !== 'ExternalName' && { internalTrafficPolicy: spec.internalTrafficPolicy ?? 'Cluster' }),
    ...(spec.type === 'LoadBalancer' && {
      allocateLoadBalancerNodePorts: spec.allocateLoadBalancerNodePorts ?? true,
    }),
  };
}

function defaultStatus(service: Service): Pick<Service, 'status'> {
  const { status } = service;
  const ingress = status?.loadBalancer?.ingress;
  if (service.spec.type !== 'LoadBalancer' || ingress === undefined) return { status };
  const modes = ingress.map((each) =>
    each.ip !== undefined && each.ipMode === undefined ? { ...each, ipMode: 'VIP' } : each,
  );
  return { status: { ...status, loadBalancer: { ingress: modes } } };
}

/** Fills in what depends on the type and on other fields. */
export function defaultService(service: Service): Service {
  const typed: ServiceSpec = { ...service.spec, type: service.spec.type ?? 'ClusterIP' };
  const ports = typed.ports?.map(defaultPort);
  const spec = compact({ ...typed, ports, ...affinityOf(typed), ...policiesOf(typed) });
  return compact({ ...service, spec, ...defaultStatus(service) });
}

/** Keeps `clusterIPs` in step with `clusterIP` on a new Service. */
export function prepareNewService(service: Service): Service {
  const { clusterIP = '', clusterIPs = [] } = service.spec;
  const created = clusterIP !== '' && clusterIPs.length === 0;
  return {
    ...service,
    ...(created && { spec: { ...service.spec, clusterIPs: [clusterIP] } }),
    status: { loadBalancer: {} },
  };
}

/** When a client changed only one of `clusterIP` and `clusterIPs`, the other follows. */
function inStep(spec: ServiceSpec, old: ServiceSpec): ServiceSpec {
  const { clusterIP = '', clusterIPs = [] } = spec;
  const isListSame = isDeepStrictEqual(clusterIPs, old.clusterIPs ?? []);
  if (clusterIP !== (old.clusterIP ?? '')) {
    if (!isListSame) return spec;
    return compact({
      ...spec,
      clusterIPs: clusterIP === '' ? undefined : [clusterIP, ...clusterIPs.slice(1)],
    });
  }
  return clusterIPs.length === 0 && clusterIP !== '' ? { ...spec, clusterIPs: [clusterIP] } : spec;
}

function carryClusterIps(spec: ServiceSpec, old: ServiceSpec): ServiceSpec {
  if (!needsClusterIp(spec) || !needsClusterIp(old)) return spec;
  const clusterIP = spec.clusterIP ?? old.clusterIP;
  const keeps = spec.clusterIPs === undefined && clusterIP === old.clusterIP;
  return compact({ ...spec, clusterIP, clusterIPs: keeps ? old.clusterIPs : spec.clusterIPs });
}

function nodePortsOf(spec: ServiceSpec): ReadonlySet<number> {
  return new Set((spec.ports ?? []).map((port) => port.nodePort ?? 0));
}

function carryNodePorts(spec: ServiceSpec, old: ServiceSpec): ServiceSpec {
  if (!needsNodePorts(spec) || !needsNodePorts(old)) return spec;
  const oldPorts = nodePortsOf(old);
  const taken = new Set([...nodePortsOf(spec)].filter((port) => oldPorts.has(port)));
  const byName = new Map((old.ports ?? []).map((port) => [port.name ?? '', port.nodePort]));
  const ports = spec.ports?.map((port) => {
    const known = byName.get(port.name ?? '');
    return (port.nodePort ?? 0) !== 0 || known === undefined || taken.has(known) ? port : { ...port, nodePort: known };
  });
  return compact({ ...spec, ports });
}

/** Values that the old type needed and the new one does not go away, unless the client changed them itself. */
function dropUnneeded(spec: ServiceSpec, old: ServiceSpec): ServiceSpec {
  const gone = new Set<keyof ServiceSpec>();
  if (needsClusterIp(old) && !needsClusterIp(spec)) {
    const names = ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy', 'internalTrafficPolicy'] as const;
    for (const name of names) gone.add(name);
  }
  if (needsHealthCheckPort(old) && !needsHealthCheckPort(spec)) gone.add('healthCheckNodePort');
  if (old.type === 'LoadBalancer' && spec.type !== 'LoadBalancer') {
    gone.add('allocateLoadBalancerNodePorts').add('loadBalancerClass');
  }
  if (isExternallyAccessible(old) && !isExternallyAccessible(spec)) gone.add('externalTrafficPolicy');
  const unchanged = [...gone].filter((name) => isDeepStrictEqual(spec[name], old[name]));
  const kept = Object.entries(spec).filter(([name]) => !unchanged.some((each) => each === name));
  return dropNodePorts(Object.fromEntries(kept) as ServiceSpec, old);
}

function dropNodePorts(spec: ServiceSpec, old: ServiceSpec): ServiceSpec {
  const isObsolete = needsNodePorts(old) && !needsNodePorts(spec) && spec.type !== 'LoadBalancer';
  if (!isObsolete || spec.ports === undefined) return spec;
  if (!isDeepStrictEqual(nodePortsOf(spec), nodePortsOf(old))) return spec;
  return { ...spec, ports: spec.ports.map((port) => omit(port, 'nodePort')) };
}

/** A changed Service with the allocated values that the client left out, and without those that no longer apply. */
export function prepareChangedService(service: Service, old: Service): Service {
  const carried = carryNodePorts(carryClusterIps(service.spec, old.spec), old.spec);
  const checked =
    needsHealthCheckPort(carried) && needsHealthCheckPort(old.spec) && carried.healthCheckNodePort === undefined
      ? compact({ ...carried, healthCheckNodePort: old.spec.healthCheckNodePort })
      : carried;
  return { ...service, spec: dropUnneeded(inStep(checked, old.spec), old.spec) };
}
