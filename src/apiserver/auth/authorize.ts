import type { Identity } from './identity.ts';
import { unauthenticatedGroup } from './identity.ts';
import type { Rule } from './roles.ts';
import { authenticatedRules, groupRules, namedRoles, publicRules, userRules } from './roles.ts';

/** What somebody wants to do, as authorization sees it. */
export type Attributes = ResourceAttributes | PathAttributes;

export interface ResourceAttributes {
  readonly type: 'resource';
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string | undefined;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
}

export interface PathAttributes {
  readonly type: 'path';
  readonly verb: string;
  readonly path: string;
}

export interface Decision {
  readonly allowed: boolean;
  readonly reason: string;
}

/** Names of the roles that an administrator gave a user (service accounts only). */
export type RoleLookup = (userName: string) => readonly string[];

/** Everything the identity may do. */
export function rulesOf(identity: Identity, rolesFor: RoleLookup): readonly Rule[] {
  const own = userRules[identity.name] ?? [];
  const byGroup = identity.groups.flatMap((group) => groupRules[group] ?? []);
  const given = rolesFor(identity.name).flatMap((role) => namedRoles[role] ?? []);
  const common = identity.groups.includes(unauthenticatedGroup) ? [] : authenticatedRules;
  return [...publicRules, ...common, ...own, ...byGroup, ...given];
}

/** Rules only ever allow; what no rule allows is forbidden. */
export function authorize(identity: Identity, attributes: Attributes, rolesFor: RoleLookup): Decision {
  const allowed = rulesOf(identity, rolesFor).some((rule) => allows(rule, attributes));
  return { allowed, reason: allowed ? 'allowed by a built-in role' : '' };
}

/** Does one rule allow the request? */
export function allows(rule: Rule, attributes: Attributes): boolean {
  if (!includes(rule.verbs, attributes.verb)) return false;
  if (attributes.type === 'path')
    return (rule.nonResourceURLs ?? []).some((pattern) => matchesPath(pattern, attributes.path));
  if (!includes(rule.apiGroups ?? [], attributes.group)) return false;
  const { resource, subresource, name } = attributes;
  const full = subresource === undefined || subresource === '' ? resource : `${resource}/${subresource}`;
  if (!includes(rule.resources ?? [], full)) return false;
  return rule.resourceNames === undefined || (name !== undefined && rule.resourceNames.includes(name));
}

/** Kubernetes' sentence for a refusal. */
export function forbiddenMessage(identity: Identity, attributes: Attributes): string {
  const user = `User ${JSON.stringify(identity.name)}`;
  if (attributes.type === 'path') return `${user} cannot ${attributes.verb} path ${JSON.stringify(attributes.path)}`;
  const { resource, subresource, namespace } = attributes;
  const full = subresource ? `${resource}/${subresource}` : resource;
  const scope = namespace ? `in the namespace ${JSON.stringify(namespace)}` : 'at the cluster scope';
  return `${user} cannot ${attributes.verb} resource "${full}" in API group "${attributes.group}" ${scope}`;
}

function includes(list: readonly string[], wanted: string): boolean {
  return list.includes(wanted) || list.includes('*');
}

function matchesPath(pattern: string, path: string): boolean {
  return pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : pattern === path;
}
