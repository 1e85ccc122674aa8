import assert from 'node:assert/strict';
import { validateHeaderName, validateHeaderValue } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { servedKinds } from '../../../src/api/registry.ts';
import type { Kind } from '../../../src/api/schema.ts';
import type { InProcessRequest, InProcessResponse } from '../../../src/apiserver/http/in-process.ts';
import { startFixture } from '../../../src/apiserver/testing/fixture.ts';
import type { Fixture } from '../../../src/apiserver/testing/fixture.ts';
import { isJsonObject } from '../../../src/lib/json.ts';
import { mutateJson, mutateJsonText, randomObject } from '../json-values.ts';
import type { Random } from '../random.ts';
import { textTarget } from '../target.ts';
import type { Target } from '../target.ts';
import { mutateText } from '../text-mutations.ts';

const queries = [
  'watch=true',
  'watch=1&resourceVersion=0&allowWatchBookmarks=true',
  'watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&timeoutSeconds=1',
  'labelSelector=a%20in%20(b,c),!d',
  'fieldSelector=metadata.name%3Da',
  'fieldSelector=spec.clusterIP!%3DNone',
  'limit=1',
  'limit=1&continue=eyJ2IjoxfQ',
  'resourceVersion=1&resourceVersionMatch=Exact',
  'resourceVersion=99999999999999999',
  'fieldManager=f&force=true',
  'fieldManager=f&dryRun=All',
  'fieldValidation=Strict',
  'fieldValidation=Warn',
  'gracePeriodSeconds=999999999999999',
  'propagationPolicy=Orphan',
  'includeObject=Object',
  'timeout=1s',
  'pretty=true',
];
const accepts = [
  'application/json',
  'application/json;as=Table;v=v1;g=meta.k8s.io, application/json;q=0.5',
  'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1',
  'application/vnd.kubernetes.protobuf,application/json;q=x',
  'application/json;as=APIGroupDiscoveryList;v=v2;g=apidiscovery.k8s.io',
  '*/*;q=',
  'text/html',
];
const types = [
  'application/json',
  'application/json',
  'application/yaml',
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
  'application/vnd.kubernetes.protobuf',
  'constructor',
  '__proto__',
];
const paths = [
  '/',
  '/api',
  '/apis',
  '/healthz',
  '/readyz?verbose',
  '/version',
  '/openapi/v2',
  '/metrics',
  '/apis/apps/v1',
  '/%',
  '/api/v1/%2f',
];
const words = [
  ...queries,
  ...accepts,
  ...types,
  'accept: ',
  'content-type: ',
  '%00',
  '%zz',
  '%F0%9F',
  '&',
  '?',
  '/status',
  '/scale',
  '/namespaces/',
  'constructor',
  '__proto__',
];
const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/** Whole requests, `METHOD PATH`, headers, an empty line and a body, to a server with a store. */
export const apiRequests: Target = textTarget({
  name: 'api-requests',
  generate: randomRequest,
  mutate(random, text, other) {
    const [head = '', body = ''] = split(text);
    const changed = random.oneIn(2) ? mutateJsonText(random, body, split(other)[1] ?? '') : undefined;
    return changed === undefined ? mutateText(random, text, other, words) : `${head}\n\n${changed}`;
  },
  async check(text) {
    const server = await current();
    const request = requestOf(text);
    const leave = new AbortController();
    const response = await server.core.inProcess(admin).request({ ...request, signal: leave.signal });
    for (const [name, value] of Object.entries(response.headers)) {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    }
    const body = await bodyOf(response, leave);
    checkAnswer(response, body, request);
    const { status, headers } = response;
    return `${request.method} ${status} ${(headers['content-type'] ?? '').slice(0, 24)}${'warning' in headers ? ', warned' : ''}`;
  },
});

const admin = { name: 'fuzz', groups: ['system:masters'], userAgent: 'fuzz/1.0' };
/** After this many requests a server starts again: what was created must not add up. */
const mostRequests = 2000;
const running: { server?: Promise<Fixture>; requests: number } = { requests: 0 };

