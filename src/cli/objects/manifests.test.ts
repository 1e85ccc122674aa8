import assert from 'node:assert/strict';
import { mkdirSync, mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseManifest, readManifests } from './manifests.ts';

const service = 'apiVersion: v1\nkind: Service\nmetadata:\n  name: a\n';

function placesOf(text: string): readonly string[] {
  return parseManifest(text, 'f.yaml').map(({ object, place }) => `${object.kind} ${place}`);
}

test('every document of a file has its line', () => {
  const text = `# first\n---\n${service}---\n# only a comment\n---\n\n${service.replace('Service', 'Pod')}`;
  assert.deepEqual(placesOf(text), ['Service f.yaml:3', 'Pod f.yaml:11']);
});

test('lists stand for their items', () => {
  const list = 'apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod}\n- {apiVersion: v1, kind: Service}\n';
  assert.deepEqual(placesOf(list), ['Pod f.yaml:1 (item 1)', 'Service f.yaml:1 (item 2)']);
});

test('JSON with tabs is read', () => {
  assert.deepEqual(placesOf('{\n\t"apiVersion": "v1",\n\t"kind": "Pod"\n}'), ['Pod f.yaml:1']);
});

const wrong: readonly [string, RegExp][] = [
  [`${service}  name: b\n`, /^f\.yaml:5: .*unique/],
  [`${service}spec: [1, 2\n`, /^f\.yaml:\d: /],
  ['apiVersion: v1\n', /^f\.yaml:1: kind is missing/],
  ['- a\n- b\n', /^f\.yaml:1: a Kubernetes object was expected, not a list/],
  ['hello\n', /^f\.yaml:1: a Kubernetes object was expected, not string/],
  [`${service}---\nkind: Pod\n`, /^f\.yaml:6: apiVersion is missing/],
];

for (const [text, message] of wrong) {
  test(`the fault in ${JSON.stringify(text)} is named with its line`, () => {
    assert.throws(() => parseManifest(text, 'f.yaml'), { message });
  });
}

const scalars: readonly [string, unknown][] = [
  ['yes', true],
  ['off', false],
  ['0644', 420],
  ['0o644', '0o644'],
  ['2001-12-14', '2001-12-14'],
  ['12:30:45', '12:30:45'],
  ['80', 80],
  ['"80"', '80'],
  ['1.5', 1.5],
  ['~', null],
];

for (const [text, value] of scalars) {
  test(`${text} is read as Kubernetes reads it`, () => {
    const [manifest] = parseManifest(`${service}value: ${text}\n`, 'f.yaml');
    assert.deepEqual(manifest?.object['value'], value);
  });
}

test('anchors and merge keys work', () => {
  const text = `${service}a: &a {x: 1}\nb:\n  <<: *a\n  z: 2\n`;
  assert.deepEqual(parseManifest(text, 'f.yaml')[0]?.object['b'], { x: 1, z: 2 });
});

function folderWith(files: Readonly<Record<string, string>>) {
  const folder = mkdtempDisposableSync(join(tmpdir(), 'fairlead-manifests-'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder.path, name, '..'), { recursive: true });
    writeFileSync(join(folder.path, name), text);
  }
  return folder;
}

async function* noInput() {
  yield service;
}

async function read(cwd: string, paths: readonly string[], recursive = false) {
  const found = await readManifests(paths, recursive, { cwd, stdin: () => noInput() });
  return found.map(({ place }) => place);
}

test('a folder gives its manifests in order of their names, deeper ones only when asked', async () => {
  using folder = folderWith({ 'm/b.yaml': service, 'm/a.yml': service, 'm/readme.md': 'x', 'm/deep/c.yaml': service });
  assert.deepEqual(await read(folder.path, ['m']), ['m/a.yml:1', 'm/b.yaml:1']);
  assert.deepEqual(await read(folder.path, ['m'], true), ['m/a.yml:1', 'm/b.yaml:1', 'm/deep/c.yaml:1']);
});

test('a dash is standard input', async () => {
  assert.deepEqual(await read('/', ['-']), ['stdin:1']);
});

test('missing files, empty folders and addresses are refused with the reason', async () => {
  using folder = folderWith({ 'empty/x.txt': '' });
  await assert.rejects(read(folder.path, ['nope.yaml']), { code: 3, message: /nope\.yaml: there is no such file/ });
  await assert.rejects(read(folder.path, ['empty']), { message: /no \.yaml, \.yml or \.json file/ });
  await assert.rejects(read(folder.path, ['https://example.com/a.yaml']), { code: 2 });
  await assert.rejects(read(folder.path, []), { code: 2 });
});
