import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigMap } from '../../api/core/config-map.ts';
import { Namespace } from '../../api/core/namespace.ts';
import { ServiceAccount } from '../../api/core/service-account.ts';
import { startBench } from '../test-bench.ts';
import { planAccounts } from './reconcile.ts';
import { serviceAccountsWith } from './run.ts';

test('every namespace has its account and the certificate, and gets them back', async () => {
  await using bench = await startBench(serviceAccountsWith('PEM'));
  const { api } = bench;
  await api.client.create(Namespace, { metadata: { name: 'shop' }, spec: {} });
  await bench.until(() => api.objects(ServiceAccount).length === 1 && api.objects(ConfigMap).length === 1);
  await api.client.delete(ServiceAccount, 'default', { namespace: 'shop' });
  await bench.until(() => api.objects(ServiceAccount).length === 1);
  const [rootCa] = api.objects(ConfigMap);
  assert.ok(rootCa);
  await api.client.update(ConfigMap, { ...rootCa, data: { 'ca.crt': 'forged' } });
  await bench.until(() => api.objects(ConfigMap)[0]?.data?.['ca.crt'] === 'PEM');
});

test('a namespace on its way out gets nothing', () => {
  const namespace = { metadata: { name: 'shop', deletionTimestamp: '2026-01-01T00:00:00Z' }, spec: {} };
  const plan = planAccounts({ namespace, hasAccount: false, rootCa: undefined, certificate: 'PEM' });
  assert.deepEqual(plan, { account: undefined, createRootCa: undefined, updateRootCa: undefined });
});
