import { isDeepStrictEqual } from 'node:util';
import { familyOf } from '../../lib/ip.ts';
import { cidr, ipAddress, reachableAddress } from '../addresses.ts';
import { Issues } from '../issues.ts';
import { dnsLabel, dnsSubdomain, portName, portNumber, qualifiedName } from '../names.ts';
import type { Checked, ValidationContext } from '../schema.ts';
import { checkLabels } from '../validate.ts';
import { checkClusterIpChange, checkClusterIps } from './service-addresses.ts';
import { isExternallyAccessible, isHeadless, needsHealthCheckPort } from './service-strategy.ts';
import type { LoadBalancerIngress, Service, ServicePort, ServiceSpec } from './service.ts';

/** The rules of Services. Source: the Service API of Kubernetes 1.36. */

const types = ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'];
const protocols = ['TCP', 'UDP', 'SCTP'];
const trafficPolicies = ['Cluster', 'Local'];
const onlyForLoadBalancers = "may only be used when `type` is 'LoadBalancer'";
const longestAffinitySeconds = 86_400;
const kubeletPort = 10_250;
const sourceRangesAnnotation = 'service.beta.kubernetes.io/load-balancer-source-ranges';

function checkType(issues: Issues, spec: ServiceSpec): void {
  if (spec.type === undefined) issues.required('spec.type');
  else issues.oneOf('spec.type', spec.type, types);
  if (isHeadless(spec) && (spec.type === 'LoadBalancer' || spec.type === 'NodePort')) {
    issues.invalid('spec.clusterIPs[0]', 'None', `may not be set to 'None' for ${spec.type} services`);
  }
  if (spec.type === 'ExternalName') checkExternalName(issues, spec);
}

function checkExternalName(issues: Issues, spec: ServiceSpec): void {
  const forbidden = 'may not be set for ExternalName services';
  if ((spec.clusterIPs ?? []).length > 0) issues.forbidden('spec.clusterIPs', forbidden);
  if ((spec.ipFamilies ?? []).length > 0) issues.forbidden('spec.ipFamilies', forbidden);
  if (spec.ipFamilyPolicy !== undefined) issues.forbidden('spec.ipFamilyPolicy', forbidden);
  const name = (spec.externalName ?? '').replace(/\.$/, '');
  if (name === '') issues.required('spec.externalName');
  else issues.invalidAll('spec.externalName', name, dnsSubdomain(name));
}

function checkPorts(issues: Issues, spec: ServiceSpec): void {
  const ports = spec.ports ?? [];
  if (ports.length === 0 && !isHeadless(spec) && spec.type !== 'ExternalName') issues.required('spec.ports');
  const names = new Set<string>();
  for (const [index, port] of ports.entries()) {
    checkPort(issues, `spec.ports[${index}]`, port, ports.length > 1, names);
    checkPortOfType(issues, `spec.ports[${index}]`, port, spec);
  }
  checkDuplicatePorts(issues, ports);
}

function checkPort(issues: Issues, path: string, port: ServicePort, needsName: boolean, names: Set<string>): void {
  const { name = '', protocol, targetPort, appProtocol } = port;
  if (name !== '') {
    issues.invalidAll(`${path}.name`, name, dnsLabel(name));
    if (names.has(name)) issues.duplicate(`${path}.name`, name);
    names.add(name);
  } else if (needsName) issues.required(`${path}.name`);
  issues.invalidAll(`${path}.port`, port.port ?? 0, portNumber(port.port ?? 0));
  if (protocol === undefined) issues.required(`${path}.protocol`);
  else issues.oneOf(`${path}.protocol`, protocol, protocols);
  const target = targetPort ?? port.port;
  issues.invalidAll(`${path}.targetPort`, target, typeof target === 'string' ? portName(target) : portNumber(target));
  if (appProtocol !== undefined) {
    issues.invalidAll(`${path}.appProtocol`, appProtocol, qualifiedName(appProtocol));
  }
}

function checkPortOfType(issues: Issues, path: string, port: ServicePort, spec: ServiceSpec): void {
  if (spec.type === 'ClusterIP' && (port.nodePort ?? 0) !== 0) {
    issues.forbidden(`${path}.nodePort`, "may not be used when `type` is 'ClusterIP'");
  }
  if (spec.type === 'LoadBalancer' && port.port === kubeletPort) {
    issues.invalid(path, port.port, 'may not expose port 10250 externally since it is used by kubelet');
  }
}

function checkDuplicatePorts(issues: Issues, ports: readonly ServicePort[]): void {
  const seen = new Set<string>();
  const seenNodePorts = new Set<string>();
  for (const [index, { protocol, port, nodePort = 0 }] of ports.entries()) {
    const key = `${protocol}/${port}`;
    const nodeKey = `${protocol}/${nodePort}`;
    if (seen.has(key)) issues.duplicate(`spec.ports[${index}]`, { port, protocol });
    if (nodePort !== 0 && seenNodePorts.has(nodeKey)) issues.duplicate(`spec.ports[${index}].nodePort`, nodePort);
    seen.add(key);
    seenNodePorts.add(nodeKey);
  }
}

