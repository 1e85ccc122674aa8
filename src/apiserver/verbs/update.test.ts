import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Fixture, Json } from '../testing/fixture.ts';
import { startFixture } from '../testing/fixture.ts';

const configMaps = '/api/v1/namespaces/default/configmaps';
const deployments = '/apis/apps/v1/namespaces/default/deployments';

const deployment = {
  metadata: { name: 'web' },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
  },
};

async function put(fixture: Fixture, path: string, body: Json) {
  return fixture.call('PUT', path, { body });
}

test('an update with the version it read goes through once', async () => {
  await using fixture = await startFixture();
  const made = await fixture.create(configMaps, { metadata: { name: 'a' }, data: { x: '1' } });
  const first = await put(fixture, `${configMaps}/a`, { ...made, data: { x: '2' } });
  assert.equal(first.status, 200);
  assert.notEqual(first.body.metadata.resourceVersion, made.metadata.resourceVersion);
  const second = await put(fixture, `${configMaps}/a`, { ...made, data: { x: '3' } });
  assert.equal(second.status, 409);
  assert.match(second.body.message, /^Operation cannot be fulfilled on configmaps "a": the object has been modified/);
});

test('an update without a version is unconditional', async () => {
  await using fixture = await startFixture();
  await fixture.create(configMaps, { metadata: { name: 'a' } });
  const answer = await put(fixture, `${configMaps}/a`, { metadata: { name: 'a' }, data: { x: '3' } });
  assert.equal(answer.status, 200);
});

test('an update that changes nothing keeps the version', async () => {
  await using fixture = await startFixture();
  const made = await fixture.create(configMaps, { metadata: { name: 'a' }, data: { x: '1' } });
  const answer = await put(fixture, `${configMaps}/a`, { data: made.data, metadata: made.metadata });
  assert.equal(answer.body.metadata.resourceVersion, made.metadata.resourceVersion);
});

test('a wrong uid is a conflict and a wrong name a bad request', async () => {
  await using fixture = await startFixture();
  await fixture.create(configMaps, { metadata: { name: 'a' } });
  assert.equal((await put(fixture, `${configMaps}/a`, { metadata: { name: 'a', uid: 'other' } })).status, 409);
  assert.equal((await put(fixture, `${configMaps}/a`, { metadata: { name: 'b' } })).status, 400);
  assert.equal((await put(fixture, `${configMaps}/zz`, { metadata: { name: 'zz' } })).status, 404);
});

test('system metadata cannot be changed', async () => {
  await using fixture = await startFixture();
  const made = await fixture.create(configMaps, { metadata: { name: 'a' } });
  const metadata = {
    ...made.metadata,
    creationTimestamp: '2000-01-01T00:00:00Z',
    generation: 9,
    deletionTimestamp: '2000-01-01T00:00:00Z',
  };
  const answer = await put(fixture, `${configMaps}/a`, { ...made, metadata, data: { x: '1' } });
  assert.equal(answer.body.metadata.creationTimestamp, made.metadata.creationTimestamp);
  assert.equal(answer.body.metadata.deletionTimestamp, undefined);
});

test('the generation counts changes of the spec, and status has its own door', async () => {
  await using fixture = await startFixture();
  const made = await fixture.create(deployments, { ...deployment, status: { replicas: 7 } });
  assert.equal(made.metadata.generation, 1);
  assert.equal(made.status?.replicas, undefined);
  const scaled = await put(fixture, `${deployments}/web`, {
    ...made,
    spec: { ...made.spec, replicas: 2 },
    status: { replicas: 7 },
  });
  assert.equal(scaled.body.metadata.generation, 2);
  assert.equal(scaled.body.status?.replicas, undefined);
  const status = await put(fixture, `${deployments}/web/status`, {
    ...scaled.body,
    spec: made.spec,
    status: { replicas: 2 },
  });
  assert.equal(status.status, 200, JSON.stringify(status.body));
  assert.equal(status.body.metadata.generation, 2);
  assert.equal(status.body.spec.replicas, 2);
  assert.equal(status.body.status.replicas, 2);
  const labelled = await put(fixture, `${deployments}/web`, {
    ...status.body,
    metadata: { ...status.body.metadata, labels: { a: 'b' } },
  });
  assert.equal(labelled.body.metadata.generation, 2);
});

test('scale reads and writes the replicas alone', async () => {
  await using fixture = await startFixture();
  await fixture.create(deployments, deployment);
  const scale = await fixture.call('GET', `${deployments}/web/scale`);
  assert.equal(scale.body.kind, 'Scale');
  assert.equal(scale.body.apiVersion, 'autoscaling/v1');
  assert.deepEqual(scale.body.spec, { replicas: 1 });
  assert.equal(scale.body.status.selector, 'app=web');
  const put3 = await put(fixture, `${deployments}/web/scale`, { ...scale.body, spec: { replicas: 3 } });
  assert.equal(put3.body.spec.replicas, 3, JSON.stringify(put3.body));
  const stale = await put(fixture, `${deployments}/web/scale`, { ...scale.body, spec: { replicas: 4 } });
  assert.equal(stale.status, 409);
  const headers = { 'content-type': 'application/merge-patch+json' };
  const patched = await fixture.call('PATCH', `${deployments}/web/scale`, { body: { spec: { replicas: 5 } }, headers });
  assert.equal(patched.body.spec.replicas, 5);
  const negative = await fixture.call('PATCH', `${deployments}/web/scale`, {
    body: { spec: { replicas: -1 } },
    headers,
  });
  assert.equal(negative.status, 422);
  assert.equal((await fixture.call('GET', `${deployments}/web`)).body.spec.replicas, 5);
});

test('an object that waits for its last finalizer goes with it', async () => {
  await using fixture = await startFixture();
  const made = await fixture.create(configMaps, { metadata: { name: 'a', finalizers: ['example.com/wait'] } });
  const deleted = await fixture.call('DELETE', `${configMaps}/a`);
  assert.equal(deleted.status, 200);
  assert.equal(deleted.body.kind, 'ConfigMap');
  assert.ok(deleted.body.metadata.deletionTimestamp);
  const added = await put(fixture, `${configMaps}/a`, {
    ...deleted.body,
    metadata: { ...deleted.body.metadata, finalizers: ['example.com/wait', 'example.com/more'] },
  });
  assert.equal(added.status, 422);
  assert.match(added.body.message, /no new finalizers can be added if the object is being deleted/);
  const { finalizers: _, ...metadata } = deleted.body.metadata;
  const freed = await put(fixture, `${configMaps}/a`, { ...made, metadata });
  assert.equal(freed.status, 200);
  assert.equal((await fixture.call('GET', `${configMaps}/a`)).status, 404);
});
