import { ApiError, badRequest, requestEntityTooLarge } from '../../api/errors.ts';
import { isJsonObject, ownField, sameJson, type JsonObject } from '../../lib/json.ts';

const MOST_OPERATIONS = 10_000;
/** A chain of copies grows exponentially; Kubernetes stops at its request limit. */
const MOST_COPIED_CHARACTERS = 3 * 1024 * 1024;

/**
 * Applies a JSON patch (RFC 6902). The document is not changed; the result shares structure with it.
 *
 * @throws ApiError 400 when the patch is malformed, 413 when it is too long, 422 (Invalid, with the operation's path as
 *   cause) when an operation does not apply or a test fails
 */
export function applyJsonPatch(document: JsonObject, patch: unknown): JsonObject {
  if (!Array.isArray(patch)) throw badRequest('a JSON patch is a list of operations');
  if (patch.length > MOST_OPERATIONS) throw requestEntityTooLarge(MOST_OPERATIONS);
  const copied = { characters: 0 };
  const result = patch.reduce<unknown>(
    (current, each) => applyOperation(current, parseOperation(each), copied),
    document,
  );
  if (!isJsonObject(result)) throw refused('', 'the result is not an object');
  return result;
}

type Pointer = readonly string[];

interface Operation {
  readonly op: string;
  readonly path: Pointer;
  readonly from: Pointer;
  readonly value: unknown;
}

function parseOperation(value: unknown): Operation {
  if (!isJsonObject(value)) throw badRequest('an operation of a JSON patch is an object');
  const { op, path, from } = value;
  if (typeof op !== 'string') throw badRequest('an operation of a JSON patch needs "op"');
  const needsFrom = op === 'move' || op === 'copy';
  const needsValue = op === 'add' || op === 'replace';
  if (needsValue && !('value' in value)) throw badRequest(`operation "${op}" of a JSON patch needs "value"`);
  return {
    op,
    path: parsePointer(path, 'path'),
    from: needsFrom ? parsePointer(from, 'from') : [],
    value: value['value'],
  };
}

function parsePointer(text: unknown, name: string): Pointer {
  if (typeof text !== 'string' || (text !== '' && !text.startsWith('/'))) {
    throw badRequest(`"${name}" of a JSON patch operation has to be a JSON pointer`);
  }
  const parts = text.split('/').slice(1);
  return parts.map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function applyOperation(
  document: unknown,
  { op, path, from, value }: Operation,
  copied: { characters: number },
): unknown {
  switch (op) {
    case 'add':
      return add(document, path, value);
    case 'remove':
      return remove(document, path);
    case 'replace':
      return replace(document, path, value);
    case 'move':
      return move(document, from, path);
    case 'copy':
      return add(document, path, limitCopies(find(document, from), copied));
    case 'test':
      return test(document, path, value);
    default:
      throw refused(pointer(path), `unexpected kind of operation: ${op}`);
  }
}

function add(document: unknown, path: Pointer, value: unknown): unknown {
  return edit(
    document,
    path,
    (parent, name) => {
      if (Array.isArray(parent)) return parent.toSpliced(indexIn(parent, name, path, 1), 0, value);
      return withField(parent, name, value);
    },
    value,
  );
}

function remove(document: unknown, path: Pointer): unknown {
  return edit(
    document,
    path,
    (parent, name) => {
      if (Array.isArray(parent)) return parent.toSpliced(indexIn(parent, name, path, 0), 1);
      if (!Object.hasOwn(parent, name)) throw missing(path);
      return Object.fromEntries(Object.entries(parent).filter(([other]) => other !== name));
    },
    undefined,
  );
}

function replace(document: unknown, path: Pointer, value: unknown): unknown {
  return edit(
    document,
    path,
    (parent, name) => {
      if (Array.isArray(parent)) return parent.with(indexIn(parent, name, path, 0), value);
      if (!Object.hasOwn(parent, name)) throw missing(path);
      return withField(parent, name, value);
    },
    value,
  );
}

function move(document: unknown, from: Pointer, path: Pointer): unknown {
  const value = find(document, from);
  const isInside = path.length > from.length && from.every((name, at) => name === path[at]);
  if (isInside) throw refused(pointer(path), 'a value cannot be moved into itself');
  return add(remove(document, from), path, value);
}

/** An absent value counts as null, as the API server has it. */
function test(document: unknown, path: Pointer, value: unknown): unknown {
  const actual = lookUp(document, path) ?? null;
  if (!sameJson(actual, value ?? null)) throw refused(pointer(path), `testing value ${pointer(path)} failed`);
  return document;
}

type Parent = readonly unknown[] | JsonObject;

/** Changes the container that holds the last part of the path, and copies the ones around it. */
function edit(
  value: unknown,
  path: Pointer,
  change: (parent: Parent, name: string) => unknown,
  root: unknown,
): unknown {
  const [name, ...rest] = path;
  if (name === undefined) return root;
  if (!Array.isArray(value) && !isJsonObject(value)) throw missing(path);
  if (rest.length === 0) return change(value, name);
  if (Array.isArray(value)) {
    const at = indexIn(value, name, path, 0);
    return value.with(at, edit(value[at], rest, change, root));
  }
  if (!isJsonObject(value) || !Object.hasOwn(value, name)) throw missing(path);
  return withField(value, name, edit(value[name], rest, change, root));
}

function find(document: unknown, path: Pointer): unknown {
  const value = lookUp(document, path);
  if (value === undefined) throw missing(path);
  return value;
}

function lookUp(document: unknown, path: Pointer): unknown {
  let value = document;
  for (const name of path) {
    if (Array.isArray(value)) value = value[indexIn(value, name, path, 0)];
    else value = isJsonObject(value) ? ownField(value, name) : undefined;
  }
  return value;
}

function indexIn(list: readonly unknown[], name: string, path: Pointer, beyond: 0 | 1): number {
  const last = list.length - 1 + beyond;
  if (name === '-' && beyond === 1) return last;
  if (!/^(0|[1-9]\d{0,9})$/.test(name)) throw refused(pointer(path), `"${name}" is not an index of a list`);
  if (Number(name) > last) throw refused(pointer(path), `index ${name} is out of bounds`);
  return Number(name);
}

function withField(object: Parent, name: string, value: unknown): JsonObject {
  return { ...object, [name]: value };
}

function limitCopies(value: unknown, copied: { characters: number }): unknown {
  copied.characters += JSON.stringify(value).length;
  if (copied.characters > MOST_COPIED_CHARACTERS) throw requestEntityTooLarge(MOST_COPIED_CHARACTERS);
  return value;
}

function pointer(path: Pointer): string {
  return path.map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

function missing(path: Pointer): ApiError {
  return refused(pointer(path), 'doc is missing path');
}

/** What clients get for a patch that is well-formed but does not apply. The cause says why. */
function refused(field: string, message: string): ApiError {
  return new ApiError({
    metadata: {},
    status: 'Failure',
    message: 'the server rejected our request due to an error in our request',
    reason: 'Invalid',
    details: { causes: [{ reason: 'FieldValueInvalid', message, field }] },
    code: 422,
  });
}
