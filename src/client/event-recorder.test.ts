import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigMap } from '../api/core/config-map.ts';
import { Event } from '../api/core/event.ts';
import { Node } from '../api/core/node.ts';
import { createEventRecorder } from './event-recorder.ts';
import { createFakeApi } from './fake.ts';

function setUp() {
  const api = createFakeApi();
  const clock = { ms: Date.parse('2026-01-01T00:00:00Z') };
  const recorder = createEventRecorder({ client: api.client, component: 'tester', host: 'n1', now: () => clock.ms });
  return { api, clock, recorder };
}

const object: ConfigMap = { metadata: { name: 'a', namespace: 'shop', uid: 'u1', resourceVersion: '5' } };
const happening = { type: 'Normal', reason: 'Made', message: 'it is there' } as const;

test('an Event names its object, its reporter and its time', async () => {
  const { api, recorder } = setUp();
  recorder.record(ConfigMap, object, happening);
  await recorder.flush();
  const [event] = api.objects(Event);
  assert.match(event?.metadata.name ?? '', /^a\.[0-9a-f]{15,16}$/);
  assert.equal(event?.metadata.namespace, 'shop');
  assert.deepEqual(event?.involvedObject, {
    kind: 'ConfigMap',
    apiVersion: 'v1',
    name: 'a',
    namespace: 'shop',
    uid: 'u1',
    resourceVersion: '5',
  });
  assert.deepEqual(
    [event?.count, event?.lastTimestamp, event?.source],
    [1, '2026-01-01T00:00:00Z', { component: 'tester', host: 'n1' }],
  );
});

test('Events of objects without a namespace go to default', async () => {
  const { api, recorder } = setUp();
  recorder.record(Node, { metadata: { name: 'n1' }, spec: {} }, happening);
  await recorder.flush();
  assert.equal(api.objects(Event)[0]?.metadata.namespace, 'default');
});

test('the same happening counts up for ten minutes, then is a new Event', async () => {
  const { api, clock, recorder } = setUp();
  for (let time = 0; time < 3; time++) {
    recorder.record(ConfigMap, object, happening);
    clock.ms += 60_000;
  }
  await recorder.flush();
  assert.deepEqual(
    api.objects(Event).map(({ count, lastTimestamp }) => [count, lastTimestamp]),
    [[3, '2026-01-01T00:02:00Z']],
  );
  clock.ms += 10 * 60_000;
  recorder.record(ConfigMap, object, happening);
  await recorder.flush();
  assert.equal(api.objects(Event).length, 2);
});

test('an Event that is gone meanwhile is made anew', async () => {
  const { api, recorder } = setUp();
  recorder.record(ConfigMap, object, happening);
  await recorder.flush();
  api.remove(Event, api.objects(Event)[0]?.metadata.name ?? '', 'shop');
  recorder.record(ConfigMap, object, happening);
  await recorder.flush();
  assert.equal(api.objects(Event)[0]?.count, 1);
});

test('an object that makes too many Events loses the rest; others do not', async () => {
  const { api, recorder } = setUp();
  for (let index = 0; index < 40; index++) recorder.record(ConfigMap, object, { ...happening, message: `${index}` });
  recorder.record(ConfigMap, { metadata: { ...object.metadata, uid: 'u2' } }, happening);
  await recorder.flush();
  assert.equal(api.objects(Event).length, 26);
});

test('a failure hurts nobody', async () => {
  const { api, recorder } = setUp();
  api.intercept = () => new Error('no');
  recorder.record(ConfigMap, object, happening);
  await recorder.flush();
  api.intercept = undefined;
  recorder.record(ConfigMap, object, { ...happening, message: 'again' });
  await recorder.flush();
  assert.equal(api.objects(Event).length, 1);
});
