import assert from 'node:assert/strict';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { readText, typeScriptFiles } from './source-files.ts';

/** Folder → the folders of `src/` that it may import. A folder may always import itself. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  observe: ['lib'],
  linux: ['lib', 'observe'],
  api: ['lib', 'observe'],
  store: ['lib', 'observe', 'api'],
  apiserver: ['lib', 'observe', 'api', 'store'],
  client: ['lib', 'observe', 'api'],
  routing: ['lib', 'observe', 'api'],
  controllers: ['lib', 'observe', 'api', 'client'],
  proxy: ['lib', 'observe', 'api', 'client', 'routing', 'linux'],
  dns: ['lib', 'observe', 'api', 'client', 'routing', 'linux'],
  agent: ['lib', 'observe', 'api', 'client', 'linux'],
  cli: [
    'lib',
    'observe',
    'api',
    'store',
    'apiserver',
    'client',
    'routing',
    'controllers',
    'proxy',
    'dns',
    'agent',
    'linux',
  ],
};

/** Tests may also start the real parts that a component meets through the API. */
const allowedInTests = ['store', 'apiserver', 'client', 'controllers'];

interface Import {
  readonly file: string;
  readonly target: string;
}

function relativeImports(file: string): readonly Import[] {
  const pattern = /(?:from|import)\s*\(?\s*['"](\.{1,2}\/[^'"]+)['"]/g;
  return [...readText(file).matchAll(pattern)].map(([, path]) => ({
    file,
    target: normalize(join(dirname(file), path ?? '')),
  }));
}

function isAllowed({ file, target }: Import): boolean {
  const [, from = ''] = file.split('/');
  const [top, to = ''] = target.split('/');
  const isTest = /\.test\.ts$|contract\.ts$|\/(?:testing|contract)\//.test(file);
  if (top === 'test') return isTest;
  if (top !== 'src') return false;
  if (from === to || (allowed[from] ?? []).includes(to)) return true;
  return isTest && allowedInTests.includes(to);
}

test('every folder imports only the folders that the design gives it', () => {
  const wrong = typeScriptFiles('src')
    .flatMap(relativeImports)
    .filter((entry) => !isAllowed(entry))
    .map(({ file, target }) => `${file} imports ${target}`);
  assert.deepEqual(wrong, []);
});

test('every folder of src is in the import table', () => {
  const folders = new Set(typeScriptFiles('src').map((file) => file.split('/')[1] ?? ''));
  assert.deepEqual(
    [...folders].filter((folder) => !(folder in allowed)),
    [],
  );
});

test('only src/linux calls foreign functions', () => {
  const wrong = typeScriptFiles('src', 'bin').filter(
    (file) => !file.startsWith('src/linux/') && /from 'koffi'|import\('koffi'\)/.test(readText(file)),
  );
  assert.deepEqual(wrong, []);
});

test('imports name their file, and nothing is exported by default or by star', () => {
  const wrong = typeScriptFiles('src', 'bin').flatMap((file) =>
    readText(file)
      .split('\n')
      .filter((line) => /^export (default|\*)/.test(line) || /from '\.[^']*(?<!\.ts|\.json)'/.test(line))
      .map((line) => `${file}: ${line}`),
  );
  assert.deepEqual(wrong, []);
});
