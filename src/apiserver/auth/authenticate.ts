import { unauthorized } from '../../api/errors.ts';
import type { Exchange } from '../exchange.ts';
import type { Server } from '../server.ts';
import { keyOf } from '../server.ts';
import type { Identity } from './identity.ts';
import { anonymous, serviceAccountIdentity } from './identity.ts';
import { publicRules } from './roles.ts';
import { allows } from './authorize.ts';
import type { TokenSubject, VerifiedToken } from './tokens.ts';

const serviceAccounts = { plural: 'serviceaccounts', group: '' };
const pods = { plural: 'pods', group: '' };
const secrets = { plural: 'secrets', group: '' };

/**
 * Finds out who asks: the peer of the transport (client certificate, in-process), else a bearer token. Without either only
 * health and version answer; anything else, and any credential that is wrong, is a 401.
 */
export async function authenticate(exchange: Exchange, server: Server): Promise<undefined> {
  const { request, info } = exchange;
  if (request.peer === 'invalid') throw unauthorized();
  const token = bearerToken(request.headers['authorization'], request.headers['sec-websocket-protocol']);
  if (request.peer !== undefined && token === undefined) {
    exchange.identity = request.peer;
    return undefined;
  }
  if (token !== undefined) {
    exchange.identity = await authenticateToken(server, token);
    return undefined;
  }
  const isPublic = info.type === 'path' && publicRules.some((rule) => allows(rule, info));
  if (!isPublic) throw unauthorized();
  exchange.identity = anonymous;
  return undefined;
}

/** The identity behind a token. Throws `ApiError` 401. */
async function authenticateToken(server: Server, token: string): Promise<Identity> {
  const verified = await server.tokens.verify(token, server.now());
  if (verified === undefined) throw unauthorized();
  await server.cache.fresh();
  const identity = identityOf(server, verified);
  if (identity === undefined) throw unauthorized();
  return identity;
}

/** The identity of a verified token; undefined when what it is bound to is gone. */
export function identityOf(server: Server, token: VerifiedToken): Identity | undefined {
  const { subject, id } = token;
  const { namespace, serviceAccount, pod, secret } = subject;
  const isAlive =
    hasUid(server, serviceAccounts, namespace, serviceAccount) &&
    (pod === undefined || hasUid(server, pods, namespace, pod)) &&
    (secret === undefined || hasUid(server, secrets, namespace, secret));
  if (!isAlive) return undefined;
  return serviceAccountIdentity(namespace, serviceAccount.name, serviceAccount.uid, extraOf(subject, id));
}

function extraOf(subject: TokenSubject, id: string): Identity['extra'] {
  const { pod } = subject;
  return {
    'authentication.kubernetes.io/credential-id': [`JTI=${id}`],
    ...(pod && {
      'authentication.kubernetes.io/pod-name': [pod.name],
      'authentication.kubernetes.io/pod-uid': [pod.uid],
    }),
  };
}

function hasUid(
  server: Server,
  resource: { readonly plural: string; readonly group: string },
  namespace: string,
  wanted: { readonly name: string; readonly uid: string },
): boolean {
  const item = server.cache.resource(resource.plural).items.get(keyOf(resource, namespace, wanted.name));
  return item?.object.metadata.uid === wanted.uid;
}

const protocolPrefix = 'base64url.bearer.authorization.k8s.io.';

/** The token of `Authorization: Bearer`, or the one browsers put into the WebSocket protocol list. */
function bearerToken(authorization: string | undefined, protocols: string | undefined): string | undefined {
  const match = /^bearer\s+(\S+)\s*$/i.exec(authorization ?? '');
  if (match?.[1] !== undefined) return match[1];
  const encoded = (protocols ?? '')
    .split(',')
    .map((each) => each.trim())
    .find((each) => each.startsWith(protocolPrefix));
  return encoded && Buffer.from(encoded.slice(protocolPrefix.length), 'base64url').toString('utf8');
}
