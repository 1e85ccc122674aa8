import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { RequestOptions } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { silentLogger } from '../../observe/log.ts';
import { createMetrics } from '../../observe/metrics.ts';
import type { Store } from '../../store/store.ts';
import type { ApiServerConfig } from '../config.ts';
import type { ApiServer } from '../run.ts';
import { startApiServer } from '../run.ts';
import type { Answer } from './fixture.ts';

/** A folder that goes with the test. */
export async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'fairlead-apiserver-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** A real server on a loopback port. */
export function startHttps(
  dataDir: string,
  store: Store,
  overrides: Partial<ApiServerConfig> = {},
): Promise<ApiServer> {
  return startApiServer({
    store,
    dataDir,
    listen: [{ address: '127.0.0.1', port: 0 }],
    advertiseAddress: '10.244.0.1',
    serviceCidrs: ['10.96.0.0/16'],
    clusterDomain: 'cluster.local',
    allowLoopback: false,
    logger: silentLogger,
    metrics: createMetrics(),
    ...overrides,
  });
}

/** Client certificate and authority out of a kubeconfig. */
export async function credentialsIn(kubeconfig: string): Promise<{ ca: Buffer; cert: Buffer; key: Buffer }> {
  const { clusters, users } = parse(await readFile(kubeconfig, 'utf8'));
  const bytes = (text: string) => Buffer.from(text, 'base64');
  const { user } = users[0];
  return {
    ca: bytes(clusters[0].cluster['certificate-authority-data']),
    cert: bytes(user['client-certificate-data']),
    key: bytes(user['client-key-data']),
  };
}

/** One HTTPS request on a connection of its own. */
export async function callHttps(
  url: string,
  options: RequestOptions & { readonly body?: string | Buffer },
): Promise<Answer> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = httpsRequest(url, { agent: false, ...options }, resolve);
    request.on('error', reject);
    request.end(options.body);
  });
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString('utf8');
  const headers = Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name, String(value)]));
  const isJson =
    String(response.headers['content-type']).includes('json') && response.headers['content-encoding'] === undefined;
  return { status: response.statusCode ?? 0, headers, body: isJson ? JSON.parse(text) : text };
}
