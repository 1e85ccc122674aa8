import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TransportRequest } from '../client/client.ts';
import { command } from './delete.ts';
import { discovery, notFoundReply, runLine } from './testing/test-io.ts';
import type { Answer } from './testing/test-io.ts';

const metadata = { name: 'slow', namespace: 'default', uid: 'u1', deletionTimestamp: '2026-01-01T00:00:00Z' };

/** Deleting the Pod `slow` takes until the watch tells; every other one is gone at once. */
function server(requests: TransportRequest[], gone: () => boolean = () => false): Answer {
  return (request) => {
    const found = discovery(request);
    if (found !== undefined) return found;
    const url = new URL(request.path, 'http://server');
    const name = url.pathname.split('/').at(-1) ?? '';
    if (request.method === 'DELETE') {
      requests.push(request);
      if (name === 'missing') return notFoundReply('pods "missing"');
      return name === 'slow' ? { kind: 'Pod', metadata } : { kind: 'Status', status: 'Success', metadata: {} };
    }
    if (url.searchParams.has('watch')) return [`${JSON.stringify({ type: 'DELETED', object: { metadata } })}\n`];
    const pods = url.searchParams.has('labelSelector') ? ['a', 'b'] : gone() ? [] : ['slow'];
    const items = pods.map((pod) => ({ metadata: { ...metadata, name: pod } }));
    return { metadata: { resourceVersion: '9' }, items };
  };
}

async function remove(line: string) {
  const requests: TransportRequest[] = [];
  return { ...(await runLine(command, line.split(' '), { answer: server(requests) })), requests };
}

test('named objects are deleted and named', async () => {
  const { code, stdout, requests } = await remove('pod a b');
  assert.deepEqual([code, stdout], [0, 'pod/a deleted\npod/b deleted\n']);
  assert.deepEqual(
    requests.map(({ path }) => path),
    ['a', 'b'].map((name) => `/api/v1/namespaces/default/pods/${name}`),
  );
  assert.equal(JSON.parse(String(requests[0]?.body)).propagationPolicy, 'Background');
});

test('it returns when an object that takes its time is gone', async () => {
  assert.equal((await remove('pod slow')).code, 0);
});

test('objects are found by label', async () => {
  assert.equal((await remove('pods -l app=x')).stdout, 'pod/a deleted\npod/b deleted\n');
});

const bodies: readonly [string, object][] = [
  ['pod a --grace-period 5', { gracePeriodSeconds: 5, propagationPolicy: 'Background' }],
  ['pod a --force', { gracePeriodSeconds: 0, propagationPolicy: 'Background' }],
  ['pod a --cascade orphan', { propagationPolicy: 'Orphan' }],
];

for (const [line, body] of bodies) {
  test(`delete ${line} asks for ${JSON.stringify(body)}`, async () => {
    const { requests } = await remove(line);
    const { kind: _, apiVersion: __, ...sent } = JSON.parse(String(requests[0]?.body)) as Record<string, unknown>;
    assert.deepEqual(sent, body);
  });
}

test('a missing object does not keep the others, and is a failure unless that is wanted', async () => {
  const strict = await remove('pod missing a');
  assert.deepEqual([strict.code, strict.stdout], [3, 'pod/a deleted\n']);
  assert.equal((await remove('pod missing a --ignore-not-found')).code, 0);
});

for (const line of ['pods', 'pod a -l x=y', 'pod a --all', 'pod a -f x.yaml', '']) {
  test(`delete ${line} is refused`, async () => assert.notEqual((await remove(line)).code, 0));
}
