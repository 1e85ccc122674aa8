import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Fixture, Json } from '../testing/fixture.ts';
import { startFixture } from '../testing/fixture.ts';

const configMaps = '/api/v1/namespaces/default/configmaps';

async function fill(fixture: Fixture, names: readonly string[]): Promise<void> {
  for (const name of names) await fixture.create(configMaps, { metadata: { name, labels: { name } } });
}

function namesIn(body: Json): readonly string[] {
  return body.items.map((each: Json) => each.metadata.name);
}

test('pages show the state of the first one', async () => {
  await using fixture = await startFixture();
  await fill(fixture, ['a', 'b', 'c', 'd', 'e']);
  const first = await fixture.call('GET', `${configMaps}?limit=2`);
  assert.deepEqual(namesIn(first.body), ['a', 'b']);
  assert.equal(first.body.metadata.remainingItemCount, 3);
  await fixture.create(configMaps, { metadata: { name: 'bb' } });
  await fixture.call('DELETE', `${configMaps}/c`);
  const second = await fixture.call('GET', `${configMaps}?limit=2&continue=${first.body.metadata.continue}`);
  assert.deepEqual(namesIn(second.body), ['c', 'd']);
  assert.equal(second.body.metadata.resourceVersion, first.body.metadata.resourceVersion);
  assert.equal(second.body.metadata.remainingItemCount, 1);
  const third = await fixture.call('GET', `${configMaps}?limit=2&continue=${second.body.metadata.continue}`);
  assert.deepEqual(namesIn(third.body), ['e']);
  assert.equal(third.body.metadata.continue, undefined);
});

test('pages with a selector do not count the rest', async () => {
  await using fixture = await startFixture();
  await fill(fixture, ['a', 'b', 'c', 'd']);
  const first = await fixture.call('GET', `${configMaps}?limit=1&labelSelector=name in (b,d)`);
  assert.deepEqual(namesIn(first.body), ['b']);
  assert.equal(first.body.metadata.remainingItemCount, undefined);
  await fixture.create(configMaps, { metadata: { name: 'z' } });
  const second = await fixture.call(
    'GET',
    `${configMaps}?limit=1&labelSelector=name in (b,d)&continue=${first.body.metadata.continue}`,
  );
  assert.deepEqual(namesIn(second.body), ['d']);
  assert.equal(second.body.metadata.continue, undefined);
});

test('an expired page comes with a token for the rest as it is now', async () => {
  await using fixture = await startFixture();
  await fill(fixture, ['a', 'b', 'c']);
  const first = await fixture.call('GET', `${configMaps}?limit=1`);
  await fixture.call('DELETE', `${configMaps}/b`);
  await fixture.create('/api/v1/namespaces', { metadata: { name: 'later' } });
  await fixture.store.compact(fixture.store.revision - 1);
  const expired = await fixture.call('GET', `${configMaps}?limit=1&continue=${first.body.metadata.continue}`);
  assert.equal(expired.status, 410);
  assert.equal(expired.body.reason, 'Expired');
  const rest = await fixture.call('GET', `${configMaps}?limit=5&continue=${expired.body.metadata.continue}`);
  assert.deepEqual(namesIn(rest.body), ['c']);
});

test('a list of the past shows the past', async () => {
  await using fixture = await startFixture();
  await fill(fixture, ['a']);
  const then = fixture.store.revision;
  await fill(fixture, ['b']);
  const past = await fixture.call('GET', `${configMaps}?resourceVersion=${then}&resourceVersionMatch=Exact`);
  assert.deepEqual(namesIn(past.body), ['a']);
  assert.equal(past.body.metadata.resourceVersion, `${then}`);
  const notOlder = await fixture.call('GET', `${configMaps}?resourceVersion=${then}&resourceVersionMatch=NotOlderThan`);
  assert.deepEqual(namesIn(notOlder.body), ['a', 'b']);
});

const refusals: readonly { query: string; status: number; message: RegExp }[] = [
  { query: 'continue=nonsense', status: 400, message: /continue key is not valid/ },
  { query: 'resourceVersion=x', status: 400, message: /invalid resource version/i },
  { query: 'resourceVersionMatch=Exact', status: 422, message: /forbidden unless resourceVersion is provided/ },
  { query: 'resourceVersion=0&resourceVersionMatch=Exact', status: 422, message: /forbidden for resourceVersion "0"/ },
  { query: 'resourceVersion=1&resourceVersionMatch=Odd', status: 422, message: /Unsupported value: "Odd"/ },
  { query: 'sendInitialEvents=true', status: 422, message: /sendInitialEvents is forbidden for list/ },
  { query: 'fieldSelector=data.x=1', status: 400, message: /field label not supported: data.x/ },
  { query: 'labelSelector=a%20b', status: 400, message: /unable to parse requirement/ },
];

for (const { query, status, message } of refusals) {
  test(`list refuses ${query}`, async () => {
    await using fixture = await startFixture();
    const answer = await fixture.call('GET', `${configMaps}?${query}`);
    assert.equal(answer.status, status, JSON.stringify(answer.body));
    assert.match(answer.body.message, message);
  });
}

test('a version from the future is waited for, then refused', async () => {
  await using fixture = await startFixture();
  const soon = fixture.store.revision + 1;
  const waiting = fixture.call('GET', `${configMaps}?resourceVersion=${soon}`);
  await fill(fixture, ['a']);
  assert.deepEqual(namesIn((await waiting).body), ['a']);
  const never = await fixture.call('GET', `${configMaps}?resourceVersion=999999`);
  assert.equal(never.status, 504);
  assert.match(never.body.message, /Too large resource version: 999999, current: \d+/);
  assert.equal(never.body.details.causes[0].reason, 'ResourceVersionTooLarge');
  assert.equal(never.headers['retry-after'], '1');
});

test('a name in a field selector finds one object', async () => {
  await using fixture = await startFixture();
  await fill(fixture, ['a', 'b']);
  const one = await fixture.call('GET', `${configMaps}?fieldSelector=metadata.name=b`);
  assert.deepEqual(namesIn(one.body), ['b']);
  const others = await fixture.call(
    'GET',
    `/api/v1/configmaps?fieldSelector=metadata.name!=b,metadata.namespace=default`,
  );
  assert.deepEqual(namesIn(others.body), ['a']);
});

test('a table has the columns of the kind and the metadata of the rows', async () => {
  await using fixture = await startFixture();
  await fill(fixture, ['a']);
  const headers = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' };
  const { body } = await fixture.call('GET', configMaps, { headers });
  assert.equal(body.kind, 'Table');
  assert.deepEqual(
    body.columnDefinitions.map((each: Json) => each.name),
    ['Name', 'Data', 'Age'],
  );
  assert.equal(body.rows[0].cells[0], 'a');
  assert.equal(body.rows[0].object.kind, 'PartialObjectMetadata');
  const whole = await fixture.call('GET', `${configMaps}?includeObject=Object`, { headers });
  assert.equal(whole.body.rows[0].object.kind, 'ConfigMap');
});

test('metadata clients get metadata', async () => {
  await using fixture = await startFixture();
  await fill(fixture, ['a']);
  const headers = { accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io' };
  const { body } = await fixture.call('GET', configMaps, { headers });
  assert.equal(body.kind, 'PartialObjectMetadataList');
  assert.equal(body.items[0].kind, 'PartialObjectMetadata');
  assert.equal(body.items[0].data, undefined);
});
