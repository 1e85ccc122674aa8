import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Service } from '../api/core/service.ts';
import { EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import { createCaches } from '../client/caches.ts';
import { createFakeApi } from '../client/fake.ts';
import { dnsService, dnsSlice, headlessService } from './fixtures.ts';
import { createRecords } from './records.ts';
import { slimCaches } from './slim-caches.ts';
import { parseName } from './wire/names.ts';

const names = [
  'cart.shop.svc',
  'web-0.cart.shop.svc',
  'cart-7.cart.shop.svc',
  'a.pin._zone.cart.shop.svc',
  '_http._tcp.cart.shop.svc',
  '10-244-0-9.cart.shop.svc',
  'front.shop.svc',
].map((name) => parseName(`${name}.cluster.local`) ?? '');

/** What records say about the names: addresses, ports and targets as bytes. */
function said(service: readonly Service[], slice: readonly EndpointSlice[]): unknown[] {
  const records = createRecords({ clusterDomain: 'cluster.local', zonal: true, namesEndpointsByPod: true });
  const changes = [
    ...service.map((object) => ({ type: 'service', new: object }) as const),
    ...slice.map((object) => ({ type: 'slice', new: object }) as const),
  ];
  records.apply(changes, 1);
  return names.map((name) => {
    const found = records.find(name);
    return found.kind === 'data'
      ? found.data.sets.types().map((type) => [type, found.data.sets.get(type)])
      : found.kind;
  });
}

test('names are the same of what slim caches keep, and caches of both kinds have one watch', async () => {
  const api = createFakeApi();
  const annotations = { 'endpoints.kubernetes.io/last-change-trigger-time': '2026-11-01T10:00:00Z', large: 'x' };
  const slice = dnsSlice([
    '10.244.0.1 host=web-0 zone=a',
    '10.244.0.2 zone=b pod=cart-7',
    '10.244.0.9 !ready',
    '10.244.0.3',
  ]);
  const labels = { ...slice.metadata.labels, app: 'cart' };
  api.put(EndpointSlice, { ...slice, metadata: { ...slice.metadata, labels, annotations } });
  api.put(Service, headlessService({ selector: { app: 'cart' } }));
  api.put(Service, dnsService({}, 'front'));
  await using all = createCaches(api.client);
  const caches = slimCaches(all);
  const [services, slices] = [caches.of(Service), caches.of(EndpointSlice)];
  assert.equal(caches.of(EndpointSlice), slices);
  await caches.synced();
  assert.deepEqual(said(services.list(), slices.list()), said(api.objects(Service), api.objects(EndpointSlice)));
  assert.deepEqual(slices.list()[0]?.metadata.annotations, {
    'endpoints.kubernetes.io/last-change-trigger-time': '2026-11-01T10:00:00Z',
  });
  assert.deepEqual(Object.keys(slices.list()[0]?.metadata.labels ?? {}), ['kubernetes.io/service-name']);
  assert.equal(services.get('cart', 'shop')?.spec?.selector, undefined);
  assert.equal(api.calls.filter(({ verb, kind }) => verb === 'watch' && kind === 'EndpointSlice').length, 1);
});
