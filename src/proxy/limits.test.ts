import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { limits } from './limits.ts';

test('the README tells users every limit of every plane', () => {
  const readme = readFileSync(join(import.meta.dirname, 'README.md'), 'utf8');
  for (const [plane, features] of Object.entries(limits)) {
    for (const [feature, reason] of Object.entries(features)) {
      assert.ok(readme.includes(`| ${plane} | ${feature} | ${reason} |`), `${plane} ${feature} is not in the README`);
    }
  }
});
