import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startFixture } from './testing/fixture.ts';

const aggregated = (version: string) => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;

const forms: readonly { accept: string; type: string; kind: string }[] = [
  {
    accept: `${aggregated('v2')},${aggregated('v2beta1')},application/json`,
    type: aggregated('v2'),
    kind: 'APIGroupDiscoveryList',
  },
  { accept: `${aggregated('v2beta1')},application/json`, type: aggregated('v2beta1'), kind: 'APIGroupDiscoveryList' },
  { accept: 'application/json', type: 'application/json', kind: 'APIGroupList' },
];

for (const { accept, type, kind } of forms) {
  test(`discovery answers ${accept.slice(0, 60)} with ${kind}`, async () => {
    await using fixture = await startFixture();
    const answer = await fixture.call('GET', '/apis', { headers: { accept } });
    assert.equal(answer.headers['content-type'], type);
    assert.equal(answer.body.kind, kind);
    const again = await fixture.call('GET', '/apis', {
      headers: { accept, 'if-none-match': answer.headers['etag'] ?? '' },
    });
    assert.equal(again.status, 304);
  });
}

test('OpenAPI documents are found through their index', async () => {
  await using fixture = await startFixture();
  const index = await fixture.call('GET', '/openapi/v3');
  const document = await fixture.call('GET', index.body.paths['api/v1'].serverRelativeURL);
  assert.ok(document.body.components.schemas['io.k8s.api.core.v1.Service']);
  assert.match(document.headers['cache-control'] ?? '', /immutable/);
});

test('health says what it looked at', async () => {
  await using fixture = await startFixture();
  const answer = await fixture.call('GET', '/readyz?verbose');
  assert.match(answer.body, /^\[\+\]ping ok\n.*readyz check passed\n$/s);
  assert.equal((await fixture.call('GET', '/readyz/ping')).body, 'ok');
  assert.equal((await fixture.call('GET', '/readyz/nothing')).status, 404);
});

test('the system objects are there from the start', async () => {
  await using fixture = await startFixture();
  const service = await fixture.call('GET', '/api/v1/namespaces/default/services/kubernetes');
  assert.equal(service.body.spec.clusterIP, '10.96.0.1');
  const slice = await fixture.call('GET', '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes');
  assert.deepEqual(slice.body.endpoints[0].addresses, ['10.244.0.1']);
  const address = await fixture.call('GET', '/apis/networking.k8s.io/v1/ipaddresses/10.96.0.1');
  assert.equal(address.body.spec.parentRef.name, 'kubernetes');
});
