import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from './errors.ts';
import {
  formatSelector,
  matchesFields,
  matchesLabels,
  parseFieldSelector,
  parseLabelSelector,
  selectorFromLabelSelector,
  selectorFromMap,
} from './selector.ts';

const labels = { app: 'web', tier: 'front', version: '3', 'example.com/team': 'a' };

const matching = [
  '',
  'app',
  'app=web',
  'app==web',
  'app = web , tier in (front, back)',
  'app!=db',
  'missing!=x',
  '!missing',
  'app notin (db)',
  'tier in (front)',
  'version>2',
  'version<10',
  'example.com/team=a',
  'missing notin (a,b)',
];
const failing = [
  'app=db',
  '!app',
  'missing',
  'app in (a,b)',
  'app notin (web)',
  'version>3',
  'app>1',
  'app=',
  'app in ()',
];
const malformed = [
  'app=a=b',
  '(a)',
  'app in',
  'app in (a',
  'app,',
  '=a',
  'app in a',
  'a b',
  '-a=b',
  'app=a b',
  'app>x',
  'app,,b',
];

for (const text of matching) {
  test(`"${text}" selects`, () => assert.equal(matchesLabels(parseLabelSelector(text), labels), true));
}
for (const text of failing) {
  test(`"${text}" does not select`, () => assert.equal(matchesLabels(parseLabelSelector(text), labels), false));
}
for (const text of malformed) {
  test(`"${text}" is answered with 400`, () => {
    assert.throws(
      () => parseLabelSelector(text),
      (error) => error instanceof ApiError && error.code === 400,
    );
  });
}

test('an absent selector matches nothing, an empty one everything', () => {
  assert.equal(matchesLabels(selectorFromLabelSelector(undefined), labels), false);
  assert.equal(matchesLabels(selectorFromLabelSelector({}), labels), true);
  assert.equal(matchesLabels(selectorFromMap({}), labels), false);
  assert.equal(matchesLabels(selectorFromMap({ app: 'web' }), labels), true);
});

test('a LabelSelector needs its labels and its expressions', () => {
  const selector = selectorFromLabelSelector({
    matchLabels: { app: 'web' },
    matchExpressions: [
      { key: 'tier', operator: 'In', values: ['front'] },
      { key: 'x', operator: 'DoesNotExist' },
    ],
  });
  assert.equal(matchesLabels(selector, labels), true);
  assert.equal(matchesLabels(selector, { ...labels, x: '' }), false);
  assert.equal(formatSelector(selector ?? []), 'app=web,tier=front,!x');
});

test('operators named like members of Object are none', () => {
  const matchExpressions = [{ key: 'a', operator: 'constructor' }];
  assert.throws(() => selectorFromLabelSelector({ matchExpressions }), /not a valid label selector operator/);
});

test('labels named like members of Object are only labels', () => {
  assert.equal(matchesLabels(parseLabelSelector('constructor'), {}), false);
  assert.equal(matchesLabels(parseLabelSelector('!toString'), {}), true);
});

test('field selectors compare text, with escapes', () => {
  const requirements = parseFieldSelector(String.raw`metadata.name=a\,b,spec.x!=c,,y==d`);
  assert.deepEqual(requirements, [
    { field: 'metadata.name', value: 'a,b', equal: true },
    { field: 'spec.x', value: 'c', equal: false },
    { field: 'y', value: 'd', equal: true },
  ]);
  const values = new Map([
    ['metadata.name', 'a,b'],
    ['y', 'd'],
  ]);
  assert.equal(
    matchesFields(requirements, (field) => values.get(field) ?? ''),
    true,
  );
  assert.throws(() => parseFieldSelector('nonsense'), /can't understand/);
  assert.throws(() => parseFieldSelector('  =a'), /can't understand/, 'a field has a name');
});
