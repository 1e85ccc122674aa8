import { randomUUID } from 'node:crypto';
import { withDefaults } from '../../api/defaults.ts';
import { alreadyExists, badRequest, internal, invalid, isAlreadyExists } from '../../api/errors.ts';
import type { ApiObject } from '../../api/meta/object-meta.ts';
import { generatedName, prepareCreate } from '../../api/strategy.ts';
import { validateCreate } from '../../api/validate.ts';
import type { Operation } from '../../store/store.ts';
import { admit } from '../admission/admission.ts';
import { encodeStored, Item, kept } from '../cache/item.ts';
import type { ResourceExchange } from '../exchange.ts';
import type { Server } from '../server.ts';
import { cacheOf, keyOf } from '../server.ts';
import { withOwnedFields } from './managed-fields.ts';
import type { WriteOptions } from './options.ts';

/** How often a generated name may be taken before the client is told so. */
const nameAttempts = 8;
const recordAttempts = 8;

/** What a caller may ask beyond the write's own options. */
export interface Creation {
  /** The object says itself who owns what (server-side apply). */
  readonly keepsManagedFields?: boolean;
}

/**
 * Stores a new object: default → metadata → own fields → admit → validate → store. Gives it as it is stored. Throws
 * `ApiError` 409 when the name is taken, 422 when it breaks rules, and what admission throws.
 */
export async function createObject(
  exchange: ResourceExchange,
  server: Server,
  object: ApiObject,
  options: WriteOptions,
  creation: Creation = {},
): Promise<Item> {
  const placed = place(exchange, object);
  const prefix = placed.metadata.generateName ?? '';
  if (placed.metadata.name || prefix === '') return createNamed(exchange, server, placed, options, creation);
  for (let attempt = 1; ; attempt++) {
    const name = generatedName(prefix, Math.random);
    const named = { ...placed, metadata: { ...placed.metadata, name } };
    try {
      return await createNamed(exchange, server, named, options, creation);
    } catch (error) {
      if (!isAlreadyExists(error) || attempt >= nameAttempts) throw error;
    }
  }
}

/** As `createOnce`, again when a record that goes with the object was taken meanwhile. */
async function createNamed(
  exchange: ResourceExchange,
  server: Server,
  object: ApiObject,
  options: WriteOptions,
  creation: Creation,
): Promise<Item> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await createOnce(exchange, server, object, options, creation);
    } catch (error) {
      if (!(error instanceof Overtaken)) throw error;
      if (attempt >= recordAttempts) throw internal(error.message, error);
      await server.cache.fresh();
    }
  }
}

async function createOnce(
  exchange: ResourceExchange,
  server: Server,
  object: ApiObject,
  options: WriteOptions,
  creation: Creation,
): Promise<Item> {
  const { kind, info, identity } = exchange;
  const name = object.metadata.name ?? '';
  const prepared = prepareCreate(kind, withDefaults(kind, object), { uid: randomUUID(), now: server.now() });
  const namespace = kind.namespaced ? info.namespace : undefined;
  const request = {
    operation: 'create' as const,
    kind,
    subresource: undefined,
    namespace,
    name,
    identity,
    dryRun: options.dryRun,
    old: undefined,
  };
  const key = keyOf(kind, namespace, name);
  if (cacheOf(server, kind).items.get(key) !== undefined) throw alreadyExists(kind, name);
  const writer = { manager: options.manager, subresource: undefined, nowMs: server.now() };
  const owned = creation.keepsManagedFields ? prepared : withOwnedFields(kind, undefined, prepared, writer);
  const admitted = await admit(server.admission, request, owned);
  let isStored = false;
  try {
    check(exchange, server, admitted.object);
    const value = encodeStored(kept(kind, admitted.object));
    if (options.dryRun) return new Item(key, value, 0);
    const operations: Operation[] = [{ type: 'put', key, value, expected: 'absent' }, ...admitted.operations];
    const result = await server.store.commit(operations);
    if (!result.ok)
      throw result.conflict === key ? alreadyExists(kind, name) : internal(`${result.conflict} was changed meanwhile`);
    isStored = true;
    return new Item(key, value, result.revision);
  } finally {
    if (!isStored) admitted.release?.();
  }
}

function check(exchange: ResourceExchange, server: Server, object: ApiObject): void {
  const { kind } = exchange;
  const { causes, warnings } = validateCreate(kind, object, { allowLoopback: server.allowLoopback });
  exchange.warnings.push(...warnings);
  if (causes.length > 0) throw invalid(kind, object.metadata.name || object.metadata.generateName || '', causes);
}

/** A record that goes with the object was changed by somebody else while it was admitted. */
class Overtaken extends Error {
  constructor(key: string) {
    super(`${key} was changed meanwhile`);
  }
}

/** Puts the object into the namespace of the request. Throws `ApiError` 400 when it says another one. */
function place(exchange: ResourceExchange, object: ApiObject): ApiObject {
  const { kind, info } = exchange;
  const { namespace: own, ...metadata } = object.metadata;
  if (metadata.resourceVersion) throw badRequest('resourceVersion should not be set on objects to be created');
  if (!kind.namespaced) return { ...object, metadata };
  if (own && own !== info.namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  return { ...object, metadata: { ...metadata, namespace: info.namespace } };
}
