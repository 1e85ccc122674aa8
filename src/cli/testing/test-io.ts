import type { Transport, TransportRequest, TransportResponse } from '../../client/client.ts';
import type { Command, CommandIo } from '../command.ts';
import { runProgram } from '../program.ts';

/** What a command line did. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Answers one request of a command: a JSON value (200), or a status with one. */
export type Answer = (request: TransportRequest) => unknown;

/** An answer other than 200. */
export class Reply {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;
  constructor(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}) {
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

/** A `NotFound` as the API server sends it. */
export function notFoundReply(what: string): Reply {
  return new Reply(404, {
    kind: 'Status',
    status: 'Failure',
    reason: 'NotFound',
    code: 404,
    message: `${what} not found`,
  });
}

/** A transport that asks a function instead of a server; a string or list of strings is a streamed body. */
export function fakeTransport(answer: Answer): Transport {
  return {
    async request(request): Promise<TransportResponse> {
      const given = answer(request);
      const reply = given instanceof Reply ? given : new Reply(200, given);
      return { status: reply.status, headers: reply.headers, body: bodyOf(reply.body) };
    },
    async [Symbol.asyncDispose]() {},
  };
}

async function* bodyOf(body: unknown): AsyncGenerator<Uint8Array> {
  const chunks = Array.isArray(body) ? body : [typeof body === 'string' ? body : JSON.stringify(body)];
  for (const chunk of chunks) yield Buffer.from(String(chunk));
}

/** The world around a command, all in memory. */
export interface TestWorld {
  readonly answer?: Answer;
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** An io whose outputs are kept. */
export function testIo(world: TestWorld = {}): CommandIo & { readonly written: { stdout: string; stderr: string } } {
  const written = { stdout: '', stderr: '' };
  const output = (name: 'stdout' | 'stderr') => ({
    write: (text: string | Uint8Array) =>
      (written[name] += typeof text === 'string' ? text : Buffer.from(text).toString()),
  });
  const transport = fakeTransport(world.answer ?? (() => notFoundReply('anything')));
  return {
    written,
    stdin: () => ({
      async *[Symbol.asyncIterator]() {
        yield world.stdin ?? '';
      },
    }),
    stdout: output('stdout'),
    stderr: output('stderr'),
    env: world.env ?? { KUBECONFIG: import.meta.filename },
    cwd: world.cwd ?? import.meta.dirname,
    uid: 1000,
    signal: new AbortController().signal,
    takeSignals: () => ({ [Symbol.dispose]() {} }),
    connect: async () => ({
      transport,
      namespace: 'default',
      credentials: { server: 'https://127.0.0.1:6443' },
      async [Symbol.asyncDispose]() {},
    }),
  };
}

/** Runs one command line of one command. */
export async function runLine(command: Command, argv: readonly string[], world: TestWorld = {}): Promise<Outcome> {
  const io = testIo(world);
  const entry = { group: 'Test', name: command.name, load: async () => ({ command }) };
  const code = await runProgram([entry], [command.name, ...argv], io);
  return { code, ...io.written };
}

/** Aggregated discovery of the types that tests use. */
export const discovery: Answer = ({ path }) => {
  if (path === '/api') return group('', 'v1', coreResources);
  if (path === '/apis') return { kind: 'APIGroupDiscoveryList', items: [appsGroup, discoveryGroup] };
  return undefined;
};

function resource(plural: string, kind: string, shortNames: readonly string[] = [], more: object = {}) {
  return {
    resource: plural,
    responseKind: { kind },
    scope: 'Namespaced',
    singularResource: kind.toLowerCase(),
    verbs: ['get', 'list', 'watch'],
    shortNames,
    ...more,
  };
}

function group(name: string, version: string, resources: readonly object[]) {
  return { kind: 'APIGroupDiscoveryList', items: [{ metadata: { name }, versions: [{ version, resources }] }] };
}

const all = { categories: ['all'] };
const coreResources = [
  resource('pods', 'Pod', ['po'], all),
  resource('services', 'Service', ['svc'], all),
  resource('events', 'Event', ['ev']),
  resource('nodes', 'Node', ['no'], { scope: 'Cluster' }),
];
const appsGroup = {
  metadata: { name: 'apps' },
  versions: [
    {
      version: 'v1',
      resources: [
        resource('deployments', 'Deployment', ['deploy'], { ...all, subresources: [{ subresource: 'scale' }] }),
        resource('replicasets', 'ReplicaSet', ['rs'], all),
      ],
    },
  ],
};
const discoveryGroup = {
  metadata: { name: 'discovery.k8s.io' },
  versions: [{ version: 'v1', resources: [resource('endpointslices', 'EndpointSlice')] }],
};
