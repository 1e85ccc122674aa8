import { X509Certificate, createPrivateKey, randomBytes } from 'node:crypto';
import { isIP } from 'node:net';

/** A certificate with its private key, both PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

/** What a certificate says and is good for. */
export interface CertificateRequest {
  readonly commonName: string;
  /** Groups, in Kubernetes' reading of a client certificate. */
  readonly organizations?: readonly string[];
  readonly usage: 'client' | 'server' | 'both';
  readonly dnsNames?: readonly string[];
  readonly addresses?: readonly string[];
  readonly notBefore: Date;
  readonly notAfter: Date;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const serverAuth = '1.3.6.1.5.5.7.3.1';
const clientAuth = '1.3.6.1.5.5.7.3.2';

/** The library is loaded only when something has to be issued: it costs 100 ms, and most starts issue nothing. */
async function loadLibrary() {
  await import('reflect-metadata');
  return import('@peculiar/x509');
}

/** Makes a self-signed P-256 certificate authority. */
export async function createAuthority(commonName: string, notBefore: Date, notAfter: Date): Promise<KeyPair> {
  const x509 = await loadLibrary();
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: [{ CN: [commonName] }],
    notBefore,
    notAfter,
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.digitalSignature, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: certificate.toString('pem') + '\n', key: await exportKey(keys.privateKey) };
}

/** Issues a P-256 certificate signed by `authority`. */
export async function issueCertificate(authority: KeyPair, request: CertificateRequest): Promise<KeyPair> {
  const x509 = await loadLibrary();
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const issuer = new x509.X509Certificate(authority.certificate);
  const names = [
    ...(request.dnsNames ?? []).map((value) => ({ type: 'dns' as const, value })),
    ...(request.addresses ?? []).map((value) => ({ type: 'ip' as const, value })),
  ];
  const purposes =
    request.usage === 'both' ? [serverAuth, clientAuth] : [request.usage === 'server' ? serverAuth : clientAuth];
  const organizations = (request.organizations ?? []).map((organization) => ({ O: [organization] }));
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: [...organizations, { CN: [request.commonName] }],
    issuer: issuer.subjectName,
    notBefore: request.notBefore,
    notAfter: request.notAfter,
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey: await importKey(authority.key),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(purposes),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
      ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
    ],
  });
  return { certificate: certificate.toString('pem') + '\n', key: await exportKey(keys.privateKey) };
}

/** A new P-256 private key, PKCS 8 PEM. */
export async function createSigningKey(): Promise<string> {
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  return exportKey(keys.privateKey);
}

/** True when `pair` is signed by `authority`, covers all `names`, and is valid at `now` and for a tenth of its life more. */
export function isUsable(pair: KeyPair, authority: string, names: readonly string[], now: Date): boolean {
  const certificate = new X509Certificate(pair.certificate);
  const from = certificate.validFromDate.getTime();
  const until = certificate.validToDate.getTime();
  const isFresh = now.getTime() >= from && now.getTime() < until - (until - from) / 10;
  const isSigned = certificate.verify(new X509Certificate(authority).publicKey);
  return isFresh && isSigned && names.every((name) => covers(certificate, name));
}

function covers(certificate: X509Certificate, name: string): boolean {
  return (isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)) !== undefined;
}

/** Positive and 63 bits, as RFC 5280 4.1.2.2 allows. */
function serialNumber(): string {
  const bytes = randomBytes(8);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}

async function exportKey(key: CryptoKey): Promise<string> {
  const der = Buffer.from(await crypto.subtle.exportKey('pkcs8', key));
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
    .export({ format: 'pem', type: 'pkcs8' })
    .toString();
}

function importKey(pem: string): Promise<CryptoKey> {
  const der = createPrivateKey(pem).export({ format: 'der', type: 'pkcs8' });
  return crypto.subtle.importKey('pkcs8', new Uint8Array(der), algorithm, false, ['sign']);
}
