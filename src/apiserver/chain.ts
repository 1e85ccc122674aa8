import { badRequest, forbidden, forbiddenPath, methodNotAllowed, noSuchPath } from '../api/errors.ts';
import { kindOfResource } from '../api/registry.ts';
import { authenticate } from './auth/authenticate.ts';
import type { Attributes } from './auth/authorize.ts';
import { authorize as decide, forbiddenMessage } from './auth/authorize.ts';
import type { Exchange, ResourceExchange } from './exchange.ts';
import type { Reply } from './http/reply.ts';
import { negotiateForm } from './negotiate.ts';
import { servePath } from './paths.ts';
import type { ApiVerb, RequestInfo } from './request-info.ts';
import type { Server } from './server.ts';
import { reviews } from './subresources/reviews.ts';
import { subresources } from './subresources/subresources.ts';
import { isTunnel } from './subresources/tunnel.ts';
import { create } from './verbs/create.ts';
import { deleteCollection } from './verbs/delete-collection.ts';
import { deleteObject } from './verbs/delete.ts';
import { get } from './verbs/get.ts';
import { list } from './verbs/list.ts';
import { patch } from './verbs/patch.ts';
import { update } from './verbs/update.ts';
import { watch } from './verbs/watch.ts';

/** A step looks at the exchange and answers it, or leaves it to the next one. Refusals are thrown as `ApiError`. */
export type Step = (exchange: Exchange, server: Server) => Reply | undefined | Promise<Reply | undefined>;

/** A step that knows the resource. */
export type Handler = (exchange: ResourceExchange, server: Server) => Reply | Promise<Reply>;

/**
 * Every request goes down this list until a step answers. Writes go on in `write/pipeline.ts`: decode, default, admit,
 * validate, store.
 */
export const chain: readonly Step[] = [
  authenticate, //  who is it?                          401
  authorize, //     may they?                           403
  servePath, //     health, version, discovery, OpenAPI, metrics
  serveResource, // which kind, in which form, verb     404, 405, 406
];

/** What each verb does to a collection or an object. */
const verbs: Readonly<Record<ApiVerb, Handler>> = {
  get,
  list,
  watch,
  create,
  update,
  patch,
  delete: deleteObject,
  deletecollection: deleteCollection,
};

/** Verbs of one object; the others are of a collection. */
const needsName: ReadonlySet<ApiVerb> = new Set(['get', 'update', 'patch', 'delete']);

function authorize(exchange: Exchange, server: Server): undefined {
  const { info, identity } = exchange;
  const attributes = attributesOf(info);
  if (decide(identity, attributes, server.rolesFor).allowed) return undefined;
  const message = forbiddenMessage(identity, attributes);
  if (info.type === 'path') throw forbiddenPath(`forbidden: ${message}`);
  throw forbidden({ plural: info.resource, group: info.group }, info.name ?? '', message);
}

function attributesOf(info: RequestInfo): Attributes {
  if (info.type === 'path') return info;
  const namespace = info.namespace;
  return { ...info, namespace };
}

/** The chain of an upgrade, up to the point where the agent takes over. Throws `ApiError` when it is for nothing tunnelled. */
export async function routeUpgrade(exchange: Exchange, server: Server): Promise<ResourceExchange> {
  await authenticate(exchange, server);
  authorize(exchange, server);
  const target = route(exchange);
  if (!isTunnel(target)) throw badRequest('this resource cannot be upgraded');
  return target;
}

async function serveResource(exchange: Exchange, server: Server): Promise<Reply> {
  const resourceExchange = route(exchange);
  const { info, kind } = resourceExchange;
  if (info.subresource !== undefined) {
    const handler =
      subresources[`${info.resource}/${info.subresource}`]?.[info.verb] ??
      subresources[`*/${info.subresource}`]?.[info.verb];
    const isKnown = kind.subresources.some((each) => each.name === info.subresource);
    if (!isKnown) throw noSuchPath();
    if (handler === undefined) throw methodNotAllowed();
    return handler(resourceExchange, server);
  }
  if (!kind.verbs.includes(info.verb)) throw methodNotAllowed();
  const review = reviews[kind.kind];
  if (review !== undefined) return review(resourceExchange, server);
  if ((info.name === undefined) === needsName.has(info.verb) && info.verb !== 'watch') throw methodNotAllowed();
  return verbs[info.verb](resourceExchange, server);
}

function route(exchange: Exchange): ResourceExchange {
  const { info, request } = exchange;
  if (info.type !== 'resource') throw noSuchPath();
  const kind = kindOfResource(info.group, info.version, info.resource);
  if (kind === undefined) throw noSuchPath();
  const namespace = kind.namespaced ? info.namespace : undefined;
  const needsNamespace = kind.namespaced && namespace === undefined && info.verb !== 'list' && info.verb !== 'watch';
  if (needsNamespace || (!kind.namespaced && info.namespace !== undefined && kind.plural !== 'namespaces'))
    throw noSuchPath();
  const form = negotiateForm(kind, info, request);
  return Object.assign(exchange, { info: { ...info, namespace }, kind, form });
}
