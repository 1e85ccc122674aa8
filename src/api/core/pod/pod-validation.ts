import { ipAddress } from '../../addresses.ts';
import { Issues } from '../../issues.ts';
import { dnsLabel, dnsSubdomain } from '../../names.ts';
import type { Checked, ValidationContext } from '../../schema.ts';
import { checkLabels } from '../../validate.ts';
import type { Pod } from '../pod.ts';
import { checkContainer, checkProbes, type ContainerSurroundings } from './container-validation.ts';
import type { Container } from './container.ts';
import type { PodSpec } from './pod-spec.ts';
import type { Toleration } from './scheduling.ts';
import { checkVolumes } from './volume-validation.ts';

/** The rules of Pods and Pod templates. Source: the Pod API of Kubernetes 1.36. */

const dnsPolicies = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'];
const mostNameservers = 3;
const mostSearches = 32;

function checkInitContainer(issues: Issues, path: string, container: Container, around: ContainerSurroundings): void {
  checkContainer(issues, path, container, around);
  if (container.restartPolicy === 'Always') return checkProbes(issues, path, container);
  issues.oneOf(`${path}.restartPolicy`, container.restartPolicy, ['Always', 'Never', 'OnFailure']);
  for (const name of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const) {
    if (container[name] === undefined) continue;
    issues.forbidden(`${path}.${name}`, 'may not be set for init containers without restartPolicy=Always');
  }
}

function checkContainers(issues: Issues, path: string, spec: PodSpec, volumes: ReadonlySet<string>): void {
  const around = { volumes, hostNetwork: spec.hostNetwork === true, names: new Set<string>() };
  const containers = spec.containers ?? [];
  if (containers.length === 0) issues.required(`${path}.containers`);
  for (const [index, container] of containers.entries()) {
    checkContainer(issues, `${path}.containers[${index}]`, container, around);
    checkProbes(issues, `${path}.containers[${index}]`, container);
  }
  for (const [index, container] of (spec.initContainers ?? []).entries()) {
    checkInitContainer(issues, `${path}.initContainers[${index}]`, container, around);
  }
  for (const [index, container] of (spec.ephemeralContainers ?? []).entries()) {
    checkContainer(issues, `${path}.ephemeralContainers[${index}]`, container, around);
  }
  checkHostPorts(issues, path, containers);
}

/** Two containers cannot listen on the same port of the node. */
function checkHostPorts(issues: Issues, path: string, containers: readonly Container[]): void {
  const seen = new Set<string>();
  for (const [index, { ports = [] }] of containers.entries()) {
    for (const [portIndex, { protocol, hostIP = '', hostPort = 0 }] of ports.entries()) {
      const key = `${protocol}/${hostIP}/${hostPort}`;
      if (hostPort === 0) continue;
      if (seen.has(key)) issues.duplicate(`${path}.containers[${index}].ports[${portIndex}].hostPort`, key);
      seen.add(key);
    }
  }
}

function checkToleration(issues: Issues, path: string, toleration: Toleration): void {
  const { key = '', operator, value = '', effect, tolerationSeconds } = toleration;
  if (key === '' && operator !== 'Exists') {
    issues.invalid(
      `${path}.operator`,
      operator ?? '',
      'operator must be Exists when `key` is empty, which means "match all values and all keys"',
    );
  }
  if (operator === 'Exists' && value !== '') {
    issues.invalid(`${path}.operator`, toleration, "value must be empty when `operator` is 'Exists'");
  }
  issues.oneOf(`${path}.operator`, operator, ['Equal', 'Exists', 'Gt', 'Lt']);
  issues.oneOf(`${path}.effect`, effect, ['NoSchedule', 'PreferNoSchedule', 'NoExecute']);
  if (tolerationSeconds !== undefined && effect !== 'NoExecute') {
    issues.invalid(`${path}.effect`, effect ?? '', "effect must be 'NoExecute' when `tolerationSeconds` is set");
  }
}