function checkAffinity(issues: Issues, spec: ServiceSpec): void {
  const path = 'spec.sessionAffinityConfig';
  const { sessionAffinity, sessionAffinityConfig } = spec;
  if (sessionAffinity === undefined) return issues.required('spec.sessionAffinity');
  issues.oneOf('spec.sessionAffinity', sessionAffinity, ['ClientIP', 'None']);
  if (sessionAffinity === 'None' && sessionAffinityConfig !== undefined) {
    issues.forbidden(path, 'must not be set when session affinity is None');
  }
  if (sessionAffinity !== 'ClientIP') return;
  const seconds = sessionAffinityConfig?.clientIP?.timeoutSeconds;
  if (seconds === undefined) issues.required(path, 'when session affinity type is ClientIP');
  else if (seconds <= 0 || seconds > longestAffinitySeconds) {
    const message = `must be greater than 0 and less than ${longestAffinitySeconds}`;
    issues.invalid(`${path}.clientIP.timeoutSeconds`, seconds, message);
  }
}

function checkExternalIps(issues: Issues, spec: ServiceSpec, context: ValidationContext): void {
  for (const [index, ip] of (spec.externalIPs ?? []).entries()) {
    const path = `spec.externalIPs[${index}]`;
    const wrong = ipAddress(ip);
    issues.invalidAll(path, ip, wrong.length > 0 ? wrong : reachableAddress(ip, context.allowLoopback === true));
  }
}

function checkSourceRanges(issues: Issues, service: Service): void {
  const ranges = service.spec.loadBalancerSourceRanges ?? [];
  const isLoadBalancer = service.spec.type === 'LoadBalancer';
  if (ranges.length > 0 && !isLoadBalancer) issues.forbidden('spec.LoadBalancerSourceRanges', onlyForLoadBalancers);
  for (const [index, range] of ranges.entries()) {
    issues.invalidAll(`spec.loadBalancerSourceRanges[${index}]`, range, cidr(range.trim()));
  }
  const annotation = service.metadata.annotations?.[sourceRangesAnnotation];
  if (annotation === undefined || ranges.length > 0) return;
  const path = `metadata.annotations[${sourceRangesAnnotation}]`;
  if (!isLoadBalancer) issues.forbidden(path, onlyForLoadBalancers);
  for (const range of annotation.split(',').filter((each) => each.trim() !== '')) {
    const message = 'must be a comma separated list of CIDRs e.g. 192.168.0.0/16,10.0.0.0/8';
    if (cidr(range.trim()).length > 0) issues.invalid(path, annotation, message);
  }
}

function checkLoadBalancer(issues: Issues, spec: ServiceSpec): void {
  const isLoadBalancer = spec.type === 'LoadBalancer';
  const { allocateLoadBalancerNodePorts, loadBalancerClass } = spec;
  if (isLoadBalancer && allocateLoadBalancerNodePorts === undefined) {
    issues.required('spec.allocateLoadBalancerNodePorts');
  }
  if (!isLoadBalancer && allocateLoadBalancerNodePorts !== undefined) {
    issues.forbidden('spec.allocateLoadBalancerNodePorts', onlyForLoadBalancers);
  }
  if (loadBalancerClass === undefined) return;
  if (!isLoadBalancer) issues.forbidden('spec.loadBalancerClass', onlyForLoadBalancers);
  else issues.invalidAll('spec.loadBalancerClass', loadBalancerClass, qualifiedName(loadBalancerClass));
}

function checkTrafficPolicies(issues: Issues, spec: ServiceSpec): void {
  const { externalTrafficPolicy, internalTrafficPolicy, healthCheckNodePort = 0 } = spec;
  if (externalTrafficPolicy === undefined) {
    if (isExternallyAccessible(spec)) issues.required('spec.externalTrafficPolicy');
  } else if (!isExternallyAccessible(spec)) {
    const message = 'may only be set for externally-accessible services';
    issues.invalid('spec.externalTrafficPolicy', externalTrafficPolicy, message);
  } else issues.oneOf('spec.externalTrafficPolicy', externalTrafficPolicy, trafficPolicies);
  issues.oneOf('spec.internalTrafficPolicy', internalTrafficPolicy, trafficPolicies);
  if (healthCheckNodePort < 0) issues.invalidAll('spec.healthCheckNodePort', healthCheckNodePort, portNumber(-1));
  if (healthCheckNodePort !== 0 && !needsHealthCheckPort(spec)) {
    const message = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
    issues.invalid('spec.healthCheckNodePort', healthCheckNodePort, message);
  }
  const distributions = ['PreferClose', 'PreferSameNode', 'PreferSameZone'];
  issues.oneOf('spec.trafficDistribution', spec.trafficDistribution, distributions);
}

