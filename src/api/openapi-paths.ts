import type { GroupVersionKind, Kind, Subresource, Verb } from './schema.ts';

/**
 * The `paths` part of OpenAPI documents: which operations exist, on which kind, and which query parameters they take.
 * kubectl looks for `fieldValidation`, `dryRun` and `fieldManager` here before it relies on the server for them.
 */

type Json = Readonly<Record<string, unknown>>;
type Method = 'get' | 'put' | 'post' | 'delete' | 'patch';

interface Operation {
  readonly method: Method;
  readonly action: string;
  readonly parameters: readonly string[];
}

const writeParameters = ['dryRun', 'fieldManager', 'fieldValidation'];
const listParameters = [
  'allowWatchBookmarks',
  'continue',
  'fieldSelector',
  'labelSelector',
  'limit',
  'resourceVersion',
  'resourceVersionMatch',
  'sendInitialEvents',
  'timeoutSeconds',
  'watch',
];
const deleteParameters = ['dryRun', 'gracePeriodSeconds', 'orphanDependents', 'propagationPolicy'];

const numbers = new Set(['limit', 'timeoutSeconds', 'gracePeriodSeconds']);
const flags = new Set(['allowWatchBookmarks', 'sendInitialEvents', 'watch', 'force', 'orphanDependents']);

function schemaOf(name: string): Json {
  if (numbers.has(name)) return { type: 'integer', uniqueItems: true };
  return { type: flags.has(name) ? 'boolean' : 'string', uniqueItems: true };
}

function queryParameter(name: string): Json {
  return { name, in: 'query', schema: schemaOf(name) };
}

function pathParameter(name: string): Json {
  return { name, in: 'path', required: true, schema: { type: 'string', uniqueItems: true } };
}

const itemOperations: Readonly<Partial<Record<Verb, Operation>>> = {
  get: { method: 'get', action: 'get', parameters: [] },
  update: { method: 'put', action: 'put', parameters: writeParameters },
  patch: { method: 'patch', action: 'patch', parameters: [...writeParameters, 'force'] },
  delete: { method: 'delete', action: 'delete', parameters: deleteParameters },
};

const collectionOperations: Readonly<Partial<Record<Verb, Operation>>> = {
  list: { method: 'get', action: 'list', parameters: listParameters },
  create: { method: 'post', action: 'post', parameters: writeParameters },
  deletecollection: {
    method: 'delete',
    action: 'deletecollection',
    parameters: [...new Set([...listParameters, ...deleteParameters])],
  },
};

const patchTypes = [
  'application/apply-patch+yaml',
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
];

function bodyOf(method: Method): Json {
  if (method === 'get') return {};
  const types = method === 'patch' ? patchTypes : ['*/*'];
  const content = Object.fromEntries(types.map((type) => [type, { schema: { type: 'object' } }]));
  return { requestBody: { content } };
}

function operation({ method, action, parameters }: Operation, { group, version, kind }: GroupVersionKind): Json {
  return {
    ...(parameters.length > 0 && { parameters: parameters.map(queryParameter) }),
    ...bodyOf(method),
    responses: { 200: { description: 'OK' } },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': { group, version, kind },
  };
}

function pathItem(
  verbs: readonly Verb[],
  table: Readonly<Partial<Record<Verb, Operation>>>,
  kind: GroupVersionKind,
  parameters: readonly string[],
): Json {
  const operations = verbs.flatMap((verb) => {
    const found = table[verb];
    return found === undefined ? [] : [[found.method, operation(found, kind)] as const];
  });
  return { ...Object.fromEntries(operations), parameters: parameters.map(pathParameter) };
}

function rootOf(kind: Kind): string {
  return kind.group === '' ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`;
}

const subresourceOperations = {
  ...itemOperations,
  create: { method: 'post', action: 'post', parameters: writeParameters },
} as const;

function subresourcePath(kind: Kind, sub: Subresource, item: string, parameters: readonly string[]): [string, Json] {
  return [`${item}/${sub.name}`, pathItem(sub.verbs, subresourceOperations, sub.kind ?? kind, parameters)];
}

function pathsOf(kind: Kind): readonly (readonly [string, Json])[] {
  const root = rootOf(kind);
  const namespace = kind.namespaced ? ['namespace'] : [];
  const collection = kind.namespaced ? `${root}/namespaces/{namespace}/${kind.plural}` : `${root}/${kind.plural}`;
  const item = `${collection}/{name}`;
  const parameters = ['name', ...namespace];
  const everywhere = kind.namespaced && kind.verbs.includes('list');
  return [
    [collection, pathItem(kind.verbs, collectionOperations, kind, namespace)],
    ...(kind.verbs.includes('get') ? ([[item, pathItem(kind.verbs, itemOperations, kind, parameters)]] as const) : []),
    ...(everywhere ? ([[`${root}/${kind.plural}`, pathItem(['list'], collectionOperations, kind, [])]] as const) : []),
    ...kind.subresources.map((sub) => subresourcePath(kind, sub, item, parameters)),
  ];
}

/** The paths of some kinds of one group and version. */
export function openApiPaths(kinds: readonly Kind[]): Json {
  return Object.fromEntries(kinds.flatMap(pathsOf).sort(([a], [b]) => (a < b ? -1 : 1)));
}