function checkDns(issues: Issues, path: string, spec: PodSpec): void {
  const { dnsPolicy, dnsConfig } = spec;
  if (dnsPolicy === undefined) issues.required(`${path}.dnsPolicy`);
  else issues.oneOf(`${path}.dnsPolicy`, dnsPolicy, dnsPolicies);
  const { nameservers = [], searches = [] } = dnsConfig ?? {};
  if (dnsPolicy === 'None' && nameservers.length === 0) {
    issues.required(
      `${path}.dnsConfig.nameservers`,
      'must provide at least one DNS nameserver when `dnsPolicy` is None',
    );
  }
  if (nameservers.length > mostNameservers) {
    issues.invalid(
      `${path}.dnsConfig.nameservers`,
      nameservers,
      `must not have more than ${mostNameservers} nameservers`,
    );
  }
  for (const [index, each] of nameservers.entries()) {
    issues.invalidAll(`${path}.dnsConfig.nameservers[${index}]`, each, ipAddress(each));
  }
  if (searches.length > mostSearches) {
    issues.invalid(`${path}.dnsConfig.searches`, searches, `must not have more than ${mostSearches} search paths`);
  }
  for (const [index, each] of searches.entries()) {
    const name = each.replace(/\.$/, '').replaceAll('_', 'x');
    if (name !== '') issues.invalidAll(`${path}.dnsConfig.searches[${index}]`, each, dnsSubdomain(name));
  }
}

function checkHost(issues: Issues, path: string, spec: PodSpec): void {
  for (const name of ['hostname', 'subdomain'] as const) {
    const value = spec[name];
    if (value !== undefined) issues.invalidAll(`${path}.${name}`, value, dnsLabel(value));
  }
  for (const name of ['nodeName', 'serviceAccountName', 'priorityClassName', 'runtimeClassName'] as const) {
    const value = spec[name];
    if (value !== undefined) issues.invalidAll(`${path}.${name}`, value, dnsSubdomain(value));
  }
  for (const [index, { ip, hostnames = [] }] of (spec.hostAliases ?? []).entries()) {
    issues.invalidAll(`${path}.hostAliases[${index}].ip`, ip, ipAddress(ip));
    for (const [at, hostname] of hostnames.entries()) {
      issues.invalidAll(`${path}.hostAliases[${index}].hostnames[${at}]`, hostname, dnsSubdomain(hostname));
    }
  }
}

function checkTimes(issues: Issues, path: string, spec: PodSpec): void {
  const { activeDeadlineSeconds: deadline, terminationGracePeriodSeconds } = spec;
  if (deadline !== undefined && (deadline < 1 || deadline > 2 ** 31 - 1)) {
    issues.invalid(`${path}.activeDeadlineSeconds`, deadline, 'must be between 1 and 2147483647, inclusive');
  }
  issues.nonNegative(`${path}.terminationGracePeriodSeconds`, terminationGracePeriodSeconds);
}

/** The rules of a Pod's wanted state at `path` (`spec`, or `spec.template.spec`). */
export function checkPodSpec(issues: Issues, path: string, spec: PodSpec): void {
  const volumes = checkVolumes(issues, `${path}.volumes`, spec.volumes ?? []);
  checkContainers(issues, path, spec, volumes);
  if (spec.restartPolicy === undefined) issues.required(`${path}.restartPolicy`);
  else issues.oneOf(`${path}.restartPolicy`, spec.restartPolicy, ['Always', 'OnFailure', 'Never']);
  checkDns(issues, path, spec);
  checkLabels(issues, `${path}.nodeSelector`, spec.nodeSelector);
  checkHost(issues, path, spec);
  checkTimes(issues, path, spec);
  for (const [index, toleration] of (spec.tolerations ?? []).entries()) {
    checkToleration(issues, `${path}.tolerations[${index}]`, toleration);
  }
}

function warnOfDuplicates(issues: Issues, { spec }: Pod): void {
  for (const [index, { env = [] }] of (spec.containers ?? []).entries()) {
    const seen = new Map<string, number>();
    for (const [at, { name }] of env.entries()) {
      const first = seen.get(name);
      const path = `spec.containers[${index}].env`;
      if (first === undefined) seen.set(name, at);
      else
        issues.warn(
          `${path}[${at}]: hides previous definition of ${JSON.stringify(name)}, which may be dropped when using apply`,
        );
    }
  }
}

function checkPodIps(issues: Issues, pod: Pod): void {
  for (const [index, { ip }] of (pod.status?.podIPs ?? []).entries()) {
    issues.invalidAll(`status.podIPs[${index}].ip`, ip, ipAddress(ip));
  }
}

/** Is the Pod fit to be stored? */
export function validatePod(pod: Pod, context: ValidationContext): Checked {
  const issues = new Issues();
  if (context.subresource === 'status') checkPodIps(issues, pod);
  else {
    checkPodSpec(issues, 'spec', pod.spec);
    warnOfDuplicates(issues, pod);
  }
  return issues.result();
}
