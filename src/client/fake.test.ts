import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigMap } from '../api/core/config-map.ts';
import { isGone } from '../api/errors.ts';
import { clientContract } from './contract.ts';
import { createFakeApi } from './fake.ts';

clientContract('fake', async () => ({ client: createFakeApi().client, [Symbol.asyncDispose]: async () => {} }));

test('a compacted history ends in 410', async () => {
  const api = createFakeApi();
  await api.client.create(ConfigMap, { metadata: { name: 'a', namespace: 'default' } });
  api.compact();
  const events = api.client.watch(ConfigMap, { resourceVersion: '1', signal: new AbortController().signal });
  await assert.rejects(async () => {
    for await (const event of events) assert.fail(`unexpected ${event.type}`);
  }, isGone);
});
