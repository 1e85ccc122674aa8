import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Connection } from './http-transport.ts';

/** A kubeconfig that cannot be used; the message says which file and what is wrong. */
export class KubeconfigError extends Error {
  override readonly name = 'KubeconfigError';
}

/** What a context leads to. */
export interface ResolvedContext {
  readonly context: string;
  readonly connection: Connection;
  /** The namespace of commands that name none; `default` when the context has none. */
  readonly namespace: string;
}

type Entries = ReadonlyMap<string, Readonly<Record<string, unknown>>>;

/** One or more kubeconfig files merged as kubectl does: the first file that has a name or a setting wins. */
export interface Kubeconfig {
  readonly currentContext: string | undefined;
  readonly clusters: Entries;
  readonly users: Entries;
  readonly contexts: Entries;
}

/** Reads a file as text; rejects like `fs.readFile`. */
export type ReadFile = (path: string) => Promise<string>;

const readText: ReadFile = (path) => readFile(path, 'utf8');

/**
 * The connection of a context (default: the current one) from kubeconfig files. Files that do not exist are skipped, as
 * long as one does. Throws `KubeconfigError`.
 */
export async function loadKubeconfig(
  paths: readonly string[],
  options: { readonly context?: string; readonly read?: ReadFile } = {},
): Promise<ResolvedContext> {
  const read = options.read ?? readText;
  const found: Kubeconfig[] = [];
  for (const path of paths) {
    const text = await readIfThere(path, read);
    if (text !== undefined) found.push(await parseKubeconfig(text, path));
  }
  if (found.length === 0) throw new KubeconfigError(`no kubeconfig found at ${paths.join(', ')}`);
  return resolveContext(mergeKubeconfigs(found), options.context, read);
}

