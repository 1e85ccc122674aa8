import { createHash, createPrivateKey, createPublicKey, randomUUID } from 'node:crypto';
import { SignJWT, jwtVerify } from 'jose';

/** What a service-account token says about its holder (Kubernetes' private claim `kubernetes.io`). */
export interface TokenSubject {
  readonly namespace: string;
  readonly serviceAccount: { readonly name: string; readonly uid: string };
  /** The object the token dies with. */
  readonly pod?: { readonly name: string; readonly uid: string };
  readonly secret?: { readonly name: string; readonly uid: string };
}

export interface TokenRequestOptions {
  readonly subject: TokenSubject;
  /** Empty means the API server itself. */
  readonly audiences: readonly string[];
  readonly lifetimeSeconds: number;
  readonly nowMs: number;
}

/** A token that has been verified: signature, issuer, audience, time. Whether its subject still exists is not known. */
export interface VerifiedToken {
  readonly subject: TokenSubject;
  readonly audiences: readonly string[];
  readonly id: string;
  readonly expiresMs: number;
}

/** Issues and verifies service-account tokens. */
export interface Tokens {
  /** Audience of tokens for this API server. */
  readonly audience: string;
  issue(options: TokenRequestOptions): Promise<string>;
  /** Undefined when the token is not one of ours, expired, or for none of `audiences` (default: this API server). */
  verify(token: string, nowMs: number, audiences?: readonly string[]): Promise<VerifiedToken | undefined>;
}

const claimName = 'kubernetes.io';
const cacheLimit = 1000;

/** ES256 tokens. `key` is a PKCS 8 PEM, `issuer` as `https://kubernetes.default.svc.cluster.local`. */
export function createTokens(key: string, issuer: string): Tokens {
  const privateKey = createPrivateKey(key);
  const publicKey = createPublicKey(privateKey);
  const keyId = createHash('sha256')
    .update(publicKey.export({ format: 'der', type: 'spki' }))
    .digest('base64url');
  const verified = new Map<string, VerifiedToken>();

  async function issue(options: TokenRequestOptions): Promise<string> {
    const { subject, lifetimeSeconds } = options;
    const seconds = Math.floor(options.nowMs / 1000);
    const { name, uid } = subject.serviceAccount;
    const { pod, secret } = subject;
    return new SignJWT({ [claimName]: { namespace: subject.namespace, serviceaccount: { name, uid }, pod, secret } })
      .setProtectedHeader({ alg: 'ES256', kid: keyId })
      .setIssuer(issuer)
      .setSubject(`system:serviceaccount:${subject.namespace}:${name}`)
      .setAudience(options.audiences.length > 0 ? [...options.audiences] : [issuer])
      .setJti(randomUUID())
      .setIssuedAt(seconds)
      .setNotBefore(seconds)
      .setExpirationTime(seconds + lifetimeSeconds)
      .sign(privateKey);
  }

  async function verifyFresh(token: string, nowMs: number): Promise<VerifiedToken | undefined> {
    try {
      const options = { issuer, algorithms: ['ES256'], currentDate: new Date(nowMs) };
      const { payload } = await jwtVerify(token, publicKey, options);
      const subject = parseSubject(payload[claimName]);
      if (subject === undefined || payload.exp === undefined) return undefined;
      const audiences = [payload.aud ?? []].flat();
      return { subject, audiences, id: payload.jti ?? '', expiresMs: payload.exp * 1000 };
    } catch {
      return undefined;
    }
  }

  async function verify(token: string, nowMs: number, audiences: readonly string[] = [issuer]) {
    let found = verified.get(token);
    if (found === undefined || found.expiresMs <= nowMs) {
      found = await verifyFresh(token, nowMs);
      if (found === undefined) return undefined;
      if (verified.size >= cacheLimit) verified.clear();
      verified.set(token, found);
    }
    return found.audiences.some((audience) => audiences.includes(audience)) ? found : undefined;
  }

  return { audience: issuer, issue, verify };
}

function parseSubject(claim: unknown): TokenSubject | undefined {
  if (!isRecord(claim) || typeof claim['namespace'] !== 'string') return undefined;
  const serviceAccount = parseReference(claim['serviceaccount']);
  if (serviceAccount === undefined) return undefined;
  const pod = parseReference(claim['pod']);
  const secret = parseReference(claim['secret']);
  return { namespace: claim['namespace'], serviceAccount, pod, secret };
}

function parseReference(value: unknown): { name: string; uid: string } | undefined {
  if (!isRecord(value) || typeof value['name'] !== 'string' || typeof value['uid'] !== 'string') return undefined;
  return { name: value['name'], uid: value['uid'] };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
