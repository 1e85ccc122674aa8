/**
 * A server in the shape of the Kubernetes API, for one client: Services and EndpointSlices of `argv[2]` Services with
 * `argv[3]` endpoints each, by streaming list and watch; every other collection is empty and what is posted is accepted.
 * Of every `argv[4]` Services the last has no cluster address (0: all have one).
 * The parent process changes slices over IPC. All of it is encoded before the port is told, so that what is measured on
 * the other side is the other side.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ownNode, podAddresses, serviceObject, sliceObject } from './objects.ts';

/** What the parent asks for: other addresses behind a Service. */
export interface SliceOrder {
  readonly number: number;
  readonly addresses: readonly string[];
}

const [services = 0, endpoints = 0, headlessEvery = 0] = process.argv.slice(2).map(Number);
const paths = {
  services: '/api/v1/services',
  slices: '/apis/discovery.k8s.io/v1/endpointslices',
  nodes: '/api/v1/nodes',
};
let revision = 1_000;

const collections = new Map<string, Map<number, Buffer>>([
  [paths.services, encodeAll((number) => serviceOf(number))],
  [paths.slices, encodeAll((number) => sliceObject({ number, addresses: podAddresses(number, endpoints), revision }))],
  [paths.nodes, new Map([[0, line('ADDED', nodeObject())]])],
]);
const watchers = new Map<string, Set<ServerResponse>>();

function encodeAll(objectOf: (number: number) => unknown): Map<number, Buffer> {
  return new Map(Array.from({ length: services }, (_, number) => [number, line('ADDED', objectOf(number))]));
}

function serviceOf(number: number): unknown {
  const service = serviceObject(number, revision) as { readonly spec: object };
  const isHeadless = headlessEvery > 0 && number % headlessEvery === headlessEvery - 1;
  return isHeadless ? { ...service, spec: { ...service.spec, clusterIP: 'None', clusterIPs: ['None'] } } : service;
}

function line(type: string, object: unknown): Buffer {
  return Buffer.from(`${JSON.stringify({ type, object })}\n`);
}

function nodeObject(): unknown {
  return {
    kind: 'Node',
    apiVersion: 'v1',
    metadata: {
      name: ownNode,
      uid: 'node',
      resourceVersion: '1',
      labels: { 'kubernetes.io/hostname': ownNode, 'topology.kubernetes.io/zone': 'zone-0' },
    },
    spec: { podCIDR: '10.128.0.0/24' },
    status: { addresses: [{ type: 'InternalIP', address: '192.0.2.1' }] },
  };
}

async function watch(path: string, query: URLSearchParams, response: ServerResponse): Promise<void> {
  const isAll = query.get('sendInitialEvents') === 'true';
  if (!isAll && query.get('resourceVersion') !== String(revision)) {
    const status = {
      kind: 'Status',
      apiVersion: 'v1',
      status: 'Failure',
      reason: 'Expired',
      code: 410,
      message: 'gone',
    };
    response.writeHead(410, { 'content-type': 'application/json' }).end(JSON.stringify(status));
    return;
  }
  response.writeHead(200, { 'content-type': 'application/json' });
  response.flushHeaders();
  const listening = watchers.get(path) ?? new Set();
  watchers.set(path, listening);
  if (isAll) await sendAll(path, response);
  listening.add(response);
  response.once('close', () => listening.delete(response));
}

async function sendAll(path: string, response: ServerResponse): Promise<void> {
  const lines = [...(collections.get(path)?.values() ?? [])];
  for (let at = 0; at < lines.length; at += 64) {
    const isRoom = response.write(Buffer.concat(lines.slice(at, at + 64)));
    if (!isRoom) await new Promise((resolve) => response.once('drain', resolve));
  }
  const annotations = { 'k8s.io/initial-events-end': 'true' };
  response.write(line('BOOKMARK', { metadata: { resourceVersion: String(revision), annotations } }));
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  if (request.method === 'GET' && searchParams.get('watch') === 'true') return watch(pathname, searchParams, response);
  response.setHeader('content-type', 'application/json');
  if (request.method !== 'GET') {
    request.pipe(response);
    return;
  }
  response.end(JSON.stringify({ kind: 'List', metadata: { resourceVersion: String(revision) }, items: [] }));
}

function change({ number, addresses }: SliceOrder): void {
  revision += 1;
  const object = sliceObject({ number, addresses, revision, triggeredAt: new Date().toISOString() });
  collections.get(paths.slices)?.set(number, line('ADDED', object));
  for (const watcher of watchers.get(paths.slices) ?? []) watcher.write(line('MODIFIED', object));
}

const server = createServer((request, response) => void answer(request, response));
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
/** What was seen so far is too old for everyone: all must list again. */
function forget(): void {
  revision += 1;
  for (const response of watchers.values().flatMap((all) => [...all])) response.destroy();
}

process.on('message', (order: SliceOrder | 'forget') => (order === 'forget' ? forget() : change(order)));
process.on('disconnect', () => process.exit());
