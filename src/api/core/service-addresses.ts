import { familyOf } from '../../lib/ip.ts';
import { ipAddress } from '../addresses.ts';
import type { Issues } from '../issues.ts';
import type { ServiceSpec } from './service.ts';

/** The rules of a Service's virtual addresses. */

function checkFamilies(issues: Issues, families: readonly string[]): void {
  const seen = new Set<string>();
  for (const [index, family] of families.entries()) {
    issues.oneOf(`spec.ipFamilies[${index}]`, family, ['IPv4', 'IPv6']);
    if (seen.has(family)) issues.duplicate(`spec.ipFamilies[${index}]`, family);
    seen.add(family);
  }
}

/** The rules of virtual addresses and their families. */
export function checkClusterIps(issues: Issues, spec: ServiceSpec): void {
  if (spec.type === 'ExternalName') return;
  const { clusterIP = '', clusterIPs = [], ipFamilies = [] } = spec;
  checkFamilies(issues, ipFamilies);
  issues.oneOf('spec.ipFamilyPolicy', spec.ipFamilyPolicy, ['SingleStack', 'PreferDualStack', 'RequireDualStack']);
  if (clusterIPs.length === 0) {
    if (clusterIP !== '') issues.required('spec.clusterIPs');
    return;
  }
  if (clusterIPs[0] !== clusterIP) issues.invalid('spec.clusterIPs', clusterIPs, 'element [0] must match clusterIP');
  if (clusterIPs[0] === 'None' && clusterIPs.length > 1) {
    return issues.invalid('spec.clusterIPs[0]', 'None', "'None' must be the first and only value");
  }
  if (clusterIPs[0] !== 'None') checkAddresses(issues, clusterIPs, ipFamilies);
}

function checkAddresses(issues: Issues, clusterIPs: readonly string[], families: readonly string[]): void {
  const before = issues.count;
  for (const [index, ip] of clusterIPs.entries()) issues.invalidAll(`spec.clusterIPs[${index}]`, ip, ipAddress(ip));
  if (clusterIPs.length > 2) issues.invalid('spec.clusterIPs', clusterIPs, 'may only hold up to 2 values');
  if (issues.count > before) return;
  const found = clusterIPs.map(familyOf);
  if (found.length === 2 && found[0] === found[1]) {
    issues.invalid('spec.clusterIPs', clusterIPs, 'may specify no more than one IP for each IP family');
  }
  for (const [index, ip] of clusterIPs.entries()) {
    const wanted = families[index];
    if (wanted === undefined || wanted === found[index]) continue;
    const message = `expected an ${wanted} value as indicated by \`ipFamilies[${index}]\``;
    issues.invalid(`spec.clusterIPs[${index}]`, ip, message);
  }
}

/** The primary may not change, the secondary may come and go. */
function checkPair(
  issues: Issues,
  name: 'clusterIP' | 'ipFamily',
  path: string,
  now: readonly string[],
  before: readonly string[],
  spec: ServiceSpec,
): void {
  if (before.length > 0 && now.length === 0) issues.invalid(`${path}[0]`, now, `primary ${name} can not be unset`);
  for (const index of [0, 1]) {
    const old = before[index];
    const current = now[index];
    if (old === undefined || current === undefined || old === current) continue;
    issues.invalid(`${path}[${index}]`, now, 'may not change once set');
  }
  if (before.length === 2 && now.length === 1 && spec.ipFamilyPolicy !== 'SingleStack') {
    const message = `must be set to 'SingleStack' when releasing the secondary ${name}`;
    issues.invalid('spec.ipFamilyPolicy', spec.ipFamilyPolicy, message);
  }
}

/** What may change about virtual addresses while the Service has any. */
export function checkClusterIpChange(issues: Issues, spec: ServiceSpec, old: ServiceSpec): void {
  checkPair(issues, 'clusterIP', 'spec.clusterIPs', spec.clusterIPs ?? [], old.clusterIPs ?? [], spec);
  checkPair(issues, 'ipFamily', 'spec.ipFamilies', spec.ipFamilies ?? [], old.ipFamilies ?? [], spec);
}
