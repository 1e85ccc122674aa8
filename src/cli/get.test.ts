import assert from 'node:assert/strict';
import { test } from 'node:test';
import { command } from './get.ts';
import { discovery, notFoundReply, runLine } from './testing/test-io.ts';
import type { Answer } from './testing/test-io.ts';

const columns = [
  { name: 'Name', priority: 0 },
  { name: 'Ready', priority: 0 },
  { name: 'IP', priority: 1 },
];

function pod(name: string, namespace = 'default', more: object = {}) {
  return { metadata: { name, namespace, resourceVersion: '7', ...more } };
}

const row = (name: string, ready: string, namespace?: string) => ({
  cells: [name, ready, '10.0.0.1'],
  object: pod(name, namespace, { labels: { app: name } }),
});

const table = (rows: readonly object[]) => ({
  kind: 'Table',
  columnDefinitions: columns,
  rows,
  metadata: { resourceVersion: '9' },
});

const answer: Answer = (request) => {
  const found = discovery(request);
  if (found !== undefined) return found;
  const url = new URL(request.path, 'http://server');
  const asTable = request.headers?.['accept']?.includes('as=Table') ?? false;
  if (url.searchParams.get('watch') !== null) return watchStream(asTable);
  switch (url.pathname) {
    case '/api/v1/namespaces/default/pods': {
      if (url.searchParams.get('labelSelector') === 'app=none') return table([]);
      const rows = [row('b', '1/1'), row('a', '0/1')];
      return asTable ? table(rows) : { metadata: { resourceVersion: '9' }, items: rows.map(({ object }) => object) };
    }
    case '/api/v1/pods':
      return table([row('a', '1/1'), row('b', '1/1', 'shop')]);
    case '/api/v1/namespaces/default/pods/a':
      return asTable
        ? table([row('a', '0/1')])
        : { apiVersion: 'v1', kind: 'Pod', ...pod('a', 'default', { managedFields: [{}] }) };
    case '/api/v1/namespaces/default/services':
      return table([row('s', '-')]);
    default:
      return notFoundReply(`pods "${url.pathname.split('/').at(-1)}"`);
  }
};

function watchStream(asTable: boolean): readonly string[] {
  const object = asTable ? table([row('a', '1/1')]) : { apiVersion: 'v1', kind: 'Pod', ...pod('a') };
  const line = `${JSON.stringify({ type: 'MODIFIED', object })}\n`;
  const bookmark = `${JSON.stringify({ type: 'BOOKMARK', object: {} })}\n`;
  return [line.slice(0, 20), line.slice(20) + bookmark];
}

const get = (line: string) => runLine(command, line.split(' '), { answer });

const outputs: readonly [string, string][] = [
  ['pods', 'NAME   READY\nb      1/1\na      0/1\n'],
  ['po -o wide', 'NAME   READY   IP\nb      1/1     10.0.0.1\na      0/1     10.0.0.1\n'],
  ['pods --no-headers', 'b     1/1\na     0/1\n'],
  ['pods --sort-by .metadata.name', 'NAME   READY\na      0/1\nb      1/1\n'],
  ['pods --show-labels', 'NAME   READY   LABELS\nb      1/1     app=b\na      0/1     app=a\n'],
  ['pods -A', 'NAMESPACE   NAME   READY\ndefault     a      1/1\nshop        b      1/1\n'],
  ['pods a', 'NAME   READY\na      0/1\n'],
  ['pods,svc', 'NAME    READY\npod/b   1/1\npod/a   0/1\n\nNAME        READY\nservice/s   -\n'],
  ['pods -o name', 'pod/b\npod/a\n'],
  ['pod/a -o name', 'pod/a\n'],
  ['pods -w', 'NAME   READY\nb      1/1\na      0/1\na      1/1\n'],
  ['pods -w -o name', 'pod/b\npod/a\npod/a\n'],
  ['pods missing a --ignore-not-found', 'NAME   READY\na      0/1\n'],
];

for (const [line, expected] of outputs) {
  test(`get ${line}`, async () => assert.deepEqual(await get(line), { code: 0, stdout: expected, stderr: '' }));
}

test('one object is printed as itself, without managed fields', async () => {
  const { stdout } = await get('pod a -o json');
  assert.deepEqual(JSON.parse(stdout), { apiVersion: 'v1', kind: 'Pod', ...pod('a') });
  assert.equal(
    (await get('pod a -o yaml')).stdout,
    'apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  namespace: default\n  resourceVersion: "7"\n',
  );
  assert.match((await get('pod a -o json --show-managed-fields')).stdout, /managedFields/);
});

test('several objects are one List whose items say what they are', async () => {
  const list = JSON.parse((await get('pods -o json')).stdout) as { kind: string; items: { kind: string }[] };
  assert.deepEqual([list.kind, list.items.map(({ kind }) => kind)], ['List', ['Pod', 'Pod']]);
});

const failures: readonly [string, number, RegExp][] = [
  ['pods missing', 3, /pods "missing" not found/],
  ['pods a -A', 2, /leave out -A/],
  ['pods a -l x=y', 2, /not both/],
  ['pods,svc -w', 2, /one type/],
  ['', 3, /no resource type/],
  ['pods --sort-by [', 2, /not a field path/],
];

for (const [line, code, message] of failures) {
  test(`get ${line} ends with ${code}`, async () => {
    const outcome = await get(line);
    assert.equal(outcome.code, code);
    assert.match(outcome.stderr, message);
  });
}

test('nothing found is said on stderr and is no failure', async () => {
  const outcome = await get('pods -l app=none');
  assert.deepEqual(outcome, { code: 0, stdout: '', stderr: 'No resources found in namespace default.\n' });
});
