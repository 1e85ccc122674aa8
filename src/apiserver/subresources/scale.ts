import { Deployment } from '../../api/apps/deployment.ts';
import { ReplicaSet } from '../../api/apps/replica-set.ts';
import { Scale } from '../../api/autoscaling/scale.ts';
import { decodeBody, decodeObject } from '../../api/decode.ts';
import { badRequest, invalid, noSuchPath } from '../../api/errors.ts';
import type { ApiObject } from '../../api/meta/object-meta.ts';
import type { Kind } from '../../api/schema.ts';
import { formatSelector, selectorFromLabelSelector } from '../../api/selector.ts';
import { isJsonObject } from '../../lib/json.ts';
import type { Item } from '../cache/item.ts';
import { objectAs } from '../cache/item.ts';
import type { ResourceExchange } from '../exchange.ts';
import type { Reply } from '../http/reply.ts';
import { objectReply } from '../http/reply.ts';
import type { Server } from '../server.ts';
import { readItem } from '../verbs/get.ts';
import { readPatch } from '../verbs/patch.ts';
import type { WriteOptions } from '../write/options.ts';
import { parseWriteOptions } from '../write/options.ts';
import { updateObject } from '../write/update-object.ts';

/** GET of `scale`. */
export async function getScale(exchange: ResourceExchange, server: Server): Promise<Reply> {
  await server.cache.fresh();
  const item = readItem(server, exchange.kind, exchange.info.namespace, exchange.info.name ?? '');
  return objectReply(200, scaleOf(exchange.kind, item));
}

/** PUT of `scale`. */
export async function updateScale(exchange: ResourceExchange, server: Server): Promise<Reply> {
  const { request } = exchange;
  const options = parseWriteOptions(request, 'UpdateOptions');
  const { value, warnings } = decodeBody(
    Scale,
    await request.readBody(),
    request.headers['content-type'],
    options.fieldValidation,
  );
  exchange.warnings.push(...warnings);
  return store(exchange, server, () => value, options);
}

/** PATCH of `scale`. */
export async function patchScale(exchange: ResourceExchange, server: Server): Promise<Reply> {
  const options = parseWriteOptions(exchange.request, 'PatchOptions');
  const { change } = await readPatch(exchange, options);
  const next = (live: Scale): Scale => {
    const document: unknown = live;
    if (!isJsonObject(document)) throw badRequest('not an object');
    const { value, warnings } = decodeObject(
      Scale,
      { value: change(Scale, document), duplicates: [] },
      options.fieldValidation,
    );
    exchange.warnings.push(...warnings);
    const isPinned = value.metadata.resourceVersion !== live.metadata.resourceVersion;
    return isPinned ? value : { ...value, metadata: { ...value.metadata, resourceVersion: undefined } };
  };
  return store(exchange, server, next, options);
}

async function store(
  exchange: ResourceExchange,
  server: Server,
  next: (live: Scale) => Scale,
  options: WriteOptions,
): Promise<Reply> {
  const { kind, info } = exchange;
  const name = info.name ?? '';
  await server.cache.fresh();
  const change = {
    subresource: 'scale',
    next: (live: ApiObject) => {
      const wanted = next(toScale(live, scaledState(kind, live)));
      check(name, wanted);
      return withReplicas(live, wanted);
    },
  };
  const item = await updateObject(exchange, server, name, change, options);
  return objectReply(200, scaleOf(kind, item));
}

function check(name: string, wanted: Scale): void {
  const replicas = wanted.spec?.replicas ?? 0;
  if (replicas >= 0) return;
  const message = `Invalid value: ${replicas}: must be greater than or equal to 0`;
  throw invalid(Scale, name, [{ reason: 'FieldValueInvalid', message, field: 'spec.replicas' }]);
}

/** What a scalable object says about its scale. */
interface ScaledState {
  readonly replicas: number;
  readonly current: number;
  readonly selector: string;
}

function scaleOf(kind: Kind, item: Item): Scale {
  const object = item.object;
  return toScale(object, scaledState(kind, object));
}

function scaledState(kind: Kind, object: ApiObject): ScaledState {
  const scaled = scalable(kind, object);
  const selector = selectorFromLabelSelector(scaled.spec?.selector) ?? [];
  return {
    replicas: scaled.spec?.replicas ?? 0,
    current: scaled.status?.replicas ?? 0,
    selector: formatSelector(selector),
  };
}

/** The kinds that can be scaled, behind their common fields. */
function scalable(kind: Kind, object: ApiObject): Deployment | ReplicaSet {
  const item = { key: object.metadata.name ?? '', object };
  if (kind.kind === Deployment.kind) return objectAs(Deployment, item);
  if (kind.kind === ReplicaSet.kind) return objectAs(ReplicaSet, item);
  throw noSuchPath();
}

function toScale(object: ApiObject, { replicas, current, selector }: ScaledState): Scale {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  return {
    kind: Scale.kind,
    apiVersion: Scale.apiVersion,
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas },
    status: { replicas: current, selector },
  };
}

function withReplicas(live: ApiObject, wanted: Scale): ApiObject {
  const spec: unknown = 'spec' in live ? live.spec : {};
  const { resourceVersion: _, ...metadata } = live.metadata;
  const { resourceVersion, uid } = wanted.metadata;
  return Object.assign({}, live, {
    metadata: { ...metadata, ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) },
    spec: { ...(isJsonObject(spec) ? spec : {}), replicas: wanted.spec?.replicas ?? 0 },
  });
}
