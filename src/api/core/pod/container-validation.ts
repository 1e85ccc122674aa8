import type { Issues } from '../../issues.ts';
import { dataKey, dnsLabel, envName, portName, portNumber, qualifiedName } from '../../names.ts';
import { quantityInNano } from '../../quantity.ts';
import type { EnvFromSource, EnvVar, EnvVarSource } from './container-env.ts';
import type { Container, ContainerPort, VolumeMount } from './container.ts';
import { checkLifecycle, checkProbe } from './probe-validation.ts';
import type { ResourceRequirements } from './resources.ts';

/** The rules of containers. */

/** What the rules of a container depend on. */
export interface ContainerSurroundings {
  readonly volumes: ReadonlySet<string>;
  readonly hostNetwork: boolean;
  /** Names of containers seen so far, of all sorts. */
  readonly names: Set<string>;
}

const protocols = ['TCP', 'UDP', 'SCTP'];
const fieldPaths = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];

function checkPort(issues: Issues, path: string, port: ContainerPort, names: Set<string>, hostNetwork: boolean): void {
  const { name, containerPort, hostPort = 0, protocol } = port;
  if (name !== undefined) {
    issues.invalidAll(`${path}.name`, name, portName(name));
    if (names.has(name)) issues.duplicate(`${path}.name`, name);
    names.add(name);
  }
  if ((containerPort ?? 0) === 0) issues.required(`${path}.containerPort`);
  else issues.invalidAll(`${path}.containerPort`, containerPort, portNumber(containerPort));
  if (hostPort !== 0) issues.invalidAll(`${path}.hostPort`, hostPort, portNumber(hostPort));
  if (hostNetwork && hostPort !== 0 && hostPort !== containerPort) {
    issues.invalid(`${path}.containerPort`, containerPort, 'must match `hostPort` when `hostNetwork` is true');
  }
  if (protocol === undefined) issues.required(`${path}.protocol`);
  else issues.oneOf(`${path}.protocol`, protocol, protocols);
}

function checkFieldPath(issues: Issues, path: string, fieldPath: string): void {
  if (fieldPath === '') return issues.required(path);
  const subscript = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(fieldPath);
  if (subscript !== null) issues.invalidAll(path, fieldPath, qualifiedName((subscript[2] ?? '').toLowerCase()));
  else issues.oneOf(path, fieldPath, fieldPaths);
}

function checkEnvSource(issues: Issues, path: string, source: EnvVarSource): void {
  const given = Object.keys(source);
  if (given.length === 0) {
    const message =
      'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`';
    issues.invalid(path, '', message);
  } else if (given.length > 1) issues.invalid(path, '', 'may not have more than one field specified at a time');
  if (source.fieldRef !== undefined)
    checkFieldPath(issues, `${path}.fieldRef.fieldPath`, source.fieldRef.fieldPath ?? '');
  for (const name of ['configMapKeyRef', 'secretKeyRef'] as const) {
    const reference = source[name];
    if (reference === undefined) continue;
    if ((reference.key ?? '') === '') issues.required(`${path}.${name}.key`);
    else issues.invalidAll(`${path}.${name}.key`, reference.key, dataKey(reference.key));
  }
  if (source.resourceFieldRef !== undefined && (source.resourceFieldRef.resource ?? '') === '') {
    issues.required(`${path}.resourceFieldRef.resource`);
  }
}

function checkEnv(issues: Issues, path: string, variables: readonly EnvVar[]): void {
  for (const [index, { name, value = '', valueFrom }] of variables.entries()) {
    const where = `${path}[${index}]`;
    if ((name ?? '') === '') issues.required(`${where}.name`);
    else issues.invalidAll(`${where}.name`, name, envName(name));
    if (valueFrom === undefined) continue;
    if (value !== '') issues.invalid(`${where}.valueFrom`, '', 'may not be specified when `value` is not empty');
    checkEnvSource(issues, `${where}.valueFrom`, valueFrom);
  }
}

function checkEnvFrom(issues: Issues, path: string, sources: readonly EnvFromSource[]): void {
  for (const [index, { prefix = '', configMapRef, secretRef }] of sources.entries()) {
    const where = `${path}[${index}]`;
    if (prefix !== '') issues.invalidAll(`${where}.prefix`, prefix, envName(prefix));
    if (configMapRef === undefined && secretRef === undefined) {
      issues.invalid(where, '', 'must specify one of: `configMapRef` or `secretRef`');
    } else if (configMapRef !== undefined && secretRef !== undefined) {
      issues.invalid(where, '', 'may not have more than one field specified at a time');
    }
    if (configMapRef !== undefined && (configMapRef.name ?? '') === '') issues.required(`${where}.configMapRef.name`);
    if (secretRef !== undefined && (secretRef.name ?? '') === '') issues.required(`${where}.secretRef.name`);
  }
}

