import type { GroupVersion } from './discovery.ts';
import { groupVersionText } from './discovery.ts';
import { DeleteOptions } from './meta/delete-options.ts';
import { ListMeta } from './meta/list-meta.ts';
import { Status } from './meta/status.ts';
import { openApiPaths } from './openapi-paths.ts';
import { kinds, servedKinds } from './registry.ts';
import type { Field, FieldType, Kind, Message, ScalarName } from './schema.ts';

/**
 * OpenAPI v3 documents, one per group and version, from the field tables. What kubectl needs of them: `explain` reads
 * types and texts, validation reads fields, `apply` reads merge keys, and the paths say which parameters the server
 * understands.
 */

type Json = Readonly<Record<string, unknown>>;

const intOrStringName = 'io.k8s.apimachinery.pkg.util.intstr.IntOrString';
const quantityName = 'io.k8s.apimachinery.pkg.api.resource.Quantity';
const timeName = 'io.k8s.apimachinery.pkg.apis.meta.v1.Time';
const microTimeName = 'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime';
const fieldsName = 'io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1';
const rawExtensionName = 'io.k8s.apimachinery.pkg.runtime.RawExtension';

const scalarSchemas: Readonly<Record<string, Json>> = {
  [intOrStringName]: { format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] },
  [quantityName]: { oneOf: [{ type: 'string' }, { type: 'number' }] },
  [timeName]: { type: 'string', format: 'date-time' },
  [microTimeName]: { type: 'string', format: 'date-time' },
  [fieldsName]: { type: 'object' },
  [rawExtensionName]: { type: 'object' },
};

/** The name that OpenAPI documents give a message: `core.v1.Service` is `io.k8s.api.core.v1.Service`. */
export function schemaName(message: Message): string {
  const { name } = message;
  return name.startsWith('meta.') ? `io.k8s.apimachinery.pkg.apis.${name}` : `io.k8s.api.${name}`;
}

function reference(name: string): Json {
  return { $ref: `#/components/schemas/${name}` };
}

function scalarSchema(type: ScalarName): Json {
  switch (type) {
    case 'string':
      return { type: 'string' };
    case 'bool':
      return { type: 'boolean' };
    case 'int32':
    case 'int64':
      return { type: 'integer', format: type };
    case 'double':
      return { type: 'number', format: 'double' };
    case 'bytes':
      return { type: 'string', format: 'byte' };
    case 'quantity':
      return reference(quantityName);
    case 'intOrString':
      return reference(intOrStringName);
    case 'time':
      return reference(timeName);
    case 'microTime':
      return reference(microTimeName);
    case 'rawExtension':
      return reference(rawExtensionName);
    case 'fieldsV1':
      return reference(fieldsName);
    case 'strings':
      return { type: 'array', items: { type: 'string' } };
  }
}

/** References cannot have siblings in OpenAPI 3.0, so they are wrapped when something is to be said beside them. */
function wrapped(schema: Json): Json {
  return '$ref' in schema ? { allOf: [schema] } : schema;
}

function typeSchema(type: FieldType, fallback?: unknown): Json {
  switch (type.type) {
    case 'object':
      return reference(schemaName(type.message));
    case 'list':
      return { type: 'array', items: elementSchema(type.item, fallback) };
    case 'map':
      return { type: 'object', additionalProperties: elementSchema(type.value, fallback) };
    default:
      return scalarSchema(type.type);
  }
}

/** Elements carry their zero value as default, as in the documents that kubectl is used to. */
function elementSchema(type: FieldType, fallback: unknown): Json {
  const schema = wrapped(typeSchema(type));
  if (type.type === 'object') return { ...schema, default: fallback ?? {} };
  return type.type === 'string' ? { ...schema, default: '' } : schema;
}

function patchExtensions({ mergeKey, strategy }: Field): Json {
  const used = strategy ?? (mergeKey === undefined ? undefined : 'merge');
  return {
    ...(mergeKey !== undefined && { 'x-kubernetes-patch-merge-key': mergeKey }),
    ...(used !== undefined && { 'x-kubernetes-patch-strategy': used }),
  };
}

function applyExtensions({ type, listType, mapKeys, mapType }: Field): Json {
  return {
    ...(type.type === 'list' && { 'x-kubernetes-list-type': listType ?? 'atomic' }),
    ...(mapKeys !== undefined && { 'x-kubernetes-list-map-keys': mapKeys }),
    ...(mapType !== undefined && { 'x-kubernetes-map-type': mapType }),
  };
}

function fieldSchema(field: Field): Json {
  const own = typeSchema(field.type);
  const fallback = field.default ?? (field.type.type === 'object' && field.pointer === false ? {} : undefined);
  const beside = {
    ...(field.doc !== undefined && { description: field.doc }),
    ...(fallback !== undefined && { default: fallback }),
    ...(field.values !== undefined && field.type.type === 'string' && { enum: field.values }),
    ...patchExtensions(field),
    ...applyExtensions(field),
  };
  return Object.keys(beside).length === 0 ? own : { ...wrapped(own), ...beside };
}

function messageSchema(message: Message): Json {
  const fields = Object.entries(message.fields);
  const required = fields.filter(([, field]) => field.required === true).map(([name]) => name);
  return {
    type: 'object',
    ...(message.doc !== undefined && { description: message.doc }),
    properties: Object.fromEntries(fields.map(([name, field]) => [name, fieldSchema(field)])),
    ...(required.length > 0 && { required }),
    ...(message.atomic && { 'x-kubernetes-map-type': 'atomic' }),
  };
}

function kindSchema(kind: Kind): Json {
  const { group, version, kind: name } = kind;
  return { ...messageSchema(kind.message), 'x-kubernetes-group-version-kind': [{ group, version, kind: name }] };
}

function listSchema(kind: Kind): Json {
  const { group, version } = kind;
  return {
    type: 'object',
    description: `A list of ${kind.kind} objects.`,
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { allOf: [reference('io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta')], default: {} },
      items: { type: 'array', items: { allOf: [reference(schemaName(kind.message))], default: {} } },
    },
    required: ['items'],
    'x-kubernetes-group-version-kind': [{ group, version, kind: `${kind.kind}List` }],
  };
}

function elementOf(type: FieldType): FieldType {
  if (type.type === 'list') return elementOf(type.item);
  return type.type === 'map' ? elementOf(type.value) : type;
}

/** Adds the message and everything that it refers to. */
function collect(schemas: Map<string, Json>, message: Message, schema: Json): void {
  const name = schemaName(message);
  if (schemas.has(name)) return;
  schemas.set(name, schema);
  for (const { type } of message.byName.values()) {
    const element = elementOf(type);
    if (element.type === 'object') collect(schemas, element.message, messageSchema(element.message));
  }
}

function schemasOf(members: readonly Kind[]): Json {
  const schemas = new Map<string, Json>();
  for (const kind of members) {
    collect(schemas, kind.message, kindSchema(kind));
    if (kind.verbs.includes('list')) schemas.set(`${schemaName(kind.message)}List`, listSchema(kind));
  }
  for (const message of [ListMeta, DeleteOptions, Status]) collect(schemas, message, messageSchema(message));
  const all = { ...Object.fromEntries(schemas), ...scalarSchemas };
  return Object.fromEntries(Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The document of one group and version, as a value. */
export function openApiDocument(groupVersion: GroupVersion, release: string): object {
  const wanted = groupVersionText(groupVersion);
  const members = kinds.filter((kind) => kind.apiVersion === wanted);
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: release },
    paths: openApiPaths(members.filter((kind) => servedKinds.includes(kind))),
    components: { schemas: schemasOf(members) },
  };
}
