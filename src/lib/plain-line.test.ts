import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plainLine } from './plain-line.ts';

test('what moves the cursor, ends a line or turns the writing is shown, everything else is left', () => {
  assert.equal(
    plainLine('a\nb\r\tc\u001b[31md\u0007\u007f\u009b\u2028\u202e'),
    'a\\nb\\r\\tc\\u001b[31md\\u0007\\u007f\\u009b\\u2028\\u202e',
  );
  for (const text of ['', 'shop/cart: 10 ½ ms', 'grüße, 世界 🚢', 'a "quoted" \\n'])
    assert.equal(plainLine(text), text);
});

test('inside JSON it changes no value', () => {
  const value = { message: 'a\u009b31m\n\u2028b' };
  assert.deepEqual(JSON.parse(plainLine(JSON.stringify(value))), value);
});
