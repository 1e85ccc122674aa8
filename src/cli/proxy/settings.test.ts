import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageError } from '../command-error.ts';
import { readDefaults } from './settings.ts';

test('--reset-removed takes what the annotation takes: a time of 30 days at most, or never', () => {
  const seconds = (text: string | undefined) => readDefaults({ scheduler: undefined, 'reset-removed': text });
  const read = [undefined, 'never', '0s', '1500ms', '30d'].map((text) => seconds(text).resetAfterSeconds);
  assert.deepEqual(read, [undefined, undefined, 0, 2, 30 * 86_400]);
  for (const text of ['soon', '', '31d', '999999999999d', '-1s']) {
    const complaint = `--reset-removed: "${text}" is no duration such as 30s, of 30 days at most, nor "never"`;
    assert.throws(() => seconds(text), new UsageError(complaint));
  }
});
