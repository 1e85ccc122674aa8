import type { Transport } from '../../client/client.ts';
import { CommandError } from '../command-error.ts';
import { exitCodes } from '../exit-codes.ts';
import { nearest } from '../parse.ts';
import { requestJson } from './rest.ts';

/** One resource type that the server serves, in the words of its discovery. */
export interface ResourceType {
  /** `` for the core group. */
  readonly group: string;
  /** `v1`, `apps/v1`. */
  readonly apiVersion: string;
  readonly kind: string;
  /** `services`. */
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly subresources: readonly string[];
}

const acceptDiscovery = [
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
  'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList',
].join(',');

interface DiscoveryResource {
  readonly resource: string;
  readonly responseKind?: { readonly kind?: string };
  readonly scope: string;
  readonly singularResource?: string;
  readonly verbs?: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly subresources?: readonly { readonly subresource: string }[];
}

interface DiscoveryVersion {
  readonly version: string;
  readonly resources?: readonly DiscoveryResource[];
}

interface DiscoveryGroup {
  readonly metadata?: { readonly name?: string };
  readonly versions: readonly DiscoveryVersion[];
}

interface DiscoveryList {
  readonly kind?: string;
  readonly items?: readonly DiscoveryGroup[];
}

/** Every type of the server, the core group first, each group's preferred version first (aggregated discovery, KEP-3352). */
export async function loadResourceTypes(transport: Transport, signal?: AbortSignal): Promise<readonly ResourceType[]> {
  const answers = await Promise.all(
    ['/api', '/apis'].map((path) =>
      requestJson<DiscoveryList>(transport, { method: 'GET', path, headers: { accept: acceptDiscovery }, signal }),
    ),
  );
  if (answers.some((answer) => answer.kind !== 'APIGroupDiscoveryList')) {
    throw new CommandError('the server does not answer aggregated discovery: it is older than Kubernetes 1.26', {
      code: exitCodes.unsupported,
    });
  }
  return answers.flatMap((answer) => answer.items ?? []).flatMap(groupTypes);
}

function groupTypes(item: DiscoveryGroup): ResourceType[] {
  const group = item.metadata?.name ?? '';
  return item.versions.flatMap((version) =>
    (version.resources ?? []).map((resource) => resourceType(group, version.version, resource)),
  );
}

function resourceType(group: string, version: string, found: DiscoveryResource): ResourceType {
  const kind = found.responseKind?.kind ?? '';
  return {
    group,
    apiVersion: group === '' ? version : `${group}/${version}`,
    kind,
    plural: found.resource,
    singular: found.singularResource || kind.toLowerCase(),
    shortNames: found.shortNames ?? [],
    categories: found.categories ?? [],
    namespaced: found.scope === 'Namespaced',
    verbs: found.verbs ?? [],
    subresources: (found.subresources ?? []).map(({ subresource }) => subresource),
  };
}

/**
 * The type that a user's word means: plural, singular, short name or kind in any case, with the group or version and
 * group behind it when wanted (`deployments.apps`, `deployments.v1.apps`). Throws `CommandError` when there is none.
 */
export function findResourceType(types: readonly ResourceType[], word: string): ResourceType {
  const [name = '', ...qualifier] = word.toLowerCase().split('.');
  const found = types.find((type) => answersTo(type, name) && inGroup(type, qualifier.join('.')));
  if (found !== undefined) return found;
  const close = nearest(
    name,
    types.flatMap((type) => [type.plural, type.singular]),
  );
  throw new CommandError(`the server has no resource type "${word}"`, {
    code: exitCodes.notFound,
    hint: close === undefined ? 'fairlead get --help names the usual ones' : `did you mean ${close}?`,
  });
}

/** The type of an object that a manifest describes; undefined when the server does not serve it. */
export function typeOfObject(
  types: readonly ResourceType[],
  apiVersion: string,
  kind: string,
): ResourceType | undefined {
  return types.find((type) => type.kind === kind && type.apiVersion === apiVersion);
}

function answersTo(type: ResourceType, name: string): boolean {
  return [type.plural, type.singular, type.kind.toLowerCase(), ...type.shortNames].includes(name);
}

function inGroup(type: ResourceType, qualifier: string): boolean {
  if (qualifier === '') return true;
  const version = type.apiVersion.split('/').at(-1) ?? '';
  const { group } = type;
  return qualifier === group || qualifier === (group === '' ? version : `${version}.${group}`);
}

/** `service`, `deployment.apps`: how an object's type is written before its name. */
export function typeLabel(type: Pick<ResourceType, 'group' | 'singular'>): string {
  return type.group === '' ? type.singular : `${type.singular}.${type.group}`;
}