async function current(): Promise<Fixture> {
  if (running.requests >= mostRequests) {
    await (await running.server)?.[Symbol.asyncDispose]();
    running.server = undefined;
    running.requests = 0;
  }
  running.requests += 1;
  running.server ??= startFixture({ now: () => 1_800_000_000_000 });
  return running.server;
}

function split(text: string): readonly [head: string, body: string] {
  const at = text.indexOf('\n\n');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 2)];
}

function requestOf(text: string): InProcessRequest {
  const [head, body] = split(text);
  const [line = '', ...fields] = head.split('\n');
  const [method, path = '/'] = line.split(' ');
  const headers = fields.map((each) => [each.split(':')[0] ?? '', each.slice(each.indexOf(':') + 1).trim()]);
  return {
    method: methods.find((each) => each === method) ?? 'GET',
    // A server waits some seconds for versions that are yet to come.
    path: path.replace(/(resourceVersion=)\d{2,15}(?!\d)/, (_, name: string) => `${name}8`),
    headers: Object.fromEntries(headers),
    body,
  };
}

function randomRequest(random: Random): string {
  const kind = random.pick(servedKinds);
  const method = random.pick(methods);
  const object = {
    kind: kind.kind,
    apiVersion: kind.apiVersion,
    ...randomObject(random, kind.message),
    metadata: { name: random.pick(['a', 'b', 'c']), labels: { a: 'b' } },
  };
  const body = method === 'GET' ? '' : JSON.stringify(random.oneIn(4) ? mutateJson(random, object, object) : object);
  const query = random.oneIn(2) ? `?${random.many(1, 2, () => random.pick(queries)).join('&')}` : '';
  const path = random.oneIn(16) ? random.pick(paths) : pathOf(random, kind, method);
  return `${method} ${path}${query}\naccept: ${random.pick(accepts)}\ncontent-type: ${random.pick(types)}\n\n${body}`;
}

function pathOf(random: Random, kind: Kind, method: string): string {
  const root = kind.group === '' ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`;
  const namespace = kind.namespaced && !random.oneIn(16) ? '/namespaces/default' : '';
  const isOne = method === 'POST' ? random.oneIn(8) : !random.oneIn(method === 'GET' ? 2 : 8);
  const part = random.oneIn(8)
    ? `/${random.pick(['status', 'scale', 'finalize', 'binding', 'eviction', 'token', 'log'])}`
    : '';
  return `${root}${namespace}/${kind.plural}${isOne ? `/${random.pick(['a', 'b', 'c'])}${part}` : ''}`;
}

/** All of a body; of a stream what comes at once. */
async function bodyOf(response: InProcessResponse, leave: AbortController): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  const read = async (): Promise<void> => {
    for await (const chunk of response.body) chunks.push(chunk);
  };
  const reading = read().catch((error: unknown) => {
    if (!leave.signal.aborted) throw error;
  });
  await Promise.race([reading, setImmediate()]);
  leave.abort();
  await reading;
  return Buffer.concat(chunks);
}

/** A refusal is the client's fault and says so; what is called JSON is JSON. */
function checkAnswer({ status, headers }: InProcessResponse, body: Buffer, { path }: InProcessRequest): void {
  const text = body.toString('utf8');
  assert.ok(
    status < 500 || text.includes('Too large resource version') || /\/log\b|\/readyz|\/livez|\/healthz/.test(path),
    `${status}: ${text}`,
  );
  if (!(headers['content-type'] ?? '').startsWith('application/json') || text === '') return;
  const documents = text.split('\n').filter((line) => line !== '');
  const last: unknown = documents.map((line) => JSON.parse(line) as unknown).at(-1);
  if (status >= 400) assert.ok(isJsonObject(last) && last['kind'] === 'Status' && last['code'] === status, text);
}
