import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { readText, repositoryFiles, root, typeScriptFiles } from './source-files.ts';

const pages = (): readonly string[] => repositoryFiles().filter((path) => path.endsWith('.md'));

test('every link in a page leads to a file of this repository', () => {
  const broken = pages().flatMap((page) =>
    [...readText(page).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)/g)]
      .map(([, link]) => link ?? '')
      .filter((link) => !existsSync(join(root, dirname(page), link)))
      .map((link) => `${page}: ${link}`),
  );
  assert.deepEqual(broken, []);
});

test('every `fairlead` command that a page shows exists', () => {
  const known = new Set(
    typeScriptFiles('src/cli').flatMap((file) =>
      [...readText(file).matchAll(/^\s+name: '([a-z]+)(?: [a-z]+)?',$/gm)].map(([, name]) => name ?? ''),
    ),
  );
  const unknown = pages().flatMap((page) =>
    [...readText(page).matchAll(/^\s*(?:\$ )?(?:sudo )?(?:\.\/)?fairlead ([a-z][a-z-]*)/gm)]
      .map(([, command]) => command ?? '')
      .filter((command) => !known.has(command))
      .map((command) => `${page}: fairlead ${command}`),
  );
  assert.deepEqual(unknown, []);
});

test('every component folder has a README', () => {
  const folders = new Set(typeScriptFiles('src').map((file) => file.split('/').slice(0, 2).join('/')));
  assert.deepEqual(
    [...folders].filter((folder) => !existsSync(join(root, folder, 'README.md'))),
    [],
  );
});

test('the lock file names no registry host', () => {
  assert.doesNotMatch(readText('package-lock.json'), /"resolved":|https?:\/\/[^"]*registry/);
});

test('no file carries a machine path or a leftover mark', () => {
  const marks = /\/(?:work|home\/[a-z]+)\/(?:main|shared)|\bTODO\b|\bFIXME\b|\bXXX\b/;
  const wrong = repositoryFiles()
    .filter(
      (path) =>
        /\.(ts|md|sh|json|yaml|c)$/.test(path) && !path.startsWith('test/repo/') && path !== 'package-lock.json',
    )
    .filter((path) => marks.test(readText(path)));
  assert.deepEqual(wrong, []);
});
