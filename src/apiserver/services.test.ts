import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Fixture, type Json, startFixture } from './testing/fixture.ts';

/** Journeys of Services and what belongs to them through the API, as Kubernetes' conformance suite makes them. */

const services = '/api/v1/namespaces/default/services';

function service(name: string, spec: Json = {}, labels: Json = {}): Json {
  return { kind: 'Service', apiVersion: 'v1', metadata: { name, labels }, spec: { ports: [{ port: 80 }], ...spec } };
}

test('a Service is found in a list of all namespaces', async () => {
  await using server = await startFixture();
  await server.create('/api/v1/namespaces', { kind: 'Namespace', apiVersion: 'v1', metadata: { name: 'shop' } });
  await server.create('/api/v1/namespaces/shop/services', service('cart'));
  const { body } = await server.call('GET', '/api/v1/services');
  const found = body.items.map(({ metadata }: Json) => `${metadata.namespace}/${metadata.name}`);
  assert.ok(found.includes('shop/cart'), found.join());
  assert.ok(found.includes('default/kubernetes'), found.join());
});

test('the lifecycle of an Endpoints object: created, listed, watched, patched, replaced, deleted', async () => {
  await using server = await startFixture();
  const path = '/api/v1/namespaces/default/endpoints';
  const { resourceVersion } = (await server.call('GET', path)).body.metadata;
  const query = `watch=true&labelSelector=test%3Dlife&resourceVersion=${resourceVersion}`;
  const watch = server.watch(`${path}?${query}`);
  const subsets = [{ addresses: [{ ip: '10.244.0.5' }], ports: [{ port: 80 }] }];
  const metadata = { name: 'web', labels: { test: 'life' } };
  await server.create(path, { kind: 'Endpoints', apiVersion: 'v1', metadata, subsets });
  const everywhere = await server.call('GET', '/api/v1/endpoints?labelSelector=test%3Dlife');
  assert.equal(everywhere.body.items.length, 1);
  const patch = { metadata: { labels: { more: 'yes' } } };
  const headers = { 'content-type': 'application/merge-patch+json' };
  const patched = await server.call('PATCH', `${path}/web`, { body: patch, headers });
  assert.equal(patched.body.metadata.labels.more, 'yes');
  const moved = { ...patched.body, subsets: [{ addresses: [{ ip: '10.244.0.6' }], ports: [{ port: 81 }] }] };
  assert.equal(
    (await server.call('PUT', `${path}/web`, { body: moved })).body.subsets[0].addresses[0].ip,
    '10.244.0.6',
  );
  assert.equal((await server.call('DELETE', `${path}?labelSelector=test%3Dlife`)).status, 200);
  assert.equal((await server.call('GET', `${path}/web`)).status, 404);
  const events = await watch.take(4);
  assert.deepEqual(
    events.map(({ type }) => type),
    ['ADDED', 'MODIFIED', 'MODIFIED', 'DELETED'],
  );
  watch.close();
});

test('the lifecycle of a Service status: read, patched and replaced by its own door, and watched', async () => {
  await using server = await startFixture();
  const created = await server.create(services, service('web', { type: 'LoadBalancer' }));
  assert.deepEqual(created.status, { loadBalancer: {} });
  const headers = { 'content-type': 'application/merge-patch+json' };
  const ingress = [{ ip: '203.0.113.1' }];
  const body = { metadata: { annotations: { patched: 'true' } }, status: { loadBalancer: { ingress } } };
  const patched = await server.call('PATCH', `${services}/web/status`, { body, headers });
  assert.equal(patched.body.metadata.annotations.patched, 'true');
  assert.equal(patched.body.status.loadBalancer.ingress[0].ip, '203.0.113.1');
  const condition = {
    type: 'Ready',
    status: 'True',
    reason: 'E2E',
    message: 'set',
    lastTransitionTime: '2026-01-01T00:00:00Z',
  };
  const replaced = { ...patched.body, status: { ...patched.body.status, conditions: [condition] } };
  assert.equal((await server.call('PUT', `${services}/web/status`, { body: replaced })).status, 200);
  const read = await server.call('GET', `${services}/web/status`);
  assert.equal(read.body.status.conditions[0].reason, 'E2E');
  assert.equal((await server.call('GET', `${services}/web`)).body.spec.type, 'LoadBalancer', 'the spec stayed');
});

