import { TLSSocket } from 'node:tls';
import type { Duplex } from 'node:stream';
import type { Identity } from '../auth/identity.ts';
import { authenticatedGroup } from '../auth/identity.ts';

/**
 * The identity in a client certificate: common name and organizations (groups). Undefined without a certificate,
 * `invalid` when it is expired or not signed by our authority.
 */
export function peerIdentity(socket: Duplex): Identity | 'invalid' | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  const certificate = socket.getPeerCertificate();
  if (certificate === null || Object.keys(certificate).length === 0) return undefined;
  const name = [certificate.subject?.CN ?? ''].flat()[0] ?? '';
  if (!socket.authorized || name === '') return 'invalid';
  const groups = [certificate.subject.O ?? []].flat();
  return { name, groups: [...groups, authenticatedGroup] };
}