async function readIfThere(path: string, read: ReadFile): Promise<string | undefined> {
  try {
    return await read(path);
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw new KubeconfigError(`${path}: cannot be read: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}

/** One file. Relative paths inside it become absolute from `path`'s folder. Rejects with `KubeconfigError`. */
async function parseKubeconfig(text: string, path: string): Promise<Kubeconfig> {
  const document = await parseYaml(text).catch((cause: unknown) => {
    throw new KubeconfigError(`${path}: not YAML: ${cause instanceof Error ? cause.message : cause}`, { cause });
  });
  if (!isRecord(document)) throw new KubeconfigError(`${path}: not a kubeconfig`);
  const folder = dirname(resolve(path));
  const current = document['current-context'];
  return {
    currentContext: typeof current === 'string' && current !== '' ? current : undefined,
    clusters: entries(document['clusters'], 'cluster', folder, ['certificate-authority']),
    users: entries(document['users'], 'user', folder, ['client-certificate', 'client-key', 'tokenFile']),
    contexts: entries(document['contexts'], 'context', folder, []),
  };
}

/** JSON is YAML too, and needs no reader of 70 modules. */
async function parseYaml(text: string): Promise<unknown> {
  try {
    return JSON.parse(text);
  } catch {
    return (await import('yaml')).parse(text, { logLevel: 'error' });
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `[{name, cluster: {…}}]` as a map; the first of a name wins. */
function entries(list: unknown, field: string, folder: string, pathFields: readonly string[]): Entries {
  const result = new Map<string, Record<string, unknown>>();
  for (const item of Array.isArray(list) ? list : []) {
    if (!isRecord(item) || typeof item['name'] !== 'string' || result.has(item['name'])) continue;
    const value = isRecord(item[field]) ? { ...item[field] } : {};
    for (const name of pathFields) {
      if (typeof value[name] === 'string' && value[name] !== '') value[name] = resolve(folder, value[name]);
    }
    result.set(item['name'], value);
  }
  return result;
}

/** Earlier files win, entry by entry. Pure. */
function mergeKubeconfigs(files: readonly Kubeconfig[]): Kubeconfig {
  // Later entries of a Map constructor win, so the files go in last to first.
  const merge = (pick: (file: Kubeconfig) => Entries) => new Map(files.toReversed().flatMap((file) => [...pick(file)]));
  return {
    currentContext: files.find((file) => file.currentContext !== undefined)?.currentContext,
    clusters: merge((file) => file.clusters),
    users: merge((file) => file.users),
    contexts: merge((file) => file.contexts),
  };
}

/** Follows a context to its cluster and user, and reads the files they name. Throws `KubeconfigError`. */
async function resolveContext(
  config: Kubeconfig,
  context: string | undefined = config.currentContext,
  read: ReadFile = readText,
): Promise<ResolvedContext> {
  if (context === undefined) throw new KubeconfigError('the kubeconfig has no current context');
  const chosen = entry(config.contexts, 'context', context);
  const cluster = entry(config.clusters, 'cluster', text(chosen, 'cluster') ?? '');
  const userName = text(chosen, 'user');
  const user = userName === undefined ? {} : entry(config.users, 'user', userName);
  refuseUnsupported(cluster, user, userName);
  const connection = { ...(await serverPart(cluster, read)), ...(await userPart(user, read)) };
  return { context, connection, namespace: text(chosen, 'namespace') ?? 'default' };
}

function entry(all: Entries, what: string, name: string): Readonly<Record<string, unknown>> {
  const found = all.get(name);
  if (found === undefined) throw new KubeconfigError(`the kubeconfig has no ${what} "${name}"`);
  return found;
}

function text(record: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = record[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function refuseUnsupported(
  cluster: Readonly<Record<string, unknown>>,
  user: Readonly<Record<string, unknown>>,
  userName: string | undefined,
): void {
  const plugin = ['exec', 'auth-provider'].find((name) => user[name] !== undefined);
  if (plugin !== undefined) throw new KubeconfigError(`user "${userName}": ${plugin} plugins are not supported`);
  if (text(cluster, 'proxy-url') !== undefined) throw new KubeconfigError('proxy-url is not supported');
}

async function serverPart(cluster: Readonly<Record<string, unknown>>, read: ReadFile): Promise<Connection> {
  const server = text(cluster, 'server');
  if (server === undefined) throw new KubeconfigError('the cluster has no server address');
  return {
    server,
    ca: await dataOrFile(cluster, 'certificate-authority', read),
    serverName: text(cluster, 'tls-server-name'),
    insecureSkipVerify: cluster['insecure-skip-tls-verify'] === true,
  };
}

async function userPart(user: Readonly<Record<string, unknown>>, read: ReadFile): Promise<Partial<Connection>> {
  const tokenFile = text(user, 'tokenFile');
  const username = text(user, 'username');
  return {
    clientCert: await dataOrFile(user, 'client-certificate', read),
    clientKey: await dataOrFile(user, 'client-key', read),
    token: tokenFile === undefined ? text(user, 'token') : fileToken(tokenFile, read),
    basic: username === undefined ? undefined : { username, password: text(user, 'password') ?? '' },
  };
}

/** `NAME-data` is base64 and wins over the file in `NAME`. */
async function dataOrFile(record: Readonly<Record<string, unknown>>, name: string, read: ReadFile) {
  const data = text(record, `${name}-data`);
  if (data !== undefined) return Buffer.from(data, 'base64').toString('utf8');
  const path = text(record, name);
  if (path === undefined) return undefined;
  try {
    return await read(path);
  } catch (cause) {
    throw new KubeconfigError(`${name}: ${path} cannot be read`, { cause });
  }
}

/** How long a token read from a file is used, in milliseconds: files are rotated in place. */
const tokenLifeMs = 60_000;

/** A token in a file that is replaced from time to time; read again at most once a minute. */
export function fileToken(path: string, read: ReadFile = readText, now: () => number = Date.now) {
  let token = '';
  let readAtMs = Number.NEGATIVE_INFINITY;
  return async (): Promise<string> => {
    if (now() - readAtMs > tokenLifeMs) {
      token = (await read(path)).trim();
      readAtMs = now();
    }
    return token;
  };
}

/** Where a Pod finds its API server: the two environment variables and the mounted service account. */
export interface InClusterSource {
  /** `KUBERNETES_SERVICE_HOST`. */
  readonly host: string;
  /** `KUBERNETES_SERVICE_PORT`. */
  readonly port: string;
  readonly folder?: string;
  readonly read?: ReadFile;
}

/** The connection of a Pod with its service account. Rejects with `KubeconfigError` outside a Pod. */
export async function inClusterContext(source: InClusterSource): Promise<ResolvedContext> {
  const { folder = '/var/run/secrets/kubernetes.io/serviceaccount', read = readText } = source;
  const host = source.host.includes(':') ? `[${source.host}]` : source.host;
  try {
    const [ca, namespace] = await Promise.all([read(`${folder}/ca.crt`), read(`${folder}/namespace`)]);
    const token = fileToken(`${folder}/token`, read);
    const connection = { server: `https://${host}:${source.port}`, ca, token };
    return { context: 'in-cluster', connection, namespace: namespace.trim() };
  } catch (cause) {
    throw new KubeconfigError(`no service account in ${folder}`, { cause });
  }
}
