import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TransportRequest } from '../client/client.ts';
import { command } from './apply.ts';
import { discovery, notFoundReply, Reply, runLine } from './testing/test-io.ts';
import type { Answer } from './testing/test-io.ts';

const service = (name: string, namespace = '') =>
  `apiVersion: v1\nkind: Service\nmetadata:\n  name: ${name}\n${namespace && `  namespace: ${namespace}\n`}`;

/** A server with the Services `same` and `changed` at version 5; `owned` has another owner, `by-hand` one that is a tool. */
function server(requests: TransportRequest[] = []): Answer {
  return (request) => {
    const found = discovery(request);
    if (found !== undefined) return found;
    const url = new URL(request.path, 'http://server');
    const name = url.pathname.split('/').at(-1) ?? '';
    if (request.method === 'GET')
      return name === 'new' ? notFoundReply(name) : { metadata: { name, resourceVersion: '5' } };
    requests.push(request);
    if (name === 'by-hand' && url.searchParams.get('force') !== 'true') {
      const causes = ['kubectl-client-side-apply" using v1', 'fairlead-scale" using v1'].map((manager) => ({
        reason: 'FieldManagerConflict',
        message: `conflict with "${manager}`,
        field: '.spec.replicas',
      }));
      return new Reply(409, { kind: 'Status', status: 'Failure', reason: 'Conflict', code: 409, details: { causes } });
    }
    if (name === 'owned') {
      return new Reply(409, {
        kind: 'Status',
        status: 'Failure',
        reason: 'Conflict',
        code: 409,
        message: 'Apply failed',
      });
    }
    const object = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, resourceVersion: name === 'same' ? '5' : '6' },
    };
    return name === 'changed' ? new Reply(200, object, { warning: '299 - "old \\"field\\""' }) : object;
  };
}

const apply = (argv: readonly string[], stdin: string, requests?: TransportRequest[]) =>
  runLine(command, ['-f', '-', ...argv], { answer: server(requests), stdin });

for (const [name, done] of [
  ['new', 'created'],
  ['same', 'unchanged'],
  ['changed', 'configured'],
] as const) {
  test(`a Service that is ${name} is ${done}`, async () => {
    const { code, stdout } = await apply([], service(name));
    assert.deepEqual([code, stdout], [0, `service/${name} ${done}\n`]);
  });
}

test('it is a strict server-side apply by fairlead, with the object as it stands', async () => {
  const requests: TransportRequest[] = [];
  await apply(['-n', 'shop'], service('new'), requests);
  const [request] = requests;
  assert.equal(request?.method, 'PATCH');
  assert.equal(request?.path, '/api/v1/namespaces/shop/services/new?fieldManager=fairlead&fieldValidation=Strict');
  assert.equal(request?.headers?.['content-type'], 'application/apply-patch+yaml');
  assert.deepEqual(JSON.parse(String(request?.body)), { apiVersion: 'v1', kind: 'Service', metadata: { name: 'new' } });
});

test('a dry run is said so', async () => {
  const requests: TransportRequest[] = [];
  assert.equal((await apply(['--dry-run'], service('new'), requests)).stdout, 'service/new created (dry run)\n');
  assert.match(requests[0]?.path ?? '', /dryRun=All/);
});

test('a conflict names the line and the flag, and the other objects are still applied', async () => {
  const { code, stdout, stderr } = await apply([], `${service('owned')}---\n${service('new')}`);
  assert.equal(code, 5);
  assert.equal(stdout, 'service/new created\n');
  assert.equal(stderr, 'error: stdin:1: Apply failed\n  to take these fields over: --force-conflicts\n');
});

test('warnings of the server are passed on', async () => {
  assert.equal((await apply([], service('changed'))).stderr, 'warning: old "field"\n');
});

const faults: readonly [string, readonly string[], RegExp][] = [
  ['apiVersion: v1\nkind: Srvice\nmetadata: {name: a}', [], /stdin:1: the server has no kind Srvice in v1/],
  ['apiVersion: v2\nkind: Service\nmetadata: {name: a}', [], /Service is served as apiVersion: v1/],
  ['apiVersion: v1\nkind: Service', [], /stdin:1: metadata\.name is missing/],
  [service('a', 'shop'), ['-n', 'other'], /the object is for namespace "shop", the command for "other"/],
];

for (const [text, argv, message] of faults) {
  test(`${JSON.stringify(text)} is refused`, async () => {
    const { code, stderr } = await apply(argv, text);
    assert.notEqual(code, 0);
    assert.match(stderr, message);
  });
}

test('what was set by hand with kubectl or scale is taken over, as kubectl apply does', async () => {
  const { stdout, stderr } = await apply([], service('by-hand'));
  assert.equal(stderr, '');
  assert.equal(stdout, 'service/by-hand configured\n');
});
