import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { planeNames } from './dataplane.ts';
import { type Feature, features, limits } from './limits.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/reference/planes.md'), 'utf8');

/** The table that the page must have, row by row. */
function expectedRows(): readonly string[] {
  return (Object.keys(features) as Feature[]).map((feature) => {
    const cells = planeNames.map((plane) => limits[plane][feature] ?? 'yes');
    return `| ${features[feature]} | ${cells.join(' | ')} |`;
  });
}

test('the page of planes shows users every feature, and every limit with its reason', () => {
  const rows = page.split('\n').filter((line) => line.startsWith('| '));
  assert.deepEqual(rows, [`| | ${planeNames.join(' | ')} |`, ...expectedRows()]);
});
