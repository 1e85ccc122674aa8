import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { answer, answerUpgrade } from './answer.ts';
import { mastersGroup } from './auth/identity.ts';
import type { ApiServerConfig } from './config.ts';
import type { Core } from './core.ts';
import { openCore } from './core.ts';
import type { Listeners } from './http/https-server.ts';
import { listenHttps } from './http/https-server.ts';
import type { InProcess, InProcessIdentity } from './http/in-process.ts';
import type { KeyPair } from './pki/certificate.ts';
import { renderKubeconfig } from './pki/kubeconfig.ts';
import type { Holder, Pki } from './pki/pki.ts';
import { openPki, writePrivateFile } from './pki/pki.ts';
import { kubernetesServiceIp } from './system/system-objects.ts';

/** A running API server. Disposing ends its streams and listeners; the store stays open. */
export interface ApiServer extends AsyncDisposable {
  /** `https://127.0.0.1:6443`. */
  readonly url: string;
  readonly addresses: Listeners['addresses'];
  /** Path of the administrator's kubeconfig, mode 0600. */
  readonly kubeconfig: string;
  /** PEM of the authority that signed the server's certificate. */
  readonly authority: string;
  /** A transport for a component of this process. */
  inProcess(identity: InProcessIdentity): InProcess;
  /** Writes a kubeconfig for a component that runs elsewhere (mode 0600) and gives its path. */
  writeKubeconfig(name: string, holder: Holder): Promise<string>;
  /** A certificate for a component that listens, such as the agent. Lives one year. */
  issueServingCertificate(commonName: string, names: ServingNames): Promise<KeyPair>;
}

/** What a serving certificate covers. */
export interface ServingNames {
  readonly dnsNames?: readonly string[];
  readonly addresses?: readonly string[];
}

/** Starts the server: certificates, cache, listeners, system objects. Resolves when it is ready to serve. */
export async function startApiServer(config: ApiServerConfig): Promise<ApiServer> {
  const now = config.now ?? Date.now;
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  const { dnsNames, addresses } = servingNames(config);
  const pki = await openPki({ folder: join(config.dataDir, 'pki'), dnsNames, addresses, now: new Date(now()) });
  const core = await openCore(config, pki);
  const listeners = await listen(config, pki, core);
  const [first] = listeners.addresses;
  const port = first?.port ?? 0;
  const url = `https://${bracketed(first?.address ?? '127.0.0.1')}:${port}`;
  await core.makeReady(port);
  const saveKubeconfig = async (path: string, user: string, client: KeyPair) => {
    await writePrivateFile(path, renderKubeconfig({ server: url, authority: pki.authority, user, client }));
    return path;
  };
  const admin = await pki.client('admin', { commonName: 'kubernetes-admin', organizations: [mastersGroup] });
  const kubeconfig = await saveKubeconfig(join(config.dataDir, 'kubeconfig'), 'kubernetes-admin', admin);
  config.logger.info('serving', { url, revision: core.server.cache.revision });
  return {
    url,
    addresses: listeners.addresses,
    kubeconfig,
    authority: pki.authority,
    inProcess: core.inProcess,
    writeKubeconfig: async (name, holder) =>
      saveKubeconfig(
        join(config.dataDir, 'pki', `${name}.kubeconfig`),
        holder.commonName,
        await pki.client(name, holder),
      ),
    issueServingCertificate: (commonName, names) => pki.issue({ commonName, usage: 'server', ...names }),
    async [Symbol.asyncDispose]() {
      for (const stream of core.server.streams) stream.end('shutdown');
      await listeners[Symbol.asyncDispose]();
      await core[Symbol.asyncDispose]();
    },
  };
}

function listen(config: ApiServerConfig, pki: Pki, { server }: Core): Promise<Listeners> {
  return listenHttps({
    listen: config.listen,
    certificate: pki.serving.certificate,
    key: pki.serving.key,
    clientAuthority: pki.authority,
    answer: (request) => answer(request, server),
    upgrade: (request, message, socket, head) => answerUpgrade(request, server, message, socket, head),
  });
}

/** Every name and address under which clients may reach the server. */
function servingNames(config: ApiServerConfig): Required<ServingNames> {
  const isAddress = (name: string) => /^[\d.]+$|:/.test(name);
  const extra = config.extraNames ?? [];
  const listening = config.listen
    .map(({ address }) => address)
    .filter((address) => address !== '0.0.0.0' && address !== '::');
  const serviceIp = kubernetesServiceIp(config.serviceCidrs);
  const addresses = ['127.0.0.1', '::1', config.advertiseAddress, serviceIp, ...listening, ...extra.filter(isAddress)];
  const service = [
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    `kubernetes.default.svc.${config.clusterDomain}`,
  ];
  return {
    dnsNames: ['localhost', ...service, ...extra.filter((name) => !isAddress(name))],
    addresses: [...new Set(addresses)],
  };
}

function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
