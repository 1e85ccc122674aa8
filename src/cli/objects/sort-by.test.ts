import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareValues, fieldReader } from './sort-by.ts';

const object = { metadata: { name: 'a', labels: { 'app.kubernetes.io/name': 'x' } }, spec: { ports: [{ port: 80 }] } };

const paths: readonly [string, unknown][] = [
  ['.metadata.name', 'a'],
  ['metadata.name', 'a'],
  ['{.spec.ports[0].port}', 80],
  [".metadata.labels['app.kubernetes.io/name']", 'x'],
  ['.spec.nothing.here', undefined],
  ['.constructor', undefined],
];

for (const [path, value] of paths) {
  test(`${path} is read`, () => assert.equal(fieldReader(path)(object), value));
}

for (const path of ['', '.items[*].name', '{.a', '.a..b']) {
  test(`"${path}" is refused`, () => assert.throws(() => fieldReader(path), { code: 2 }));
}

test('numbers are ordered by size, texts naturally, absent values first', () => {
  assert.deepEqual([10, 9, 1].toSorted(compareValues), [1, 9, 10]);
  assert.deepEqual(['pod-10', 'pod-9'].toSorted(compareValues), ['pod-9', 'pod-10']);
  assert.ok(compareValues(undefined, 'a') < 0);
});
