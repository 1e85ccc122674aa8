import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { X509Certificate } from 'node:crypto';
import type { CertificateRequest, KeyPair } from './certificate.ts';
import { createAuthority, createSigningKey, isUsable, issueCertificate } from './certificate.ts';

const dayMs = 24 * 60 * 60 * 1000;
const authorityLifeMs = 3650 * dayMs;
const certificateLifeMs = 365 * dayMs;

/** Who a client certificate is for, and the groups it puts its holder in. */
export interface Holder {
  readonly commonName: string;
  readonly organizations?: readonly string[];
}

/** What the API server needs from the data folder's `pki/`; made at first start, renewed when near expiry. */
export interface Pki {
  /** CA certificate, PEM. */
  readonly authority: string;
  readonly serving: KeyPair;
  /** The API server's own client certificate, for calls to agents. */
  readonly agentClient: KeyPair;
  /** PKCS 8 PEM, P-256: signs service-account tokens. */
  readonly tokenKey: string;
  /** Issues a certificate that lives one year. */
  issue(request: Omit<CertificateRequest, 'notBefore' | 'notAfter'>): Promise<KeyPair>;
  /** A client certificate kept in `pki/<name>.crt` and `.key`. */
  client(name: string, holder: Holder): Promise<KeyPair>;
}

export interface PkiOptions {
  /** Folder, made with mode 0700 when absent. */
  readonly folder: string;
  /** Names and addresses under which clients reach the server. */
  readonly dnsNames: readonly string[];
  readonly addresses: readonly string[];
  readonly now: Date;
}

/** Opens the folder's PKI and makes or renews what is missing, expiring, or does not cover the names asked for. */
export async function openPki(options: PkiOptions): Promise<Pki> {
  const { folder, now } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const validity = {
    notBefore: new Date(now.getTime() - 60_000),
    notAfter: new Date(now.getTime() + certificateLifeMs),
  };
  const authority = await keep(folder, 'ca', isAuthorityUsable(now), () =>
    createAuthority('fairlead-ca', validity.notBefore, new Date(now.getTime() + authorityLifeMs)),
  );
  const pair = (name: string, request: Omit<CertificateRequest, 'notBefore' | 'notAfter'>) => {
    const names = [...(request.dnsNames ?? []), ...(request.addresses ?? [])];
    const isGood = (found: KeyPair) => isUsable(found, authority.certificate, names, now);
    return keep(folder, name, isGood, () => issueCertificate(authority, { ...request, ...validity }));
  };
  const client = (name: string, holder: Holder) => pair(name, { ...holder, usage: 'client' });
  const { dnsNames, addresses } = options;
  return {
    authority: authority.certificate,
    serving: await pair('apiserver', { commonName: 'kube-apiserver', usage: 'server', dnsNames, addresses }),
    agentClient: await client('apiserver-agent-client', {
      commonName: 'kube-apiserver-kubelet-client',
      organizations: ['system:masters'],
    }),
    tokenKey: await keepFile(join(folder, 'sa.key'), createSigningKey),
    issue: (request) => issueCertificate(authority, { ...request, ...validity }),
    client,
  };
}

/** Writes a file that only its owner may read, in one step: a reader sees the old or the new content. */
export async function writePrivateFile(path: string, content: string): Promise<void> {
  const temporary = `${path}.new`;
  await writeFile(temporary, content, { mode: 0o600 });
  await chmod(temporary, 0o600);
  await rename(temporary, path);
}

async function keep(
  folder: string,
  name: string,
  isGood: (found: KeyPair) => boolean,
  make: () => Promise<KeyPair>,
): Promise<KeyPair> {
  const paths = { certificate: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) };
  const [certificate, key] = await Promise.all([readIfPresent(paths.certificate), readIfPresent(paths.key)]);
  if (certificate !== undefined && key !== undefined && isGood({ certificate, key })) return { certificate, key };
  const made = await make();
  await writePrivateFile(paths.key, made.key);
  await writePrivateFile(paths.certificate, made.certificate);
  return made;
}

async function keepFile(path: string, make: () => Promise<string>): Promise<string> {
  const found = await readIfPresent(path);
  if (found !== undefined) return found;
  const made = await make();
  await writePrivateFile(path, made);
  return made;
}

async function readIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function isAuthorityUsable(now: Date): (found: KeyPair) => boolean {
  return (found) => new X509Certificate(found.certificate).validToDate.getTime() > now.getTime() + certificateLifeMs;
}
