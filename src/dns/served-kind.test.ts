import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forbidden, noSuchPath } from '../api/errors.ts';
import { createCaches } from '../client/caches.ts';
import { createFakeApi } from '../client/fake.ts';
import { systemClock } from '../observe/clock.ts';
import { silentLogger } from '../observe/log.ts';
import { serviceImport } from './fixtures.ts';
import { followServed } from './served-kind.ts';
import { ServiceImport } from './service-import.ts';

test('a kind that the API serves is followed', async () => {
  const api = createFakeApi();
  await using caches = createCaches(api.client);
  api.put(ServiceImport, serviceImport('Headless'));
  const seen: (string | undefined)[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  using following = followServed(
    ServiceImport,
    (changes) => {
      for (const { current } of changes) seen.push(current?.spec?.type);
      if (seen.length === 2) resolve();
    },
    { caches, logger: silentLogger, clock: systemClock },
  );
  await following.synced;
  api.put(ServiceImport, serviceImport('ClusterSetIP'));
  await promise;
  assert.deepEqual(seen, ['Headless', 'ClusterSetIP']);
  assert.equal(following.objects().length, 1);
});

for (const [what, failure] of [
  ['is not served', noSuchPath()],
  ['may not be read', forbidden(ServiceImport, '', 'no role allows it')],
] as const) {
  test(`a kind that ${what} has no objects, and no watch`, async () => {
    const api = createFakeApi();
    api.intercept = ({ kind }) => (kind === 'ServiceImport' ? failure : undefined);
    await using caches = createCaches(api.client);
    using following = followServed(ServiceImport, () => assert.fail(), {
      caches,
      logger: silentLogger,
      clock: systemClock,
    });
    await following.synced;
    assert.deepEqual(following.objects(), []);
    assert.deepEqual(
      api.calls.map(({ verb }) => verb),
      ['list'],
    );
  });
}
