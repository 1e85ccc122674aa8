import { silentLogger } from '../../observe/log.ts';
import { createMetrics } from '../../observe/metrics.ts';
import { createMemoryStore } from '../../store/memory.ts';
import type { Store } from '../../store/store.ts';
import { mastersGroup } from '../auth/identity.ts';
import type { ApiServerConfig } from '../config.ts';
import type { Core } from '../core.ts';
import { openCore } from '../core.ts';
import type { InProcess, InProcessIdentity } from '../http/in-process.ts';
import { createSigningKey } from '../pki/certificate.ts';

/** Parsed JSON as tests look at it. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Json = any;

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed, or text when it is no JSON. */
  readonly body: Json;
}

export interface CallOptions {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface WatchLine {
  readonly type: string;
  readonly object: Json;
}

/** A server without sockets, and calls into it as administrator. */
export interface Fixture extends AsyncDisposable {
  readonly core: Core;
  readonly store: Store;
  call(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, options?: CallOptions): Promise<Answer>;
  /** POST that must succeed; gives the object. */
  create(path: string, body: unknown): Promise<Json>;
  /** Calls as somebody else. */
  as(identity: InProcessIdentity): Pick<Fixture, 'call'>;
  /** Opens a watch; read its lines with `next`. */
  watch(path: string): WatchReader;
}

export interface WatchReader {
  /** The next line; undefined at the end of the stream. */
  next(): Promise<WatchLine | undefined>;
  /** The next `count` lines. */
  take(count: number): Promise<readonly WatchLine[]>;
  close(): void;
}

const admin: InProcessIdentity = { name: 'admin', groups: [mastersGroup], userAgent: 'test/1.0' };

/** Starts one. Every call gives the same kind of server: an empty store with the system objects. */
export async function startFixture(overrides: Partial<ApiServerConfig> = {}): Promise<Fixture> {
  const store = overrides.store ?? createMemoryStore();
  const config: ApiServerConfig = {
    store,
    dataDir: '/nonexistent',
    listen: [],
    advertiseAddress: '10.244.0.1',
    serviceCidrs: ['10.96.0.0/16'],
    clusterDomain: 'cluster.local',
    allowLoopback: false,
    logger: silentLogger,
    metrics: createMetrics(),
    ...overrides,
  };
  const core = await openCore(config, {
    tokenKey: await createSigningKey(),
    agentClient: { certificate: '', key: '' },
  });
  await core.makeReady(6443);
  const transport = core.inProcess(admin);
  const call: Fixture['call'] = (method, path, options) => callOn(transport, method, path, options);
  return {
    core,
    store,
    call,
    async create(path, body) {
      const answer = await call('POST', path, { body });
      if (answer.status !== 201) throw new Error(`POST ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
      return answer.body;
    },
    as: (identity) => ({ call: (method, path, options) => callOn(core.inProcess(identity), method, path, options) }),
    watch: (path) => openWatch(transport, path),
    async [Symbol.asyncDispose]() {
      await core[Symbol.asyncDispose]();
      if (overrides.store === undefined) await store[Symbol.asyncDispose]();
    },
  };
}

async function callOn(
  transport: InProcess,
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  path: string,
  { body, headers = {}, signal }: CallOptions = {},
): Promise<Answer> {
  const bytes =
    body === undefined || typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
  const response = await transport.request({ method, path, headers, signal, body: bytes });
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body) chunks.push(chunk);
  return { status: response.status, headers: response.headers, body: parse(Buffer.concat(chunks).toString('utf8')) };
}

function parse(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function openWatch(transport: InProcess, path: string): WatchReader {
  const abort = new AbortController();
  const lines = readLines(transport, path, abort.signal);
  const next = async () => (await lines.next()).value ?? undefined;
  return {
    next,
    async take(count) {
      const taken: WatchLine[] = [];
      while (taken.length < count) {
        const line = await next();
        if (line === undefined) throw new Error(`the watch ended after ${taken.length} of ${count} events`);
        taken.push(line);
      }
      return taken;
    },
    close: () => abort.abort(),
  };
}

async function* readLines(
  transport: InProcess,
  path: string,
  signal: AbortSignal,
): AsyncGenerator<WatchLine, undefined> {
  const response = await transport.request({ method: 'GET', path, signal });
  let rest = '';
  try {
    for await (const chunk of response.body) {
      const lines = (rest + Buffer.from(chunk).toString('utf8')).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) yield JSON.parse(line);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  if (rest !== '') yield { type: 'STATUS', object: JSON.parse(rest) };
  return undefined;
}
