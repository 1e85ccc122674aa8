import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Event } from '../api/core/event.ts';
import { Service } from '../api/core/service.ts';
import { createCaches } from '../client/caches.ts';
import { createFakeApi } from '../client/fake.ts';
import { silentLogger } from '../observe/log.ts';
import { createMetrics } from '../observe/metrics.ts';
import { testService } from '../routing/fixtures.ts';
import { servicesOf } from './caches.ts';
import { network } from './contract/worlds.ts';
import { proxyMetrics } from './metrics.ts';
import { createServiceEvents } from './service-events.ts';

test('what is told before the Services are known becomes events once they are, but for those that there are not', async () => {
  const api = createFakeApi();
  api.put(Service, testService());
  await using caches = createCaches(api.client, { random: () => 0 });
  const metrics = createMetrics();
  const config = { client: api.client, caches, nodeName: 'a', network, logger: silentLogger, metrics };
  const events = createServiceEvents(config, proxyMetrics(metrics).news);
  assert.equal(servicesOf(config).isSynced, false);
  const tell = (service: string, reason: string) => events.tell({ service, type: 'Warning', reason, message: 'so' });
  tell('shop/cart', 'Early');
  tell('shop/none', 'Lost');
  await servicesOf(config).synced;
  tell('shop/cart', 'Late');
  api.put(Service, testService({}, { name: 'none' }));
  await events[Symbol.asyncDispose]();
  const { items } = await api.client.list(Event);
  assert.deepEqual(
    items.map(({ reason, involvedObject }) => `${involvedObject.name} ${reason}`),
    ['cart Early', 'cart Late'],
  );
});

test('what an event quotes is on one line, without control characters', async () => {
  const api = createFakeApi();
  api.put(Service, testService());
  await using caches = createCaches(api.client, { random: () => 0 });
  const metrics = createMetrics();
  const config = { client: api.client, caches, nodeName: 'a', network, logger: silentLogger, metrics };
  const events = createServiceEvents(config, proxyMetrics(metrics).news);
  await servicesOf(config).synced;
  events.tell({ service: 'shop/cart', type: 'Warning', reason: 'Odd', message: '"a\nb\u001b[2J" is ignored' });
  await events[Symbol.asyncDispose]();
  const { items } = await api.client.list(Event);
  assert.deepEqual(
    items.map(({ message }) => message),
    ['"a\\nb\\u001b[2J" is ignored'],
  );
});
