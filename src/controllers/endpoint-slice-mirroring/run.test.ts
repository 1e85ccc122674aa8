import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Endpoints } from '../../api/core/endpoints.ts';
import type { EndpointSubset } from '../../api/core/endpoints.ts';
import { Service } from '../../api/core/service.ts';
import { EndpointSlice } from '../../api/discovery/endpoint-slice.ts';
import type { ObjectMeta } from '../../api/meta/object-meta.ts';
import { serviceFixture } from '../fixtures.ts';
import { startBench } from '../test-bench.ts';
import { reconcileMirror } from './reconcile.ts';
import { startEndpointSliceMirroring } from './run.ts';

const subset: EndpointSubset = {
  addresses: [{ ip: '192.0.2.1', hostname: 'db' }, { ip: 'fd00::1' }],
  notReadyAddresses: [{ ip: '192.0.2.2' }],
  ports: [{ name: 'sql', port: 5432, protocol: 'TCP' }],
};

function endpoints(metadata: Partial<ObjectMeta> = {}, subsets = [subset]): Endpoints {
  return { metadata: { name: 'web', namespace: 'default', uid: 'e', ...metadata }, subsets };
}

const external = serviceFixture({ selector: undefined });

test('Endpoints become slices by family, with their labels and annotations', () => {
  const given = endpoints({ labels: { a: 'b' }, annotations: { note: 'x' } });
  const { create } = reconcileMirror({ endpoints: given, service: external, slices: [] });
  assert.deepEqual(
    create.map(({ addressType, endpoints }) => [addressType, endpoints?.length]),
    [
      ['IPv4', 2],
      ['IPv6', 1],
    ],
  );
  const [slice] = create;
  assert.deepEqual(slice?.endpoints, [
    { addresses: ['192.0.2.1'], conditions: { ready: true }, hostname: 'db' },
    { addresses: ['192.0.2.2'], conditions: { ready: false } },
  ]);
  assert.deepEqual(slice?.ports, [{ name: 'sql', port: 5432, protocol: 'TCP' }]);
  assert.deepEqual(slice?.metadata.labels, {
    a: 'b',
    'kubernetes.io/service-name': 'web',
    'endpointslice.kubernetes.io/managed-by': 'endpointslicemirroring-controller.k8s.io',
  });
  assert.deepEqual(slice?.metadata.annotations, { note: 'x' });
});

const skipped: readonly [string, Endpoints, Service | undefined][] = [
  ['of a Service with a selector', endpoints(), serviceFixture()],
  ['without a Service', endpoints(), undefined],
  ['that say skip', endpoints({ labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } }), external],
  ['used for an election', endpoints({ annotations: { 'control-plane.alpha.kubernetes.io/leader': '{}' } }), external],
  ['without addresses', endpoints({}, []), external],
];
for (const [title, given, service] of skipped) {
  test(`Endpoints ${title} are not mirrored`, () => {
    assert.deepEqual(reconcileMirror({ endpoints: given, service, slices: [] }).create, []);
  });
}

test('slices follow the Endpoints and go with them', async () => {
  await using bench = await startBench(startEndpointSliceMirroring);
  const { api } = bench;
  await api.client.create(Service, external);
  const { uid: _uid, ...metadata } = endpoints().metadata;
  const made = await api.client.create(Endpoints, { ...endpoints(), metadata });
  await bench.until(() => api.objects(EndpointSlice).length === 2);
  await bench.settled();
  const writes = bench.writes('EndpointSlice');
  await api.client.update(Endpoints, { ...made, subsets: [{ ...subset, addresses: [{ ip: '192.0.2.9' }] }] });
  await bench.until(() => api.objects(EndpointSlice).length === 1);
  assert.equal(bench.writes('EndpointSlice'), writes + 2);
  await api.client.delete(Endpoints, 'web', { namespace: 'default' });
  await bench.until(() => api.objects(EndpointSlice).length === 0);
});