function checkIngress(issues: Issues, path: string, ingress: LoadBalancerIngress): void {
  const { ip = '', hostname = '', ipMode } = ingress;
  if (ip !== '') issues.invalidAll(`${path}.ip`, ip, ipAddress(ip));
  if (ip === '' && ipMode !== undefined) issues.forbidden(`${path}.ipMode`, 'may not be set when `ip` is not set');
  else issues.oneOf(`${path}.ipMode`, ipMode, ['VIP', 'Proxy']);
  if (hostname === '') return;
  issues.invalidAll(`${path}.hostname`, hostname, dnsSubdomain(hostname));
  if (familyOf(hostname) !== undefined) {
    issues.invalid(`${path}.hostname`, hostname, 'must be a DNS name, not an IP address');
  }
}

function checkStatus(issues: Issues, service: Service): void {
  const ingress = service.status?.loadBalancer?.ingress ?? [];
  for (const [index, each] of ingress.entries()) checkIngress(issues, `status.loadBalancer.ingress[${index}]`, each);
}

function checkTopologyAnnotations(issues: Issues, service: Service): void {
  const mode = service.metadata.annotations?.['service.kubernetes.io/topology-mode'];
  const hints = service.metadata.annotations?.['service.kubernetes.io/topology-aware-hints'];
  if (hints !== undefined) {
    issues.warn(
      'annotation service.kubernetes.io/topology-aware-hints is deprecated, please use service.kubernetes.io/topology-mode instead',
    );
  }
  if (mode === undefined || hints === undefined || mode === hints) return;
  const path = 'metadata.annotations[service.kubernetes.io/topology-mode]';
  issues.invalid(
    path,
    mode,
    'must match annotations[service.kubernetes.io/topology-aware-hints] when both are specified',
  );
}

function warnOfIgnoredFields(issues: Issues, spec: ServiceSpec): void {
  if (isHeadless(spec)) {
    if ((spec.loadBalancerIP ?? '') !== '') issues.warn('spec.loadBalancerIP is ignored for headless services');
    if ((spec.externalIPs ?? []).length > 0) issues.warn('spec.externalIPs is ignored for headless services');
    if (spec.sessionAffinity === 'ClientIP') issues.warn('spec.SessionAffinity is ignored for headless services');
  } else if ((spec.externalIPs ?? []).length > 0) {
    issues.warn('spec.externalIPs is deprecated: anyone who may set it can take over the traffic of others');
  }
  if (spec.type !== 'ExternalName' && (spec.externalName ?? '') !== '') {
    issues.warn('spec.externalName is ignored when spec.type is not "ExternalName"');
  }
  if (spec.trafficDistribution === 'PreferClose') {
    issues.warn('spec.trafficDistribution: "PreferClose" is deprecated, use "PreferSameZone"');
  }
}

/** Is the Service fit to be stored? */
export function validateService(service: Service, context: ValidationContext): Checked {
  const issues = new Issues();
  const { spec } = service;
  checkType(issues, spec);
  checkPorts(issues, spec);
  checkLabels(issues, 'spec.selector', spec.selector);
  checkAffinity(issues, spec);
  checkClusterIps(issues, spec);
  checkExternalIps(issues, spec, context);
  checkSourceRanges(issues, service);
  checkLoadBalancer(issues, spec);
  checkTrafficPolicies(issues, spec);
  checkTopologyAnnotations(issues, service);
  if (context.subresource === 'status') checkStatus(issues, service);
  else warnOfIgnoredFields(issues, spec);
  return issues.result();
}

/** Is the change of the Service allowed? */
export function validateServiceUpdate(service: Service, old: Service): Checked {
  const issues = new Issues();
  const { spec } = service;
  if (spec.type !== 'ExternalName' && old.spec.type !== 'ExternalName') {
    checkClusterIpChange(issues, spec, old.spec);
  }
  if (spec.type === 'LoadBalancer' && old.spec.type === 'LoadBalancer') {
    const isSame = isDeepStrictEqual(spec.loadBalancerClass, old.spec.loadBalancerClass);
    if (!isSame) issues.invalid('spec.loadBalancerClass', spec.loadBalancerClass, 'may not change once set');
  }
  if (needsHealthCheckPort(spec) && needsHealthCheckPort(old.spec)) {
    const isSame = spec.healthCheckNodePort === old.spec.healthCheckNodePort;
    issues.immutable('spec.healthCheckNodePort', spec.healthCheckNodePort, old.spec.healthCheckNodePort, isSame);
  }
  return issues.result();
}
