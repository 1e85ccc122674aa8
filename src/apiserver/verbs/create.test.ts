import assert from 'node:assert/strict';
import { validateHeaderValue } from 'node:http';
import { test } from 'node:test';
import { startFixture } from '../testing/fixture.ts';

const configMaps = '/api/v1/namespaces/default/configmaps';

test('a created object has a uid, a time, a version and its manager', async () => {
  await using fixture = await startFixture({ now: () => Date.parse('2026-01-02T03:04:05.678Z') });
  const made = await fixture.create(configMaps, { metadata: { name: 'a' }, data: { x: '1' } });
  assert.match(made.metadata.uid, /^[0-9a-f-]{36}$/);
  assert.equal(made.metadata.creationTimestamp, '2026-01-02T03:04:05Z');
  assert.equal(made.metadata.namespace, 'default');
  assert.equal(made.metadata.resourceVersion, `${fixture.store.revision}`);
  assert.equal(made.metadata.managedFields[0].manager, 'test');
  const found = await fixture.call('GET', `${configMaps}/a`);
  assert.deepEqual(found.body, made);
});

test('generateName makes distinct names', async () => {
  await using fixture = await startFixture();
  const body = { metadata: { generateName: 'job-' } };
  const made = await Promise.all(Array.from({ length: 20 }, () => fixture.create(configMaps, body)));
  const names = new Set(made.map((each) => each.metadata.name));
  assert.equal(names.size, 20);
  for (const name of names) assert.match(name, /^job-[a-z0-9]{5}$/);
});

test('a dry run answers as if and stores nothing', async () => {
  await using fixture = await startFixture();
  const before = fixture.store.revision;
  const answer = await fixture.call('POST', `${configMaps}?dryRun=All`, { body: { metadata: { name: 'a' } } });
  assert.equal(answer.status, 201);
  assert.equal(answer.body.metadata.resourceVersion, undefined);
  assert.equal(fixture.store.revision, before);
  assert.equal((await fixture.call('GET', `${configMaps}/a`)).status, 404);
});

test('of many writers of one name one wins', async () => {
  await using fixture = await startFixture();
  const calls = Array.from({ length: 10 }, () =>
    fixture.call('POST', configMaps, { body: { metadata: { name: 'a' } } }),
  );
  const codes = (await Promise.all(calls)).map((each) => each.status).sort();
  assert.deepEqual(codes, [201, ...Array.from({ length: 9 }, () => 409)]);
});

const refusals: readonly {
  what: string;
  path: string;
  body: unknown;
  headers?: Record<string, string>;
  status: number;
  message: RegExp;
}[] = [
  {
    what: 'a namespace that is not there',
    path: '/api/v1/namespaces/nope/configmaps',
    body: { metadata: { name: 'a' } },
    status: 404,
    message: /^namespaces "nope" not found$/,
  },
  {
    what: 'another namespace in the body',
    path: configMaps,
    body: { metadata: { name: 'a', namespace: 'x' } },
    status: 400,
    message: /namespace of the provided object does not match/,
  },
  {
    what: 'a resource version',
    path: configMaps,
    body: { metadata: { name: 'a', resourceVersion: '5' } },
    status: 400,
    message: /resourceVersion should not be set/,
  },
  {
    what: 'another kind',
    path: configMaps,
    body: { kind: 'Secret', metadata: { name: 'a' } },
    status: 400,
    message: /must be of type ConfigMap/,
  },
  {
    what: 'a bad name',
    path: configMaps,
    body: { metadata: { name: 'A_b' } },
    status: 422,
    message: /ConfigMap "A_b" is invalid: metadata.name/,
  },
  {
    what: 'an unknown field when strict',
    path: `${configMaps}?fieldValidation=Strict`,
    body: { metadata: { name: 'a' }, dat: {} },
    status: 400,
    message: /strict decoding error: unknown field "dat"/,
  },
  {
    what: 'a bad dryRun',
    path: `${configMaps}?dryRun=Some`,
    body: { metadata: { name: 'a' } },
    status: 422,
    message: /dryRun: Unsupported value: "Some"/,
  },
  {
    what: 'a long field manager',
    path: `${configMaps}?fieldManager=${'x'.repeat(129)}`,
    body: { metadata: { name: 'a' } },
    status: 422,
    message: /fieldManager: Too long/,
  },
  { what: 'broken JSON', path: configMaps, body: '{', status: 400, message: /JSON/ },
  {
    what: 'a foreign media type',
    path: configMaps,
    body: 'x',
    headers: { 'content-type': 'text/plain' },
    status: 415,
    message: /unknown format/,
  },
  {
    what: 'an unknown resource',
    path: '/api/v1/namespaces/default/nothings',
    body: {},
    status: 404,
    message: /could not find the requested resource/,
  },
  {
    what: 'a client that takes no JSON',
    path: configMaps,
    body: { metadata: { name: 'a' } },
    headers: { accept: 'text/html' },
    status: 406,
    message: /only the following media types/,
  },
];

