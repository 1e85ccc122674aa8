import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Fixture, WatchLine } from '../testing/fixture.ts';
import { startFixture } from '../testing/fixture.ts';

const configMaps = '/api/v1/namespaces/default/configmaps';

function brief(line: WatchLine | undefined): string {
  return `${line?.type} ${line?.object.metadata?.name ?? ''}`;
}

async function label(fixture: Fixture, name: string, labels: Record<string, string | null>): Promise<void> {
  const headers = { 'content-type': 'application/merge-patch+json' };
  await fixture.call('PATCH', `${configMaps}/${name}`, { body: { metadata: { labels } }, headers });
}

test('a watch from a version sees what came after it, in order', async () => {
  await using fixture = await startFixture();
  await fixture.create(configMaps, { metadata: { name: 'old' } });
  const from = fixture.store.revision;
  await fixture.create(configMaps, { metadata: { name: 'a' } });
  const reader = fixture.watch(`${configMaps}?watch=true&resourceVersion=${from}`);
  await fixture.create(configMaps, { metadata: { name: 'b' } });
  await label(fixture, 'a', { x: 'y' });
  await fixture.call('DELETE', `${configMaps}/b`);
  const lines = await reader.take(4);
  assert.deepEqual(lines.map(brief), ['ADDED a', 'ADDED b', 'MODIFIED a', 'DELETED b']);
  const versions = lines.map((line) => Number(line.object.metadata.resourceVersion));
  assert.deepEqual(
    versions,
    versions.toSorted((x, y) => x - y),
  );
  assert.equal(versions.at(-1), fixture.store.revision);
  reader.close();
});

test('a watch without a version begins with the state', async () => {
  await using fixture = await startFixture();
  await fixture.create(configMaps, { metadata: { name: 'a' } });
  const reader = fixture.watch(`${configMaps}?watch=1`);
  assert.equal(brief(await reader.next()), 'ADDED a');
  reader.close();
});

test('a streaming list marks where the state ends', async () => {
  await using fixture = await startFixture();
  await fixture.create(configMaps, { metadata: { name: 'a' } });
  await fixture.create(configMaps, { metadata: { name: 'b' } });
  const query = 'watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
  const reader = fixture.watch(`${configMaps}?${query}`);
  const lines = await reader.take(3);
  assert.deepEqual(
    lines.map((line) => line.type),
    ['ADDED', 'ADDED', 'BOOKMARK'],
  );
  const mark = lines[2]?.object;
  assert.equal(mark.kind, 'ConfigMap');
  assert.equal(mark.metadata.annotations['k8s.io/initial-events-end'], 'true');
  assert.equal(mark.metadata.resourceVersion, `${fixture.store.revision}`);
  await fixture.create(configMaps, { metadata: { name: 'c' } });
  assert.equal(brief(await reader.next()), 'ADDED c');
  reader.close();
});

test('an object that enters or leaves the selection is added or deleted', async () => {
  await using fixture = await startFixture();
  const reader = fixture.watch(
    `${configMaps}?watch=true&labelSelector=on=yes&resourceVersion=${fixture.store.revision}`,
  );
  await fixture.create(configMaps, { metadata: { name: 'a' } });
  await label(fixture, 'a', { on: 'yes' });
  await label(fixture, 'a', { more: 'x' });
  await label(fixture, 'a', { on: null });
  const lines = await reader.take(3);
  assert.deepEqual(lines.map(brief), ['ADDED a', 'MODIFIED a', 'DELETED a']);
  assert.equal(lines[2]?.object.metadata.labels.on, 'yes');
  assert.equal(lines[2]?.object.metadata.resourceVersion, `${fixture.store.revision}`);
  reader.close();
});

test('history that memory has forgotten comes out of the store', async () => {
  await using fixture = await startFixture();
  const from = fixture.store.revision;
  for (let at = 0; at < 2100; at += 1)
    await fixture.create('/api/v1/namespaces/default/configmaps', { metadata: { name: `c${at}` } });
  const reader = fixture.watch(`${configMaps}?watch=true&resourceVersion=${from}`);
  const lines = await reader.take(2100);
  assert.equal(lines[0]?.object.metadata.name, 'c0');
  assert.equal(lines.at(-1)?.object.metadata.name, 'c2099');
  await fixture.create(configMaps, { metadata: { name: 'last' } });
  assert.equal(brief(await reader.next()), 'ADDED last');
  reader.close();
});

test('a version that is no longer kept is an ERROR event', async () => {
  await using fixture = await startFixture();
  for (let at = 0; at < 2100; at += 1)
    await fixture.create('/api/v1/namespaces/default/configmaps', { metadata: { name: `c${at}` } });
  await fixture.store.compact(fixture.store.revision - 1);
  const reader = fixture.watch(`${configMaps}?watch=true&resourceVersion=2`);
  const line = await reader.next();
  assert.equal(line?.type, 'ERROR');
  assert.equal(line?.object.code, 410);
  assert.equal(line?.object.reason, 'Expired');
  assert.match(line?.object.message, /^too old resource version: 2 \(\d+\)$/);
  assert.equal(await reader.next(), undefined);
});

test('a watch ends when its time is up, with a bookmark', async () => {
  await using fixture = await startFixture();
  const reader = fixture.watch(`${configMaps}?watch=true&timeoutSeconds=1&allowWatchBookmarks=true`);
  const line = await reader.next();
  assert.equal(line?.type, 'BOOKMARK');
  assert.equal(line?.object.metadata.resourceVersion, `${fixture.store.revision}`);
  assert.equal(await reader.next(), undefined);
});

test('a watch ends when the server stops', async () => {
  const fixture = await startFixture();
  const reader = fixture.watch(`${configMaps}?watch=true`);
  await fixture.create(configMaps, { metadata: { name: 'a' } });
  assert.equal(brief(await reader.next()), 'ADDED a');
  await fixture[Symbol.asyncDispose]();
  assert.equal(await reader.next(), undefined);
});

const refusals: readonly { query: string; message: RegExp }[] = [
  {
    query: 'sendInitialEvents=true',
    message: /sendInitialEvents requires setting resourceVersionMatch to NotOlderThan/,
  },
  {
    query: 'resourceVersionMatch=NotOlderThan&resourceVersion=1',
    message: /forbidden for watch unless sendInitialEvents is provided/,
  },
];

for (const { query, message } of refusals) {
  test(`watch refuses ${query}`, async () => {
    await using fixture = await startFixture();
    const answer = await fixture.call('GET', `${configMaps}?watch=true&${query}`);
    assert.equal(answer.status, 422);
    assert.match(answer.body.message, message);
  });
}

test('only the first row of a watched table brings the columns', async () => {
  await using fixture = await startFixture();
  const headers = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };
  const abort = new AbortController();
  const transport = fixture.core.inProcess({ name: 'admin', groups: ['system:masters'], userAgent: 'test' });
  const response = await transport.request({
    method: 'GET',
    path: `${configMaps}?watch=true`,
    headers,
    signal: abort.signal,
  });
  const chunks = response.body[Symbol.asyncIterator]();
  const first = chunks.next();
  await fixture.create(configMaps, { metadata: { name: 'a' } });
  const one = JSON.parse(Buffer.from((await first).value).toString());
  const second = chunks.next();
  await fixture.create(configMaps, { metadata: { name: 'b' } });
  const two = JSON.parse(Buffer.from((await second).value).toString());
  assert.equal(one.object.columnDefinitions.length, 3);
  assert.equal(two.object.columnDefinitions, null);
  assert.equal(two.object.rows[0].cells[0], 'b');
  abort.abort();
});
