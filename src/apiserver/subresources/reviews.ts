import { SelfSubjectReview } from '../../api/authentication/self-subject-review.ts';
import { TokenReview } from '../../api/authentication/token-review.ts';
import type { UserInfo } from '../../api/authentication/user-info.ts';
import type { NonResourceAttributes, ResourceAttributes } from '../../api/authorization/attributes.ts';
import { SelfSubjectAccessReview } from '../../api/authorization/self-subject-access-review.ts';
import { SelfSubjectRulesReview } from '../../api/authorization/self-subject-rules-review.ts';
import { LocalSubjectAccessReview, SubjectAccessReview } from '../../api/authorization/subject-access-review.ts';
import { decodeBody } from '../../api/decode.ts';
import { withDefaults } from '../../api/defaults.ts';
import { badRequest } from '../../api/errors.ts';
import type { ApiObject } from '../../api/meta/object-meta.ts';
import type { Kind } from '../../api/schema.ts';
import { formatTime } from '../../api/times.ts';
import { identityOf } from '../auth/authenticate.ts';
import type { Attributes } from '../auth/authorize.ts';
import { authorize, rulesOf } from '../auth/authorize.ts';
import type { Identity } from '../auth/identity.ts';
import type { Handler } from '../chain.ts';
import type { ResourceExchange } from '../exchange.ts';
import type { Reply } from '../http/reply.ts';
import { objectReply } from '../http/reply.ts';
import type { Server } from '../server.ts';
import { parseWriteOptions } from '../write/options.ts';

/** Kinds that are answered, not stored, by kind. Each takes a POST and gives the object back with a status. */
export const reviews: Readonly<Record<string, Handler>> = {
  SelfSubjectReview: selfSubjectReview,
  SelfSubjectAccessReview: selfSubjectAccessReview,
  SelfSubjectRulesReview: selfSubjectRulesReview,
  SubjectAccessReview: (exchange, server) => subjectAccessReview(exchange, server, SubjectAccessReview),
  LocalSubjectAccessReview: (exchange, server) => subjectAccessReview(exchange, server, LocalSubjectAccessReview),
  TokenReview: tokenReview,
};

async function selfSubjectReview(exchange: ResourceExchange, server: Server): Promise<Reply> {
  const review = await readReview(exchange, SelfSubjectReview);
  const metadata = { ...review.metadata, creationTimestamp: formatTime(server.now()) };
  return answer({ ...review, metadata, status: { userInfo: userInfo(exchange.identity) } });
}

async function selfSubjectAccessReview(exchange: ResourceExchange, server: Server): Promise<Reply> {
  const review = await readReview(exchange, SelfSubjectAccessReview);
  return answer({ ...review, status: decide(server, exchange.identity, review.spec) });
}

async function subjectAccessReview(
  exchange: ResourceExchange,
  server: Server,
  kind: Kind<SubjectAccessReview>,
): Promise<Reply> {
  const review = await readReview(exchange, kind);
  const { user = '', groups = [] } = review.spec;
  if (user === '' && groups.length === 0) throw badRequest('at least one of user or group must be specified');
  return answer({ ...review, status: decide(server, { name: user, groups }, review.spec) });
}

async function selfSubjectRulesReview(exchange: ResourceExchange, server: Server): Promise<Reply> {
  const review = await readReview(exchange, SelfSubjectRulesReview);
  const rules = rulesOf(exchange.identity, server.rolesFor);
  const resourceRules = rules
    .filter((rule) => rule.resources !== undefined)
    .map(({ verbs, apiGroups, resources, resourceNames }) => ({ verbs, apiGroups, resources, resourceNames }));
  const nonResourceRules = rules
    .filter((rule) => rule.nonResourceURLs !== undefined)
    .map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs }));
  return answer({ ...review, status: { resourceRules, nonResourceRules, incomplete: false } });
}

async function tokenReview(exchange: ResourceExchange, server: Server): Promise<Reply> {
  const review = await readReview(exchange, TokenReview);
  const wanted = review.spec.audiences?.length ? review.spec.audiences : undefined;
  const verified = await server.tokens.verify(review.spec.token ?? '', server.now(), wanted);
  const identity = verified && identityOf(server, verified);
  if (verified === undefined || identity === undefined) {
    return answer({ ...review, status: { user: {}, error: 'invalid bearer token' } });
  }
  const audiences = verified.audiences.filter((audience) => (wanted ?? [server.tokens.audience]).includes(audience));
  return answer({ ...review, status: { authenticated: true, user: userInfo(identity), audiences } });
}

async function readReview<T extends ApiObject>(exchange: ResourceExchange, kind: Kind<T>): Promise<T> {
  const { request } = exchange;
  const options = parseWriteOptions(request, 'CreateOptions');
  const body = await request.readBody();
  const { value, warnings } = decodeBody(kind, body, request.headers['content-type'], options.fieldValidation);
  exchange.warnings.push(...warnings);
  return withDefaults(kind, value);
}

function answer(review: object): Reply {
  return objectReply(201, review);
}

interface Asked {
  readonly resourceAttributes?: ResourceAttributes;
  readonly nonResourceAttributes?: NonResourceAttributes;
}

function decide(
  server: Server,
  identity: Identity,
  asked: Asked,
): { readonly allowed: boolean; readonly reason?: string } {
  const { allowed, reason } = authorize(identity, attributesOf(asked), server.rolesFor);
  return { allowed, ...(reason !== '' && { reason }) };
}

function attributesOf({ resourceAttributes, nonResourceAttributes }: Asked): Attributes {
  if ((resourceAttributes === undefined) === (nonResourceAttributes === undefined)) {
    throw badRequest('exactly one of nonResourceAttributes or resourceAttributes must be specified');
  }
  if (resourceAttributes === undefined) {
    return { type: 'path', verb: nonResourceAttributes?.verb ?? '', path: nonResourceAttributes?.path ?? '' };
  }
  const { verb = '', group = '', resource = '', subresource, namespace, name } = resourceAttributes;
  return { type: 'resource', verb, group, resource, subresource, namespace, name };
}

function userInfo({ name, uid, groups, extra }: Identity): UserInfo {
  return { username: name, ...(uid !== undefined && { uid }), groups, ...(extra !== undefined && { extra }) };
}
