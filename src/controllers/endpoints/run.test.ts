import { test } from 'node:test';
import assert from 'node:assert/strict';
import { Endpoints } from '../../api/core/endpoints.ts';
import { Pod } from '../../api/core/pod.ts';
import { Service } from '../../api/core/service.ts';
import { nameOf } from '../../api/meta/object-meta.ts';
import { podFixture, serviceFixture } from '../fixtures.ts';
import { startBench } from '../test-bench.ts';
import { startEndpoints } from './run.ts';

test('Endpoints follow their Service and go with it; those of others stay', async () => {
  await using bench = await startBench(startEndpoints);
  const { api } = bench;
  await api.client.create(Endpoints, { metadata: { name: 'own', namespace: 'default' } });
  api.put(Pod, podFixture());
  await api.client.create(Service, serviceFixture());
  const ofWeb = () => api.objects(Endpoints).find((object) => nameOf(object) === 'web');
  await bench.until(() => ofWeb()?.subsets?.[0]?.addresses?.length === 1);
  await api.client.delete(Endpoints, 'web', { namespace: 'default' });
  await bench.until(() => ofWeb()?.subsets?.[0]?.addresses?.length === 1);
  await api.client.delete(Service, 'web', { namespace: 'default' });
  await bench.until(() => ofWeb() === undefined);
  assert.deepEqual(api.objects(Endpoints).map(nameOf), ['own']);
});
