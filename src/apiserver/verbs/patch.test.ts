import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Fixture } from '../testing/fixture.ts';
import { startFixture } from '../testing/fixture.ts';

const configMaps = '/api/v1/namespaces/default/configmaps';
const services = '/api/v1/namespaces/default/services';

function patch(fixture: Fixture, path: string, type: string, body: unknown) {
  return fixture.call('PATCH', path, { body, headers: { 'content-type': `application/${type}` } });
}

const patches: readonly { type: string; body: unknown; data: Record<string, string> }[] = [
  { type: 'merge-patch+json', body: { data: { x: null, y: '2' } }, data: { y: '2' } },
  { type: 'strategic-merge-patch+json', body: { data: { y: '2' } }, data: { x: '1', y: '2' } },
  { type: 'json-patch+json', body: [{ op: 'replace', path: '/data/x', value: '9' }], data: { x: '9' } },
];

for (const { type, body, data } of patches) {
  test(`a ${type} changes the object`, async () => {
    await using fixture = await startFixture();
    await fixture.create(configMaps, { metadata: { name: 'a' }, data: { x: '1' } });
    const answer = await patch(fixture, `${configMaps}/a`, type, body);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    assert.deepEqual(answer.body.data, data);
  });
}

test('a strategic merge knows the key of a list', async () => {
  await using fixture = await startFixture();
  const ports = [
    { name: 'a', port: 80 },
    { name: 'b', port: 81 },
  ];
  await fixture.create(services, { metadata: { name: 'web' }, spec: { selector: { app: 'web' }, ports } });
  const answer = await patch(fixture, `${services}/web`, 'strategic-merge-patch+json', {
    spec: { ports: [{ port: 81, targetPort: 8081 }] },
  });
  const targets = answer.body.spec.ports.map((each: { port: number; targetPort: unknown }) => [
    each.port,
    each.targetPort,
  ]);
  assert.deepEqual(targets.toSorted(), [
    [80, 80],
    [81, 8081],
  ]);
});

test('other media types are refused with the list of what is known', async () => {
  await using fixture = await startFixture();
  await fixture.create(configMaps, { metadata: { name: 'a' } });
  const answer = await patch(fixture, `${configMaps}/a`, 'json', {});
  assert.equal(answer.status, 415);
  assert.match(answer.body.message, /application\/strategic-merge-patch\+json/);
  const headers = { 'content-type': 'constructor' };
  assert.equal((await fixture.call('PATCH', `${configMaps}/a`, { body: {}, headers })).status, 415);
});

test('patches of many clients at once are all applied', async () => {
  await using fixture = await startFixture();
  await fixture.create(configMaps, { metadata: { name: 'a' } });
  const calls = Array.from({ length: 12 }, (_, at) =>
    patch(fixture, `${configMaps}/a`, 'merge-patch+json', { data: { [`k${at}`]: 'v' } }),
  );
  for (const answer of await Promise.all(calls)) assert.equal(answer.status, 200);
  const found = await fixture.call('GET', `${configMaps}/a`);
  assert.equal(Object.keys(found.body.data).length, 12);
});

test('a patch that names a version is held to it', async () => {
  await using fixture = await startFixture();
  const made = await fixture.create(configMaps, { metadata: { name: 'a' } });
  await patch(fixture, `${configMaps}/a`, 'merge-patch+json', { data: { x: '1' } });
  const { resourceVersion } = made.metadata;
  const stale = await patch(fixture, `${configMaps}/a`, 'merge-patch+json', {
    metadata: { resourceVersion },
    data: { x: '2' },
  });
  assert.equal(stale.status, 409);
});

test('server-side apply creates, takes fields away, and tells of conflicts', async () => {
  await using fixture = await startFixture();
  const apply = (manager: string, data: Record<string, string>, force = false) =>
    patch(fixture, `${configMaps}/a?fieldManager=${manager}&force=${force}`, 'apply-patch+yaml', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'a' },
      data,
    });
  assert.equal((await apply('me', { x: '1', y: '1' })).status, 201);
  const less = await apply('me', { x: '1' });
  assert.equal(less.status, 200);
  assert.deepEqual(less.body.data, { x: '1' });
  const again = await apply('me', { x: '1' });
  assert.equal(again.body.metadata.resourceVersion, less.body.metadata.resourceVersion);
  const other = await apply('you', { x: '2' });
  assert.equal(other.status, 409);
  assert.equal(other.body.message, 'Apply failed with 1 conflict: conflict with "me": .data.x');
  assert.equal(other.body.details.causes[0].reason, 'FieldManagerConflict');
  const forced = await apply('you', { x: '2' }, true);
  assert.deepEqual(forced.body.data, { x: '2' });
});

test('server-side apply wants a manager and a fitting name', async () => {
  await using fixture = await startFixture();
  const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'b' } };
  assert.equal((await patch(fixture, `${configMaps}/a`, 'apply-patch+yaml', body)).status, 400);
  assert.equal((await patch(fixture, `${configMaps}/a?fieldManager=me`, 'apply-patch+yaml', body)).status, 400);
});

test('a directive that is no text is refused with what it is', async () => {
  await using fixture = await startFixture();
  await fixture.create(configMaps, { metadata: { name: 'a' } });
  const body = { data: { $patch: { toString: null } } };
  const answer = await patch(fixture, `${configMaps}/a`, 'strategic-merge-patch+json', body);
  assert.equal(answer.status, 400);
  assert.match(answer.body.message, /unknown patch type found: \{"toString":null\}/);
});
