import type { Pod } from '../../api/core/pod.ts';
import { nameOf } from '../../api/meta/object-meta.ts';
import type { Client } from '../../client/client.ts';
import { readText } from '../../client/read-body.ts';
import type { TokenRequest } from '../environment/volume-files.ts';
import type { Token } from './surroundings.ts';

/** Asks the API server for a token of a Pod's service account, bound to the Pod. */
export async function requestToken(client: Client, pod: Pod, request: TokenRequest): Promise<Token> {
  const { namespace = '', uid } = pod.metadata;
  const account = pod.spec.serviceAccountName || 'default';
  const body = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: {
      audiences: request.audience === undefined ? [] : [request.audience],
      expirationSeconds: request.expirationSeconds,
      boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: nameOf(pod), uid },
    },
  };
  const answer = await client.transport.request({
    method: 'POST',
    path: `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`,
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await readText(answer.body);
  if (answer.status >= 300)
    throw new Error(`no token for service account ${namespace}/${account}: ${text.slice(0, 300)}`);
  const { status } = JSON.parse(text) as { status: { token: string; expirationTimestamp: string } };
  return { text: status.token, expiresMs: Date.parse(status.expirationTimestamp) };
}