for (const { what, path, body, headers, status, message } of refusals) {
  test(`create refuses ${what}`, async () => {
    await using fixture = await startFixture();
    const answer = await fixture.call('POST', path, { body, headers });
    assert.equal(answer.status, status, JSON.stringify(answer.body));
    assert.equal(answer.body.kind, 'Status');
    assert.equal(answer.body.code, status);
    assert.match(answer.body.message, message);
  });
}

test('an unknown field is a warning unless the client wants otherwise', async () => {
  await using fixture = await startFixture();
  const warned = await fixture.call('POST', configMaps, { body: { metadata: { name: 'a' }, dat: {} } });
  assert.equal(warned.status, 201);
  assert.equal(warned.headers['warning'], '299 - "unknown field \\"dat\\""');
  const ignored = await fixture.call('POST', `${configMaps}?fieldValidation=Ignore`, {
    body: { metadata: { name: 'b' }, dat: {} },
  });
  assert.equal(ignored.headers['warning'], undefined);
});

test('a warning in any alphabet is a header of bytes, and many of them stay short', async () => {
  await using fixture = await startFixture();
  const warned = await fixture.call('POST', configMaps, { body: { metadata: { name: 'a' }, '\u{1f600}é\u{7f}': 1 } });
  const header = warned.headers['warning'] ?? '';
  validateHeaderValue('warning', header);
  assert.equal(Buffer.from(header, 'latin1').toString(), '299 - "unknown field \\"\u{1f600}é \\""');
  const fields = Array.from({ length: 1000 }, (_, index) => [`${'x'.repeat(300)}${index}`, 1]);
  const many = await fixture.call('POST', configMaps, {
    body: { metadata: { name: 'b' }, ...Object.fromEntries(fields) },
  });
  assert.ok((many.headers['warning'] ?? '').length < 5000);
});

test('an object without metadata is refused for want of a name', async () => {
  await using fixture = await startFixture();
  const answer = await fixture.call('POST', configMaps, { body: { data: {} } });
  assert.equal(answer.status, 422);
  assert.match(answer.body.message, /name or generateName is required/);
});

test('a review that asks nothing is refused, an event about nothing is listed', async () => {
  await using fixture = await startFixture();
  const authorization = '/apis/authorization.k8s.io/v1';
  for (const plural of ['subjectaccessreviews', 'selfsubjectaccessreviews']) {
    assert.equal((await fixture.call('POST', `${authorization}/${plural}`, { body: {} })).status, 400, plural);
  }
  const tokens = await fixture.call('POST', '/apis/authentication.k8s.io/v1/tokenreviews', { body: {} });
  assert.equal(tokens.body.status.error, 'invalid bearer token');
  await fixture.call('POST', '/api/v1/namespaces/default/events', { body: { metadata: { name: 'a' } } });
  const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io';
  assert.equal((await fixture.call('GET', '/api/v1/events', { headers: { accept } })).status, 200);
});

test('a terminating namespace takes nothing new', async () => {
  await using fixture = await startFixture();
  await fixture.create('/api/v1/namespaces', { metadata: { name: 'team' } });
  const deleted = await fixture.call('DELETE', '/api/v1/namespaces/team');
  assert.equal(deleted.body.status.phase, 'Terminating');
  const answer = await fixture.call('POST', '/api/v1/namespaces/team/configmaps', {
    body: { metadata: { name: 'a' } },
  });
  assert.equal(answer.status, 403);
  assert.match(answer.body.message, /unable to create new content in namespace team because it is being terminated/);
  assert.equal(answer.body.details.causes[0].reason, 'NamespaceTerminating');
});
