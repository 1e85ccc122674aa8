import { withDefaults } from '../../api/defaults.ts';
import { badRequest, conflict, invalid, notFound } from '../../api/errors.ts';
import type { ApiObject } from '../../api/meta/object-meta.ts';
import { prepareUpdate } from '../../api/strategy.ts';
import { validateUpdate } from '../../api/validate.ts';
import { sameJson } from '../../lib/json.ts';
import type { Operation } from '../../store/store.ts';
import type { Admitted } from '../admission/admission.ts';
import { admit } from '../admission/admission.ts';
import { encodeStored, Item, kept, presented } from '../cache/item.ts';
import type { ResourceExchange } from '../exchange.ts';
import type { Server } from '../server.ts';
import { cacheOf, keyOf } from '../server.ts';
import { withOwnedFields } from './managed-fields.ts';
import type { WriteOptions } from './options.ts';

/** How an update comes to its new object. */
export interface Change {
  /** The wanted object, made from the stored one. Called again when another write came between. */
  next(live: ApiObject): ApiObject | Promise<ApiObject>;
  readonly subresource: string | undefined;
  /** The wanted object says itself who owns what (server-side apply). */
  readonly keepsManagedFields?: boolean;
}

/** Writes that may come between before the client is told to try again. */
const attempts = 20;

/**
 * Changes a stored object: next → default → metadata → own fields → admit → validate → store. Gives it as it is stored
 * then; a change of nothing stores nothing. An object that waits for its last finalizer goes away when that goes. Throws
 * `ApiError` 404, 409 when the object was changed since the version the client named, and what rules throw.
 */
export async function updateObject(
  exchange: ResourceExchange,
  server: Server,
  name: string,
  change: Change,
  options: WriteOptions,
): Promise<Item> {
  const { kind, info } = exchange;
  const key = keyOf(kind, info.namespace, name);
  let live = cacheOf(server, kind).items.get(key);
  for (let attempt = 1; attempt <= attempts; attempt++) {
    if (live === undefined) throw notFound(kind, name);
    const outcome = await attemptUpdate(exchange, server, live, change, options);
    if (outcome instanceof Item) return outcome;
    if (outcome.isPinned) throw conflict(kind, name);
    live = outcome.current;
  }
  throw conflict(kind, name);
}

/** Another write came first: what is there now, and whether the client insists on the version it named. */
interface Overtaken {
  readonly current: Item | undefined;
  readonly isPinned: boolean;
  /** It was not the object that changed but a record that goes with it. */
  readonly isRecord?: boolean;
}

async function attemptUpdate(
  exchange: ResourceExchange,
  server: Server,
  live: Item,
  change: Change,
  options: WriteOptions,
): Promise<Item | Overtaken> {
  const { kind, info, identity } = exchange;
  const shown = presented(kind, live.object);
  const old = withoutVersion(shown);
  const wanted = inNamespace(await change.next(shown), info.namespace);
  const isPinned = checkIdentity(exchange, live, wanted);
  const { subresource } = change;
  const prepared = withoutVersion(prepareUpdate(kind, withDefaults(kind, wanted), old, subresource));
  const writer = { manager: options.manager, subresource, nowMs: server.now() };
  const owned = change.keepsManagedFields ? prepared : withOwnedFields(kind, old, prepared, writer);
  const request = {
    operation: 'update' as const,
    kind,
    subresource,
    namespace: info.namespace,
    name: live.name,
    identity,
    dryRun: options.dryRun,
    old,
  };
  const admitted = await admit(server.admission, request, owned);
  let isStored = false;
  try {
    check(exchange, server, admitted.object, old, subresource);
    if (sameJson(admitted.object, old)) return live;
    const outcome = await store(exchange, server, live, admitted, options);
    isStored = outcome instanceof Item && !options.dryRun;
    if (outcome instanceof Item) return outcome;
    return { current: outcome.current, isPinned: isPinned && outcome.isRecord !== true };
  } finally {
    if (!isStored) admitted.release?.();
  }
}

async function store(
  exchange: ResourceExchange,
  server: Server,
  live: Item,
  admitted: Admitted,
  options: WriteOptions,
): Promise<Item | Omit<Overtaken, 'isPinned'>> {
  const { object } = admitted;
  const value = encodeStored(kept(exchange.kind, object));
  if (options.dryRun) return new Item(live.key, value, live.revision);
  const { key, revision: expected } = live;
  const own: Operation = isFinished(object) ? { type: 'delete', key, expected } : { type: 'put', key, value, expected };
  const result = await server.store.commit([own, ...admitted.operations]);
  if (result.ok) return new Item(key, value, result.revision);
  if (result.conflict === key) return { current: result.current && Item.of(result.current) };
  // A record that goes with the object changed, not the object: look again.
  await server.cache.fresh();
  return { current: live, isRecord: true };
}

/** Is it deleted, and nothing keeps it any more? */
function isFinished(object: ApiObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, finalizers = [] } = object.metadata;
  return (
    deletionTimestamp !== undefined &&
    finalizers.length === 0 &&
    deletionGracePeriodSeconds === 0 &&
    !hasSpecFinalizers(object)
  );
}

/** A Namespace also waits for `spec.finalizers`. */
export function hasSpecFinalizers(object: ApiObject): boolean {
  if (object.kind !== 'Namespace' || !('spec' in object)) return false;
  const spec: unknown = object.spec;
  return (
    typeof spec === 'object' &&
    spec !== null &&
    'finalizers' in spec &&
    Array.isArray(spec.finalizers) &&
    spec.finalizers.length > 0
  );
}

/** Name, namespace, uid and version must be those of the stored object. True when the client named a version. */
function checkIdentity(exchange: ResourceExchange, live: Item, wanted: ApiObject): boolean {
  const { kind, info } = exchange;
  const { name, namespace, uid, resourceVersion } = wanted.metadata;
  if (name !== live.name) {
    throw badRequest(`the name of the object (${name ?? ''}) does not match the name on the URL (${live.name})`);
  }
  if (kind.namespaced && namespace && namespace !== info.namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  const ownUid = live.object.metadata.uid ?? '';
  if (uid && uid !== ownUid) {
    throw conflict(kind, live.name, `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${ownUid}`);
  }
  if (resourceVersion && resourceVersion !== '0' && resourceVersion !== `${live.revision}`)
    throw conflict(kind, live.name);
  return Boolean(resourceVersion) && resourceVersion !== '0';
}

function check(
  exchange: ResourceExchange,
  server: Server,
  object: ApiObject,
  old: ApiObject,
  subresource: string | undefined,
): void {
  const { kind } = exchange;
  const { causes, warnings } = validateUpdate(kind, object, old, { allowLoopback: server.allowLoopback, subresource });
  exchange.warnings.push(...warnings);
  if (causes.length > 0) throw invalid(kind, object.metadata.name ?? '', causes);
}

/** A client may leave out the namespace that the URL says. */
function inNamespace(object: ApiObject, namespace: string | undefined): ApiObject {
  if (namespace === undefined || object.metadata.namespace) return object;
  return { ...object, metadata: { ...object.metadata, namespace } };
}

function withoutVersion(object: ApiObject): ApiObject {
  const { resourceVersion: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}
