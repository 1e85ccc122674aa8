import assert from 'node:assert/strict';
import {
  formatSelector,
  matchesFields,
  matchesLabels,
  parseFieldSelector,
  parseLabelSelector,
} from '../../../src/api/selector.ts';
import { attempt } from '../api-error.ts';
import type { Random } from '../random.ts';
import { textTarget } from '../target.ts';
import type { Target } from '../target.ts';
import { mutateText } from '../text-mutations.ts';

const keys = ['a', 'app.example/x', 'in', 'notin', 'constructor', '__proto__', 'x'.repeat(63), 'a_b.c-d'];
const values = ['a', 'b', '', '1', '-5', '9'.repeat(80), 'in', 'x_y.z'];
const words = [
  ...keys,
  ...values,
  ' in ',
  ' notin ',
  '(',
  ')',
  '()',
  ',',
  '!',
  '=',
  '==',
  '!=',
  '>',
  '<',
  '\\,',
  '\\=',
  '\\\\',
  '\t',
  'é',
];
const labels = { a: 'a', 'app.example/x': 'b', in: '1', constructor: '', notin: '99999999999999999999' };

/** Label and field selectors as they stand in queries. */
export const apiSelectors: Target = textTarget({
  name: 'api-selectors',
  generate: (random) => random.many(0, 4, () => randomTerm(random)).join(random.pick([',', ', ', ' ,'])),
  mutate: (random, text, other) => mutateText(random, text, other, words),
  check: (text) => `${checkLabels(text)}; ${checkFields(text)}`,
});

function randomTerm(random: Random): string {
  const key = random.pick(keys);
  const list = random.many(0, 3, () => random.pick(values)).join(',');
  const term = random.pick(['', '=', '==', '!=', '>', '<', ' in', ' notin']);
  if (term.startsWith(' ')) return `${key}${term} (${list})`;
  return term === '' ? `${random.oneIn(2) ? '!' : ''}${key}` : `${key}${term}${random.pick(values)}`;
}

function checkLabels(text: string): string {
  const read = attempt(() => parseLabelSelector(text));
  if ('refused' in read) return read.refused;
  const selector = read.value;
  assert.ok(text.trim() === '' || selector.length > 0, 'what says something is no selector of everything');
  const written = formatSelector(selector);
  const again = parseLabelSelector(written);
  assert.equal(formatSelector(again), written, 'the canonical text reads as itself');
  for (const each of [labels, {}, undefined]) {
    assert.equal(matchesLabels(again, each), matchesLabels(selector, each), `${written} matches the same`);
  }
  return [...new Set(selector.map(({ operator }) => operator))].sort().join();
}

function checkFields(text: string): string {
  const read = attempt(() => parseFieldSelector(text));
  if ('refused' in read) return read.refused;
  const matches = matchesFields(read.value, (field) => (field === 'a' ? 'b' : ''));
  for (const { field } of read.value) assert.ok(field !== '' && field === field.trim(), 'a field has a name');
  return `${Math.min(read.value.length, 2)} ${matches}`;
}