test('a collection of Services is deleted by label, and others stay', async () => {
  await using server = await startFixture();
  for (const name of ['a', 'b']) await server.create(services, service(name, {}, { team: 'one' }));
  await server.create(services, service('c', {}, { team: 'two' }));
  assert.equal((await server.call('DELETE', `${services}?labelSelector=team%3Done`)).status, 200);
  assert.deepEqual(await namesIn(server), ['c', 'kubernetes']);
});

async function namesIn(server: Fixture): Promise<readonly string[]> {
  const { body } = await server.call('GET', services);
  return body.items.map(({ metadata }: Json) => metadata.name).toSorted();
}

test('a node port that was released by its Service may be had by another', async () => {
  await using server = await startFixture();
  const ports = [{ port: 80, nodePort: 30_077 }];
  await server.create(services, service('first', { type: 'NodePort', ports }));
  const second = service('second', { type: 'NodePort', ports });
  assert.equal((await server.call('POST', services, { body: second })).status, 422, 'a collision');
  assert.equal((await server.call('DELETE', `${services}/first`)).status, 200);
  assert.equal((await server.create(services, second)).spec.ports[0].nodePort, 30_077);
});

test('a node port outside the range is refused', async () => {
  await using server = await startFixture();
  const wanted = service('web', { type: 'NodePort', ports: [{ port: 80, nodePort: 29_999 }] });
  const { status, body } = await server.call('POST', services, { body: wanted });
  assert.equal(status, 422);
  assert.match(body.message, /not in the valid range/);
});

test('IPv4 addresses with leading zeros are refused (CVE-2021-29923)', async () => {
  await using server = await startFixture();
  const { status } = await server.call('POST', services, { body: service('web', { clusterIP: '10.096.000.077' }) });
  assert.equal(status, 422);
});

test('a Service waits with its end until the load balancer finalizer is gone', async () => {
  await using server = await startFixture();
  const finalizers = ['service.kubernetes.io/load-balancer-cleanup'];
  const wanted = service('web', { type: 'LoadBalancer' });
  await server.create(services, { ...wanted, metadata: { name: 'web', finalizers } });
  await server.call('DELETE', `${services}/web`);
  const waiting = await server.call('GET', `${services}/web`);
  assert.ok(waiting.body.metadata.deletionTimestamp);
  const released = { ...waiting.body, metadata: { ...waiting.body.metadata, finalizers: [] } };
  await server.call('PUT', `${services}/web`, { body: released });
  assert.equal((await server.call('GET', `${services}/web`)).status, 404);
});

test('EndpointSlices, ServiceCIDRs and IPAddresses have every operation', async () => {
  await using server = await startFixture();
  await exercise(server, '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices', {
    kind: 'EndpointSlice',
    apiVersion: 'discovery.k8s.io/v1',
    metadata: { name: 'one' },
    addressType: 'IPv4',
    endpoints: [],
    ports: [],
  });
  await exercise(server, '/apis/networking.k8s.io/v1/servicecidrs', {
    kind: 'ServiceCIDR',
    apiVersion: 'networking.k8s.io/v1',
    metadata: { name: 'one' },
    spec: { cidrs: ['10.97.0.0/24'] },
  });
  await exercise(server, '/apis/networking.k8s.io/v1/ipaddresses', {
    kind: 'IPAddress',
    apiVersion: 'networking.k8s.io/v1',
    metadata: { name: '10.96.7.7' },
    spec: { parentRef: { resource: 'services', namespace: 'default', name: 'web' } },
  });
});

/** Creates, reads, lists, patches, replaces and deletes. */
async function exercise(server: Fixture, path: string, object: Json): Promise<void> {
  const { name } = object.metadata;
  const created = await server.create(path, object);
  assert.equal((await server.call('GET', `${path}/${name}`)).body.metadata.uid, created.metadata.uid);
  const headers = { 'content-type': 'application/merge-patch+json' };
  const body = { metadata: { labels: { patched: 'yes' } } };
  const patched = await server.call('PATCH', `${path}/${name}`, { body, headers });
  assert.equal(patched.body.metadata.labels.patched, 'yes');
  const listed = await server.call('GET', `${path}?labelSelector=patched%3Dyes`);
  assert.equal(listed.body.items.length, 1);
  const replaced = { ...patched.body, metadata: { ...patched.body.metadata, annotations: { replaced: 'yes' } } };
  assert.equal((await server.call('PUT', `${path}/${name}`, { body: replaced })).status, 200);
  assert.equal((await server.call('DELETE', `${path}/${name}`)).status, 200, `${path}/${name}`);
}
