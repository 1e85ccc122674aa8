import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startFixture } from '../testing/fixture.ts';

const core = '/api/v1/namespaces/default/events';
const group = '/apis/events.k8s.io/v1/namespaces/default/events';

const event = {
  metadata: { name: 'e' },
  eventTime: '2026-01-01T00:00:00.000000Z',
  reportingController: 'fairlead.dev/test',
  reportingInstance: 'one',
  action: 'Tried',
  reason: 'Trying',
  type: 'Normal',
  note: 'it was tried',
  regarding: { kind: 'Pod', namespace: 'default', name: 'web' },
};

test('an event is the same object in both groups', async () => {
  await using fixture = await startFixture();
  const made = await fixture.create(group, event);
  assert.equal(made.apiVersion, 'events.k8s.io/v1');
  assert.equal(made.regarding.name, 'web');
  const old = await fixture.call('GET', `${core}/e`);
  assert.equal(old.body.apiVersion, 'v1');
  assert.equal(old.body.involvedObject.name, 'web');
  assert.equal(old.body.message, 'it was tried');
  assert.equal(old.body.metadata.uid, made.metadata.uid);
});

test('each group selects by its own field names and watches in its own form', async () => {
  await using fixture = await startFixture();
  const from = fixture.store.revision;
  await fixture.create(group, event);
  assert.equal((await fixture.call('GET', `${core}?fieldSelector=involvedObject.name=web`)).body.items.length, 1);
  assert.equal((await fixture.call('GET', `${group}?fieldSelector=regarding.name=web`)).body.items.length, 1);
  assert.equal((await fixture.call('GET', `${group}?fieldSelector=involvedObject.name=web`)).status, 400);
  const coreReader = fixture.watch(`${core}?watch=true&resourceVersion=${from}`);
  const groupReader = fixture.watch(`${group}?watch=true&resourceVersion=${from}`);
  assert.equal((await coreReader.next())?.object.apiVersion, 'v1');
  assert.equal((await groupReader.next())?.object.apiVersion, 'events.k8s.io/v1');
  coreReader.close();
  groupReader.close();
});

test('a patch in the newer form counts the series', async () => {
  await using fixture = await startFixture();
  await fixture.create(group, event);
  const headers = { 'content-type': 'application/merge-patch+json' };
  const series = { count: 2, lastObservedTime: '2026-01-01T00:00:05.000000Z' };
  const answer = await fixture.call('PATCH', `${group}/e`, { body: { series }, headers });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  assert.equal(answer.body.series.count, 2);
  assert.equal((await fixture.call('GET', `${core}/e`)).body.series.count, 2);
});
