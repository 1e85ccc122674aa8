import type { Service, ServiceSpec } from '../../api/core/service.ts';
import { Issues } from '../../api/issues.ts';
import { familyOf, type Family } from '../../lib/ip.ts';
import { sameJson } from '../../lib/json.ts';

type FamilyFields = Pick<ServiceSpec, 'clusterIP' | 'clusterIPs' | 'ipFamilies' | 'ipFamilyPolicy'>;

/** A spec whose families are decided: `ipFamilies` and `ipFamilyPolicy` are set. */
export type DecidedSpec = ServiceSpec & Required<Pick<ServiceSpec, 'ipFamilies' | 'ipFamilyPolicy'>>;

/**
 * Decides the IP families of a Service that has cluster addresses or is headless (KEP-563): the policy from before or
 * single-stack, the families from the addresses or the cluster's default, and the second family when it is wanted and
 * there. What cannot be is noted in `issues`. A dual-stack Service is never up- or downgraded by a change of the cluster.
 */
export function decideFamilies(
  { spec }: Service,
  old: ServiceSpec | undefined,
  families: readonly Family[],
  issues: Issues,
): DecidedSpec {
  const policy = spec.ipFamilyPolicy ?? old?.ipFamilyPolicy ?? defaultPolicy(spec);
  const isSettled = policy === 'PreferDualStack' && old !== undefined && hasSameFamilies(spec, old, policy);
  if (isSettled) return { ...spec, ipFamilies: spec.ipFamilies ?? [], ipFamilyPolicy: policy };
  const trimmed = old === undefined ? spec : releaseSecond({ ...spec, ipFamilyPolicy: policy }, old, issues);
  const decided = { ...trimmed, ipFamilyPolicy: policy, ipFamilies: inferFamilies(trimmed, families, issues) };
  checkPolicy(decided, issues);
  if (isHeadlessWithoutSelector(spec))
    return { ...decided, ipFamilies: completed(decided, families, ['IPv4', 'IPv6']) };
  checkConfigured(decided, families, issues);
  return { ...decided, ipFamilies: completed(decided, families, families) };
}

/** Somebody else writes the endpoints of a headless Service without selector: they may be of any family. */
function isHeadlessWithoutSelector({ clusterIP, selector = {} }: ServiceSpec): boolean {
  return clusterIP === 'None' && Object.keys(selector).length === 0;
}

function defaultPolicy(spec: ServiceSpec): 'RequireDualStack' | 'SingleStack' {
  return isHeadlessWithoutSelector(spec) ? 'RequireDualStack' : 'SingleStack';
}

function hasSameFamilies(spec: FamilyFields, old: FamilyFields, policy: string): boolean {
  if (old.ipFamilyPolicy !== policy || spec.ipFamilies === undefined) return false;
  return sameJson(spec.clusterIPs, old.clusterIPs) && sameJson(spec.ipFamilies, old.ipFamilies);
}

/** Going back to one family gives up the second address, and has to be said. */
function releaseSecond(spec: ServiceSpec, old: ServiceSpec, issues: Issues): ServiceSpec {
  const { clusterIPs = [], ipFamilies = [], ipFamilyPolicy } = spec;
  if (ipFamilyPolicy !== 'SingleStack') {
    const reduced = (now: readonly unknown[], before: readonly unknown[] = []): boolean =>
      before.length === 2 && now.length === 1;
    const path = 'spec.ipFamilyPolicy';
    if (reduced(clusterIPs, old.clusterIPs)) {
      issues.invalid(path, ipFamilyPolicy, "must be set to 'SingleStack' when releasing the secondary clusterIP");
    } else if (reduced(ipFamilies, old.ipFamilies)) {
      issues.invalid(path, ipFamilyPolicy, "must be set to 'SingleStack' when releasing the secondary ipFamily");
    }
    return spec;
  }
  const keepsIps = !sameJson(clusterIPs, old.clusterIPs ?? []);
  const keepsFamilies = !sameJson(ipFamilies, old.ipFamilies ?? []);
  return {
    ...spec,
    ...(clusterIPs.length > 1 && !keepsIps && { clusterIPs: clusterIPs.slice(0, 1) }),
    ...(ipFamilies.length > 1 && !keepsFamilies && { ipFamilies: ipFamilies.slice(0, 1) }),
  };
}

/** An address says its family where none is given. */
function inferFamilies(spec: ServiceSpec, families: readonly Family[], issues: Issues): readonly Family[] {
  const result = [...(spec.ipFamilies ?? [])];
  for (const [index, ip] of (spec.clusterIPs ?? []).entries()) {
    const family = familyOf(ip);
    if (family === undefined || index < result.length) continue;
    if (families.includes(family)) result.push(family);
    else issues.invalid(`spec.clusterIPs[${index}]`, spec.clusterIPs, `${family} is not configured on this cluster`);
  }
  return result;
}

function checkPolicy({ ipFamilyPolicy, clusterIPs = [], ipFamilies }: DecidedSpec, issues: Issues): void {
  if (ipFamilyPolicy !== 'SingleStack') return;
  const needed = 'must be RequireDualStack or PreferDualStack when multiple';
  const path = 'spec.ipFamilyPolicy';
  if (clusterIPs.length === 2) issues.invalid(path, ipFamilyPolicy, `${needed} 'clusterIPs' are specified`);
  else if (ipFamilies.length === 2) issues.invalid(path, ipFamilyPolicy, `${needed} 'ipFamilies' are specified`);
}

function checkConfigured(
  { ipFamilyPolicy, ipFamilies }: DecidedSpec,
  families: readonly Family[],
  issues: Issues,
): void {
  if (ipFamilyPolicy === 'RequireDualStack' && families.length < 2) {
    issues.invalid('spec.ipFamilyPolicy', ipFamilyPolicy, 'this cluster is not configured for dual-stack services');
  }
  for (const [index, family] of ipFamilies.entries()) {
    if (!families.includes(family))
      issues.invalid(`spec.ipFamilies[${index}]`, family, 'not configured on this cluster');
  }
}

/** With the default family when there is none, and the other one of `possible` when two are wanted. */
function completed(
  { ipFamilies, ipFamilyPolicy }: DecidedSpec,
  families: readonly Family[],
  possible: readonly Family[],
): readonly Family[] {
  const primary = ipFamilies.length > 0 ? ipFamilies : families.slice(0, 1);
  if (ipFamilyPolicy === 'SingleStack' || primary.length !== 1 || possible.length < 2) return primary;
  return [...primary, ...possible.filter((family) => family !== primary[0]).slice(0, 1)];
}