function checkSubPath(issues: Issues, path: string, subPath: string): void {
  if (subPath.startsWith('/')) issues.invalid(path, subPath, 'must be a relative path');
  if (subPath.split('/').includes('..')) issues.invalid(path, subPath, "must not contain '..'");
}

function checkMounts(issues: Issues, path: string, mounts: readonly VolumeMount[], volumes: ReadonlySet<string>): void {
  const seen = new Set<string>();
  for (const [index, { name, mountPath, subPath = '', subPathExpr = '' }] of mounts.entries()) {
    const where = `${path}[${index}]`;
    if ((name ?? '') === '') issues.required(`${where}.name`);
    else if (!volumes.has(name)) issues.notFound(`${where}.name`, name);
    if ((mountPath ?? '') === '') issues.required(`${where}.mountPath`);
    else if (seen.has(mountPath)) issues.invalid(`${where}.mountPath`, mountPath, 'must be unique');
    seen.add(mountPath);
    checkSubPath(issues, `${where}.subPath`, subPath);
    if (subPath !== '' && subPathExpr !== '') {
      issues.invalid(`${where}.subPathExpr`, subPathExpr, 'subPathExpr and subPath are mutually exclusive');
    }
  }
}

function checkResourceName(issues: Issues, path: string, name: string): void {
  const wrong = qualifiedName(name);
  if (wrong.length > 0) issues.invalidAll(path, name, wrong);
  else if (!name.includes('/') && !/^(cpu|memory|ephemeral-storage|hugepages-.+)$/.test(name)) {
    issues.invalid(path, name, 'must be a standard resource for containers');
  }
}

function checkResources(issues: Issues, path: string, resources: ResourceRequirements | undefined): void {
  const { limits = {}, requests = {} } = resources ?? {};
  for (const [field, amounts] of Object.entries({ limits, requests })) {
    for (const [name, amount] of Object.entries(amounts)) {
      checkResourceName(issues, `${path}.${field}[${name}]`, name);
      if ((quantityInNano(amount) ?? 0n) < 0n) {
        issues.invalid(`${path}.${field}[${name}]`, amount, 'must be greater than or equal to 0');
      }
    }
  }
  for (const [name, amount] of Object.entries(requests)) {
    const limit = Object.hasOwn(limits, name) ? limits[name] : undefined;
    if (limit === undefined || (quantityInNano(amount) ?? 0n) <= (quantityInNano(limit) ?? 0n)) continue;
    issues.invalid(`${path}.requests`, amount, `must be less than or equal to ${name} limit of ${limit}`);
  }
}

function checkNaming(issues: Issues, path: string, container: Container, names: Set<string>): void {
  const { name, image = '' } = container;
  if ((name ?? '') === '') issues.required(`${path}.name`);
  else {
    issues.invalidAll(`${path}.name`, name, dnsLabel(name));
    if (names.has(name)) issues.duplicate(`${path}.name`, name);
    names.add(name);
  }
  if (image === '') issues.required(`${path}.image`);
  else if (image.trim() !== image) {
    issues.invalid(`${path}.image`, image, 'must not have leading or trailing whitespace');
  }
}

function checkPorts(issues: Issues, path: string, ports: readonly ContainerPort[], hostNetwork: boolean): void {
  const names = new Set<string>();
  for (const [index, port] of ports.entries()) checkPort(issues, `${path}[${index}]`, port, names, hostNetwork);
}

/** The rules that all sorts of containers share. */
export function checkContainer(
  issues: Issues,
  path: string,
  container: Container,
  { volumes, hostNetwork, names }: ContainerSurroundings,
): void {
  checkNaming(issues, path, container, names);
  checkPorts(issues, `${path}.ports`, container.ports ?? [], hostNetwork);
  checkEnv(issues, `${path}.env`, container.env ?? []);
  checkEnvFrom(issues, `${path}.envFrom`, container.envFrom ?? []);
  checkMounts(issues, `${path}.volumeMounts`, container.volumeMounts ?? [], volumes);
  checkResources(issues, `${path}.resources`, container.resources);
  issues.oneOf(`${path}.imagePullPolicy`, container.imagePullPolicy, ['Always', 'IfNotPresent', 'Never']);
  const policies = ['File', 'FallbackToLogsOnError'];
  issues.oneOf(`${path}.terminationMessagePolicy`, container.terminationMessagePolicy, policies);
}

/** The probes and hooks of a container that runs along. */
export function checkProbes(issues: Issues, path: string, container: Container): void {
  checkProbe(issues, `${path}.livenessProbe`, container.livenessProbe, false);
  checkProbe(issues, `${path}.readinessProbe`, container.readinessProbe, true);
  checkProbe(issues, `${path}.startupProbe`, container.startupProbe, false);
  checkLifecycle(issues, `${path}.lifecycle`, container.lifecycle);
}
