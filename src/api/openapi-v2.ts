import { groupVersions } from './discovery.ts';
import { openApiDocument } from './openapi-document.ts';
import { Writer } from './protobuf/wire.ts';

/**
 * The OpenAPI v2 document in gnostic's protobuf form, which kubectl up to 1.28 insists on. Made from the v3 documents;
 * it has what those kubectls read: definitions with their extensions, and which parameters PATCH takes.
 *
 * Field numbers: gnostic's OpenAPIv2.proto.
 */

/** Content type of the answer to `/openapi/v2`. Clients ask for `…spec.v2@v1.0+protobuf`, which is no valid media type. */
export const openApiV2MediaType = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';

interface Schema {
  readonly $ref?: string;
  readonly allOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly type?: string;
  readonly format?: string;
  readonly description?: string;
  readonly items?: Schema;
  readonly additionalProperties?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}

interface Operation {
  readonly parameters?: readonly { readonly name: string }[];
}

interface PathItem {
  readonly patch?: Operation;
}

interface Document {
  readonly paths: Readonly<Record<string, PathItem>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

type Write = (writer: Writer) => void;

function nested(writer: Writer, number: number, write: Write): void {
  const inner = new Writer();
  write(inner);
  writer.tag(number, 2);
  writer.bytes(inner.written);
}

function text(writer: Writer, number: number, value: string | undefined): void {
  if (value === undefined) return;
  writer.tag(number, 2);
  writer.text(value);
}

/** `NamedX { name = 1, value = 2 }` */
function named(writer: Writer, number: number, name: string, write: Write): void {
  nested(writer, number, (entry) => {
    text(entry, 1, name);
    nested(entry, 2, write);
  });
}

/** `x-…` members as `NamedAny { name = 1, value = 2 { yaml = 2 } }`. */
function extensions(writer: Writer, number: number, value: object): void {
  for (const [name, content] of Object.entries(value)) {
    if (name.startsWith('x-')) named(writer, number, name, (any) => text(any, 2, JSON.stringify(content)));
  }
}

function referenceOf(schema: Schema): string | undefined {
  return (schema.$ref ?? schema.allOf?.[0]?.$ref)?.replace('#/components/schemas/', '#/definitions/');
}

function writeSchema(writer: Writer, schema: Schema): void {
  text(writer, 1, referenceOf(schema));
  text(writer, 2, schema.format);
  text(writer, 4, schema.description);
  for (const name of schema.required ?? []) text(writer, 19, name);
  const { additionalProperties, items, properties } = schema;
  if (additionalProperties !== undefined) {
    nested(writer, 21, (item) => nested(item, 1, (inner) => writeSchema(inner, additionalProperties)));
  }
  const type = schema.oneOf === undefined ? schema.type : 'string';
  if (type !== undefined) nested(writer, 22, (item) => text(item, 1, type));
  if (items !== undefined) nested(writer, 23, (item) => nested(item, 1, (inner) => writeSchema(inner, items)));
  if (properties !== undefined) nested(writer, 25, (all) => writeSchemas(all, properties));
  extensions(writer, 31, schema);
}

function writeSchemas(writer: Writer, schemas: Readonly<Record<string, Schema>>): void {
  for (const [name, schema] of Object.entries(schemas)) named(writer, 1, name, (value) => writeSchema(value, schema));
}

/** A query parameter, wrapped as gnostic has it: item → parameter → non-body → query. */
function writeParameter(writer: Writer, name: string): void {
  nested(writer, 8, (item) =>
    nested(item, 1, (parameter) =>
      nested(parameter, 2, (other) =>
        nested(other, 3, (query) => {
          text(query, 2, 'query');
          text(query, 4, name);
          text(query, 6, 'string');
        }),
      ),
    ),
  );
}

function writePath(writer: Writer, item: PathItem): void {
  const { patch } = item;
  if (patch === undefined) return;
  nested(writer, 8, (operation) => {
    for (const { name } of patch.parameters ?? []) writeParameter(operation, name);
    extensions(operation, 13, patch);
  });
}

/** The answer to `/openapi/v2`. `release` is the version that the server claims. */
export function buildOpenApiV2(release: string): Uint8Array {
  const documents = groupVersions().map((each) => openApiDocument(each, release) as unknown as Document);
  const writer = new Writer();
  text(writer, 1, '2.0');
  nested(writer, 2, (info) => {
    text(info, 1, 'Kubernetes');
    text(info, 2, release);
  });
  nested(writer, 8, (all) => {
    const paths = documents.flatMap((document) => Object.entries(document.paths));
    for (const [path, item] of paths) named(all, 2, path, (value) => writePath(value, item));
  });
  const definitions = Object.assign({}, ...documents.map((each) => each.components.schemas));
  nested(writer, 9, (all) => writeSchemas(all, definitions));
  return writer.written;
}
