import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startFixture } from '../testing/fixture.ts';

const configMaps = '/api/v1/namespaces/default/configmaps';
const pods = '/api/v1/namespaces/default/pods';
const pod = { metadata: { name: 'web' }, spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'i' }] } };

test('a delete answers with a Status that names the object', async () => {
  await using fixture = await startFixture();
  const made = await fixture.create(configMaps, { metadata: { name: 'a' } });
  const answer = await fixture.call('DELETE', `${configMaps}/a`);
  assert.deepEqual(answer.body, {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name: 'a', kind: 'configmaps', uid: made.metadata.uid },
  });
  assert.equal((await fixture.call('DELETE', `${configMaps}/a`)).status, 404);
});

test('a Pod on a node gets its grace period, then goes when the agent says so', async () => {
  await using fixture = await startFixture({ now: () => Date.parse('2026-01-01T00:00:00Z') });
  await fixture.create(pods, pod);
  const marked = await fixture.call('DELETE', `${pods}/web`);
  assert.equal(marked.body.metadata.deletionGracePeriodSeconds, 30);
  assert.equal(marked.body.metadata.deletionTimestamp, '2026-01-01T00:00:30Z');
  const again = await fixture.call('DELETE', `${pods}/web`);
  assert.equal(again.body.metadata.resourceVersion, marked.body.metadata.resourceVersion);
  const sooner = await fixture.call('DELETE', `${pods}/web`, { body: { gracePeriodSeconds: 5 } });
  assert.equal(sooner.body.metadata.deletionGracePeriodSeconds, 5);
  const gone = await fixture.call('DELETE', `${pods}/web?gracePeriodSeconds=0`);
  assert.equal(gone.status, 200);
  assert.equal((await fixture.call('GET', `${pods}/web`)).status, 404);
});

test('a Pod without a node goes at once', async () => {
  await using fixture = await startFixture();
  await fixture.create(pods, { ...pod, spec: { containers: pod.spec.containers } });
  await fixture.call('DELETE', `${pods}/web`);
  assert.equal((await fixture.call('GET', `${pods}/web`)).status, 404);
});

test('an eviction deletes the Pod', async () => {
  await using fixture = await startFixture();
  await fixture.create(pods, { ...pod, spec: { containers: pod.spec.containers } });
  const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'web' } };
  const answer = await fixture.call('POST', `${pods}/web/eviction`, { body });
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  assert.equal((await fixture.call('GET', `${pods}/web`)).status, 404);
});

const propagation: readonly { policy: string; finalizers: readonly string[] | undefined }[] = [
  { policy: 'Foreground', finalizers: ['foregroundDeletion'] },
  { policy: 'Orphan', finalizers: ['orphan'] },
  { policy: 'Background', finalizers: undefined },
];

for (const { policy, finalizers } of propagation) {
  test(`propagation policy ${policy} leaves ${finalizers ?? 'nothing'}`, async () => {
    await using fixture = await startFixture();
    await fixture.create(configMaps, { metadata: { name: 'a' } });
    const answer = await fixture.call('DELETE', `${configMaps}/a`, { body: { propagationPolicy: policy } });
    assert.equal(answer.status, 200);
    const found = await fixture.call('GET', `${configMaps}/a`);
    assert.deepEqual(found.body.metadata?.finalizers, finalizers);
    assert.equal(found.status, finalizers === undefined ? 404 : 200);
  });
}

const refusals: readonly { what: string; path?: string; body: unknown; status: number; message: RegExp }[] = [
  {
    what: 'another uid',
    body: { preconditions: { uid: 'x' } },
    status: 409,
    message: /Precondition failed: UID in precondition: x/,
  },
  {
    what: 'another version',
    body: { preconditions: { resourceVersion: '1' } },
    status: 409,
    message: /ResourceVersion in precondition: 1/,
  },
  {
    what: 'an unknown policy',
    body: { propagationPolicy: 'Never' },
    status: 422,
    message: /propagationPolicy: Unsupported value: "Never"/,
  },
  {
    what: 'a system namespace',
    path: '/api/v1/namespaces/default',
    body: {},
    status: 403,
    message: /this namespace may not be deleted/,
  },
];

for (const { what, path = `${configMaps}/a`, body, status, message } of refusals) {
  test(`delete refuses ${what}`, async () => {
    await using fixture = await startFixture();
    await fixture.create(configMaps, { metadata: { name: 'a' } });
    const answer = await fixture.call('DELETE', path, { body });
    assert.equal(answer.status, status, JSON.stringify(answer.body));
    assert.match(answer.body.message, message);
  });
}

test('a dry run deletes nothing', async () => {
  await using fixture = await startFixture();
  await fixture.create(configMaps, { metadata: { name: 'a' } });
  assert.equal((await fixture.call('DELETE', `${configMaps}/a?dryRun=All`)).status, 200);
  assert.equal((await fixture.call('GET', `${configMaps}/a`)).status, 200);
});

test('a collection is deleted by selector', async () => {
  await using fixture = await startFixture();
  for (const name of ['a', 'b', 'c'])
    await fixture.create(configMaps, { metadata: { name, labels: { tier: name === 'c' ? 'x' : 'y' } } });
  const answer = await fixture.call('DELETE', `${configMaps}?labelSelector=tier=y`);
  assert.equal(answer.body.kind, 'ConfigMapList');
  assert.deepEqual(
    answer.body.items.map((each: { metadata: { name: string } }) => each.metadata.name),
    ['a', 'b'],
  );
  const left = await fixture.call('GET', configMaps);
  assert.deepEqual(
    left.body.items.map((each: { metadata: { name: string } }) => each.metadata.name),
    ['c'],
  );
});

test('a namespace goes when its finalizer is taken away', async () => {
  await using fixture = await startFixture();
  await fixture.create('/api/v1/namespaces', { metadata: { name: 'team' } });
  const deleted = await fixture.call('DELETE', '/api/v1/namespaces/team');
  assert.deepEqual(deleted.body.spec.finalizers, ['kubernetes']);
  const kept = await fixture.call('PUT', '/api/v1/namespaces/team', {
    body: { ...deleted.body, spec: { finalizers: [] } },
  });
  assert.deepEqual(kept.body.spec.finalizers, ['kubernetes']);
  const body = { ...deleted.body, spec: { finalizers: [] } };
  const finalized = await fixture.call('PUT', '/api/v1/namespaces/team/finalize', { body });
  assert.equal(finalized.status, 200, JSON.stringify(finalized.body));
  assert.equal((await fixture.call('GET', '/api/v1/namespaces/team')).status, 404);
});
