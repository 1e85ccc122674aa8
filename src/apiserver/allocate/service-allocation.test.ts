import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createMemoryStore } from '../../store/memory.ts';
import { startFixture, type Json } from '../testing/fixture.ts';

const services = '/api/v1/namespaces/default/services';
const records = '/apis/networking.k8s.io/v1/ipaddresses';

function service(name: string, spec: Json = {}): Json {
  return { kind: 'Service', apiVersion: 'v1', metadata: { name }, spec: { ports: [{ port: 80 }], ...spec } };
}

describe('Services through the API server', () => {
  it('get an address and its record in one commit, and lose both on deletion', async () => {
    await using server = await startFixture();
    const created = await server.create(services, service('a', { type: 'NodePort' }));
    const ip = created.spec.clusterIP;
    const record = await server.call('GET', `${records}/${ip}`);
    assert.equal(record.status, 200);
    assert.equal(record.body.metadata.resourceVersion, created.metadata.resourceVersion);
    assert.deepEqual(record.body.spec.parentRef, { group: '', resource: 'services', namespace: 'default', name: 'a' });
    assert.equal((await server.call('DELETE', `${services}/a`)).status, 200);
    assert.equal((await server.call('GET', `${records}/${ip}`)).status, 404);
    const nodePort = created.spec.ports[0].nodePort;
    const again = await server.create(
      services,
      service('b', { type: 'NodePort', clusterIP: ip, ports: [{ port: 80, nodePort }] }),
    );
    assert.deepEqual([again.spec.clusterIP, again.spec.ports[0].nodePort], [ip, nodePort]);
  });

  it('reserve nothing when they are tried out', async () => {
    await using server = await startFixture();
    const wanted = service('a', { type: 'NodePort', ports: [{ port: 80, nodePort: 30_123 }] });
    const tried = await server.call('POST', `${services}?dryRun=All`, { body: wanted });
    assert.equal(tried.status, 201);
    assert.match(tried.body.spec.clusterIP, /^10\.96\./);
    assert.equal((await server.call('GET', `${records}/${tried.body.spec.clusterIP}`)).status, 404);
    assert.equal(
      (await server.create(services, { ...wanted, metadata: { name: 'b' } })).spec.ports[0].nodePort,
      30_123,
    );
  });

  it('never share anything, however many come at once', async () => {
    await using server = await startFixture({ nodePortRange: { from: 30_000, to: 30_059 } });
    const names = Array.from({ length: 60 }, (_, index) => `s${index}`);
    const created = await Promise.all(
      names.map((name) => server.create(services, service(name, { type: 'NodePort' }))),
    );
    assert.equal(new Set(created.map(({ spec }) => spec.clusterIP)).size, 60);
    assert.equal(new Set(created.map(({ spec }) => spec.ports[0].nodePort)).size, 60);
    const one = await server.call('POST', services, { body: service('x', { type: 'NodePort' }) });
    assert.deepEqual([one.status, /range is full/.test(one.body.message)], [422, true]);
    const same = service('y', { clusterIP: '10.96.0.77' });
    const answers = await Promise.all(
      ['y1', 'y2', 'y3'].map((name) => server.call('POST', services, { body: { ...same, metadata: { name } } })),
    );
    assert.deepEqual(answers.map(({ status }) => status).toSorted(), [201, 422, 422]);
  });

  it('keep what they have through a restart of the server', async () => {
    const store = createMemoryStore();
    const first = await startFixture({ store });
    const a = await first.create(services, service('a', { type: 'NodePort' }));
    await first[Symbol.asyncDispose]();
    await using second = await startFixture({ store });
    const wanted = service('b', { type: 'NodePort', ports: [{ port: 80, nodePort: a.spec.ports[0].nodePort }] });
    const answer = await second.call('POST', services, { body: wanted });
    assert.deepEqual([answer.status, /provided port is already allocated/.test(answer.body.message)], [422, true]);
    const taken = await second.call('POST', services, { body: service('b', { clusterIP: a.spec.clusterIP }) });
    assert.match(taken.body.message, /provided IP is already allocated/);
  });

  it('keep their address through updates and change of type', async () => {
    await using server = await startFixture();
    const created = await server.create(services, service('a'));
    const toNodePort = await server.call('PATCH', `${services}/a`, {
      body: { spec: { type: 'NodePort' } },
      headers: { 'content-type': 'application/merge-patch+json' },
    });
    assert.equal(toNodePort.body.spec.clusterIP, created.spec.clusterIP);
    const { nodePort } = toNodePort.body.spec.ports[0];
    assert.ok(nodePort >= 30_000);
    const back = await server.call('PUT', `${services}/a`, { body: service('a', { selector: { x: 'y' } }) });
    assert.deepEqual([back.body.spec.clusterIP, back.body.spec.ports[0].nodePort], [created.spec.clusterIP, undefined]);
    const other = await server.create(services, service('b', { type: 'NodePort', ports: [{ port: 80, nodePort }] }));
    assert.equal(other.spec.ports[0].nodePort, nodePort);
  });

  it('are repaired when the server starts, and users are told', async () => {
    const store = createMemoryStore();
    const first = await startFixture({ store });
    const { spec } = await first.create(services, service('a'));
    await first[Symbol.asyncDispose]();
    const key = `/registry/ipaddresses.networking.k8s.io/${spec.clusterIP}`;
    await store.commit([{ type: 'delete', key, expected: 'any' }]);
    await using second = await startFixture({ store });
    const record = await second.call('GET', `${records}/${spec.clusterIP}`);
    assert.equal(record.body.spec?.parentRef.name, 'a');
    const events = await second.call('GET', '/api/v1/namespaces/default/events');
    assert.deepEqual(
      events.body.items.map(({ reason }: Json) => reason),
      ['ClusterIPNotAllocated'],
    );
  });

  it('are told by validation what is wrong with them', async () => {
    await using server = await startFixture();
    const answer = await server.call('POST', services, { body: service('a', { clusterIP: 'nonsense' }) });
    assert.deepEqual([answer.status, /must be a valid IP address/.test(answer.body.message)], [422, true]);
    await server.create(services, service('b'));
    const moved = await server.call('PUT', `${services}/b`, {
      body: service('b', { clusterIP: '10.96.0.9', clusterIPs: ['10.96.0.9'] }),
    });
    assert.deepEqual([moved.status, /may not change once set/.test(moved.body.message)], [422, true]);
  });
});
