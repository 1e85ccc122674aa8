import { TokenRequest } from '../../api/authentication/token-request.ts';
import { ServiceAccount } from '../../api/core/service-account.ts';
import { decodeBody } from '../../api/decode.ts';
import { badRequest, conflict, invalid } from '../../api/errors.ts';
import { kindOfObject } from '../../api/registry.ts';
import { formatTime } from '../../api/times.ts';
import type { TokenSubject } from '../auth/tokens.ts';
import type { ResourceExchange } from '../exchange.ts';
import type { Reply } from '../http/reply.ts';
import { objectReply } from '../http/reply.ts';
import type { Server } from '../server.ts';
import { readItem } from '../verbs/get.ts';
import { parseWriteOptions } from '../write/options.ts';

const defaultSeconds = 3600;
const minSeconds = 600;
const maxSeconds = 2 ** 32;

/** POST to `serviceaccounts/<name>/token`: a token bound to the account's uid and, if asked, to a Pod or Secret. */
export async function createToken(exchange: ResourceExchange, server: Server): Promise<Reply> {
  const { info, request } = exchange;
  const options = parseWriteOptions(request, 'CreateOptions');
  const { value, warnings } = decodeBody(
    TokenRequest,
    await request.readBody(),
    request.headers['content-type'],
    options.fieldValidation,
  );
  exchange.warnings.push(...warnings);
  await server.cache.fresh();
  const name = info.name ?? '';
  const namespace = info.namespace ?? '';
  const account = readItem(server, ServiceAccount, namespace, name).object;
  const lifetimeSeconds = lifetimeOf(name, value);
  const serviceAccount = { name, uid: account.metadata.uid ?? '' };
  const subject: TokenSubject = { namespace, serviceAccount, ...bindingOf(server, namespace, value) };
  const audiences = value.spec?.audiences?.length ? value.spec.audiences : [server.tokens.audience];
  const nowMs = server.now();
  const token = options.dryRun ? '' : await server.tokens.issue({ subject, audiences, lifetimeSeconds, nowMs });
  const status = { token, expirationTimestamp: formatTime(nowMs + lifetimeSeconds * 1000) };
  const metadata = { name, namespace, creationTimestamp: formatTime(nowMs) };
  const spec = { ...value.spec, audiences, expirationSeconds: lifetimeSeconds };
  return objectReply(201, { kind: TokenRequest.kind, apiVersion: TokenRequest.apiVersion, metadata, spec, status });
}

function lifetimeOf(name: string, request: TokenRequest): number {
  const seconds = request.spec?.expirationSeconds ?? defaultSeconds;
  if (seconds >= minSeconds && seconds <= maxSeconds) return seconds;
  const text =
    seconds < minSeconds
      ? 'may not specify a duration less than 10 minutes'
      : 'may not specify a duration larger than 2^32 seconds';
  const message = `Invalid value: ${seconds}: ${text}`;
  throw invalid(TokenRequest, name, [{ reason: 'FieldValueInvalid', message, field: 'spec.expirationSeconds' }]);
}

function bindingOf(server: Server, namespace: string, request: TokenRequest): Pick<TokenSubject, 'pod' | 'secret'> {
  const reference = request.spec?.boundObjectRef;
  if (reference === undefined) return {};
  const { kind: kindName = '', apiVersion = '', name = '', uid } = reference;
  const kind = kindOfObject(apiVersion, kindName);
  if (kind === undefined || (kindName !== 'Pod' && kindName !== 'Secret')) {
    throw badRequest(`cannot bind token for serviceaccount to object type "${apiVersion}, Kind=${kindName}"`);
  }
  const found = readItem(server, kind, namespace, name).object.metadata.uid ?? '';
  if (uid && uid !== found) {
    throw conflict(
      kind,
      name,
      `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    );
  }
  return kindName === 'Pod' ? { pod: { name, uid: found } } : { secret: { name, uid: found } };
}
