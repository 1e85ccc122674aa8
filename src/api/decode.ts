import { conform, conformObject, type Conformed, type FieldValidation } from './conform.ts';
import { ApiError, badRequest, unsupportedMediaType } from './errors.ts';
import { showJson } from '../lib/json.ts';
import { duplicateFields } from './json.ts';
import type { ApiObject } from './meta/object-meta.ts';
import { decodeMessage } from './protobuf/decode.ts';
import { openEnvelope, protobufMediaType } from './protobuf/envelope.ts';
import type { Kind, Message } from './schema.ts';
import { parseYaml } from './yaml.ts';

/**
 * Request bodies to objects: JSON, YAML and protobuf, with Kubernetes' treatment of unknown and duplicate fields.
 *
 * Defaults are not filled in here (`defaults.ts`) and rules are not checked (`validate.ts`).
 */

/** A decoded value and the warnings that the client gets. */
export interface Decoded<T> {
  readonly value: T;
  readonly warnings: readonly string[];
}

/** Parsed but untyped. */
export interface ParsedBody {
  readonly value: unknown;
  /** Paths of fields that occur twice in one object; the last one counts. */
  readonly duplicates: readonly string[];
}

/** The media types of bodies, as a 415 lists them. */
export const bodyMediaTypes: readonly string[] = ['application/json', 'application/yaml', protobufMediaType];

function mediaTypeOf(contentType: string | undefined): string {
  return (contentType ?? '').split(';')[0]?.trim().toLowerCase() || 'application/json';
}

/** Is the body protobuf? */
export function isProtobuf(contentType: string | undefined): boolean {
  return mediaTypeOf(contentType) === protobufMediaType;
}

function parseJson(text: string): ParsedBody {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw badRequest(cause instanceof Error ? cause.message : 'invalid JSON');
  }
  return { value, duplicates: duplicateFields(text, value) };
}

/** Parses a JSON or YAML body. Throws `ApiError` 400 or 415. */
export function parseBody(body: Uint8Array, contentType: string | undefined): ParsedBody {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString();
  switch (mediaTypeOf(contentType)) {
    case 'application/json':
      return parseJson(text);
    case 'application/yaml':
    case 'application/apply-patch+yaml':
      return /^\s*\{/.test(text) ? parseJson(text) : parseYaml(text);
    default:
      throw unsupportedMediaType(bodyMediaTypes);
  }
}

/** Applies the client's choice to unknown and duplicate fields: the warnings, or `ApiError` 400 when it is strict. */
export function fieldWarnings(
  unknown: readonly string[],
  duplicates: readonly string[],
  validation: FieldValidation,
): readonly string[] {
  if (validation === 'Ignore') return [];
  const messages = [
    ...duplicates.map((path) => `duplicate field ${JSON.stringify(path)}`),
    ...unknown.map((path) => `unknown field ${JSON.stringify(path)}`),
  ];
  if (messages.length > 0 && validation === 'Strict') {
    throw badRequest(`strict decoding error: ${messages.join(', ')}`);
  }
  return messages;
}

function cannotHandle(kind: Kind, found: string, error: unknown): unknown {
  if (!(error instanceof ApiError) || error.code !== 400) return error;
  return badRequest(
    `${found} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}: ${error.message}`,
  );
}

function checkType(kind: Kind, apiVersion: unknown, name: unknown): void {
  if (name !== undefined && name !== '' && name !== kind.kind) {
    throw badRequest(`the object provided is unrecognized (must be of type ${kind.kind}): kind is ${showJson(name)}`);
  }
  if (apiVersion !== undefined && apiVersion !== '' && apiVersion !== kind.apiVersion) {
    throw badRequest(
      `the API version in the data (${showJson(apiVersion)}) does not match the expected API version (${kind.apiVersion})`,
    );
  }
}

function typeFields(value: unknown): { readonly apiVersion?: unknown; readonly kind?: unknown } {
  return typeof value === 'object' && value !== null ? value : {};
}

/**
 * Types a parsed value as an object of `kind`: a body, or what a patch made. `kind` and `apiVersion` may be absent and
 * are set. Throws `ApiError` 400 with the kind's name in front, as users know it.
 */
export function decodeObject<T extends ApiObject>(
  kind: Kind<T>,
  parsed: ParsedBody,
  validation: FieldValidation,
): Decoded<T> {
  const { apiVersion, kind: name } = typeFields(parsed.value);
  checkType(kind, apiVersion, name);
  try {
    const { value, unknown }: Conformed<T> = conformObject(kind, parsed.value);
    return { value: withMetadata(value), warnings: fieldWarnings(unknown, parsed.duplicates, validation) };
  } catch (error) {
    throw cannotHandle(kind, kind.kind, error);
  }
}

/** Everything behind relies on metadata, be it empty. */
function withMetadata<T extends ApiObject>(object: T): T {
  const { metadata = {} }: Partial<ApiObject> = object;
  return object.metadata === metadata ? object : { ...object, metadata };
}

function decodeEnvelope<T extends ApiObject>(kind: Kind<T>, body: Uint8Array): Decoded<T> {
  const envelope = openEnvelope(body);
  checkType(kind, envelope.apiVersion, envelope.kind);
  const value = decodeMessage(kind.message, envelope.raw);
  return { value: withMetadata({ ...value, kind: kind.kind, apiVersion: kind.apiVersion }), warnings: [] };
}

/** Decodes the body of a create or update. Throws `ApiError` 400 or 415. */
export function decodeBody<T extends ApiObject>(
  kind: Kind<T>,
  body: Uint8Array,
  contentType: string | undefined,
  validation: FieldValidation,
): Decoded<T> {
  if (isProtobuf(contentType)) return decodeEnvelope(kind, body);
  return decodeObject(kind, parseBody(body, contentType), validation);
}

/** Decodes a body that is no object of a kind, such as DeleteOptions. An empty body is an empty message. */
export function decodeOptions<T>(message: Message<T>, body: Uint8Array, contentType: string | undefined): T {
  if (body.length === 0) return conform(message, {}).value;
  if (isProtobuf(contentType)) return decodeMessage(message, openEnvelope(body).raw);
  return conform(message, parseBody(body, contentType).value).value;
}
