import { kinds as allKinds, servedKinds } from './registry.ts';
import type { GroupVersionKind, Kind, Subresource } from './schema.ts';

/**
 * What the server tells clients about its resources: the old documents (one per group and version) and the aggregated
 * ones that newer clients ask for. Pure functions of the registry.
 */

/** A version of a group. The core group is ''. */
export interface GroupVersion {
  readonly group: string;
  readonly version: string;
}

/** `v1`, or `apps/v1`. */
export function groupVersionText({ group, version }: GroupVersion): string {
  return group === '' ? version : `${group}/${version}`;
}

/** Every served group and version, the core group first, groups by name. */
export function groupVersions(): readonly GroupVersion[] {
  const byText = new Map(allKinds.map(({ group, version }) => [`${group}/${version}`, { group, version }]));
  return [...byText].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each);
}

function groups(): readonly string[] {
  return [...new Set(groupVersions().map(({ group }) => group))].filter((group) => group !== '');
}

function versionsOf(group: string): readonly GroupVersion[] {
  return groupVersions().filter((each) => each.group === group);
}

function kindsOf({ group, version }: GroupVersion): readonly Kind[] {
  return servedKinds.filter((kind) => kind.group === group && kind.version === version);
}

/** Answers `/api`. `serverAddress` is `host:port`. */
export function apiVersions(serverAddress: string): object {
  const serverAddressByClientCIDRs = [{ clientCIDR: '0.0.0.0/0', serverAddress }];
  return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs };
}

function describeGroup(group: string): object {
  const versions = versionsOf(group).map((each) => ({ groupVersion: groupVersionText(each), version: each.version }));
  return { name: group, versions, preferredVersion: versions[0] };
}

/** Answers `/apis` for clients without aggregated discovery. */
export function apiGroupList(): object {
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups().map(describeGroup) };
}

/** Answers `/apis/<group>`; undefined for a group that is not served. */
export function apiGroup(group: string): object | undefined {
  if (!groups().includes(group)) return undefined;
  return { kind: 'APIGroup', apiVersion: 'v1', ...describeGroup(group) };
}

function mainResource(kind: Kind): object {
  return {
    name: kind.plural,
    singularName: kind.singular,
    namespaced: kind.namespaced,
    kind: kind.kind,
    verbs: kind.verbs,
    ...(kind.shortNames.length > 0 && { shortNames: kind.shortNames }),
    ...(kind.categories.length > 0 && { categories: kind.categories }),
  };
}

function subResource(kind: Kind, sub: Subresource): object {
  const other = sub.kind !== undefined && groupVersionText(sub.kind) !== kind.apiVersion ? sub.kind : undefined;
  return {
    name: `${kind.plural}/${sub.name}`,
    singularName: '',
    namespaced: kind.namespaced,
    ...(other && { group: other.group, version: other.version }),
    kind: sub.kind?.kind ?? kind.kind,
    verbs: sub.verbs,
  };
}

/** Answers `/api/v1` and `/apis/<group>/<version>`; undefined when it is not served. */
export function apiResourceList(groupVersion: GroupVersion): object | undefined {
  if (!groupVersions().some((each) => groupVersionText(each) === groupVersionText(groupVersion))) return undefined;
  const resources = kindsOf(groupVersion).flatMap((kind) => [
    mainResource(kind),
    ...kind.subresources.map((sub) => subResource(kind, sub)),
  ]);
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: groupVersionText(groupVersion), resources };
}

function responseKind({ group, version, kind }: GroupVersionKind): GroupVersionKind {
  return { group, version, kind };
}

function aggregatedResource(kind: Kind): object {
  const subresources = kind.subresources.map((sub) => ({
    subresource: sub.name,
    responseKind: responseKind(sub.kind ?? kind),
    verbs: sub.verbs,
  }));
  return {
    resource: kind.plural,
    responseKind: responseKind(kind),
    scope: kind.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: kind.singular,
    verbs: kind.verbs,
    ...(kind.shortNames.length > 0 && { shortNames: kind.shortNames }),
    ...(kind.categories.length > 0 && { categories: kind.categories }),
    ...(subresources.length > 0 && { subresources }),
  };
}

function aggregatedGroup(group: string): object {
  const versions = versionsOf(group).map((each) => ({
    version: each.version,
    resources: kindsOf(each).map(aggregatedResource),
    freshness: 'Current',
  }));
  return { metadata: { name: group, creationTimestamp: null }, versions };
}

/** Versions of the aggregated format; they have the same shape. */
export type DiscoveryVersion = 'v2' | 'v2beta1';

/** Answers `/api` (`core`) and `/apis` (`groups`) in the aggregated format. */
export function aggregatedDiscovery(part: 'core' | 'groups', version: DiscoveryVersion): object {
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: (part === 'core' ? [''] : groups()).map(aggregatedGroup),
  };
}

/** The content type of an aggregated answer. */
export function discoveryMediaType(version: DiscoveryVersion): string {
  return `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
}
