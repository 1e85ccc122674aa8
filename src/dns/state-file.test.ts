import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  ask,
  dnsNamespace,
  dnsService,
  dnsSlice,
  headlessService,
  importedSlice,
  serviceImport,
  summary,
  testResponder,
} from './fixtures.ts';
import { loadState, saveState } from './state-file.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fairlead-dns-state-'));
});
after(() => rm(folder, { recursive: true }));

const state = {
  services: [headlessService(), dnsService({}, 'web')],
  slices: [
    dnsSlice(['10.244.0.1 host=web-0', '10.244.0.2 !ready']),
    dnsSlice(['10.244.0.9'], {
      metadata: { name: 'web-1', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'web' } },
    }),
  ],
  namespaces: [dnsNamespace()],
  imports: [],
  hidesEmptyServices: false,
};

test('what is saved answers as before', async () => {
  await saveState(folder, state);
  const changes = await loadState(folder);
  assert.ok(changes);
  const { responder } = testResponder({ changes });
  assert.deepEqual(summary(await ask(responder, 'web-0.cart.shop.svc.cluster.local', 'A')).slice(1), [
    'web-0.cart.shop.svc.cluster.local. 5 A 10.244.0.1',
  ]);
  assert.deepEqual(summary(await ask(responder, 'web.shop.svc.cluster.local', 'A')).slice(1), [
    'web.shop.svc.cluster.local. 5 A 10.96.0.1',
  ]);
  assert.equal(changes.filter(({ type }) => type === 'slice').length, 1, 'slices without names are not kept');
});

test('ServiceImports are kept, with the endpoints of their clusters', async () => {
  const config = { multicluster: ['clusterset.local'] };
  await saveState(folder, {
    ...state,
    slices: [importedSlice(['10.2.0.1 host=web-0'], 'east')],
    imports: [serviceImport('Headless')],
  });
  const { responder } = testResponder({ changes: await loadState(folder), config });
  const name = 'web-0.east.cart.shop.svc.clusterset.local';
  assert.deepEqual(summary(await ask(responder, name, 'A')), ['NOERROR AA', `${name}. 5 A 10.2.0.1`]);
});

test('where Services without endpoints are hidden, those with some are not after a restart', async () => {
  await saveState(folder, { ...state, hidesEmptyServices: true });
  const { responder } = testResponder({ changes: await loadState(folder), config: { hidesEmptyServices: true } });
  assert.equal((await ask(responder, 'web.shop.svc.cluster.local', 'A')).answers.length, 1);
});

test('a file that is damaged, cut or of another version counts as none', async () => {
  await saveState(folder, state);
  const path = join(folder, 'state.ndjson');
  const text = await readFile(path, 'utf8');
  const lines = text.trimEnd().split('\n');
  for (const damaged of [
    '',
    'nonsense',
    text.slice(0, -30),
    lines.slice(0, -1).join('\n'),
    [lines[0], ...lines.slice(2)].join('\n'),
    text.replace('"version":1', '"version":2'),
  ]) {
    await writeFile(path, damaged);
    assert.equal(await loadState(folder), undefined, damaged.slice(0, 60));
  }
  assert.equal(await loadState(join(folder, 'nowhere')), undefined);
});
