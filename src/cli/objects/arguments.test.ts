import assert from 'node:assert/strict';
import { test } from 'node:test';
import { discovery, fakeTransport } from '../testing/test-io.ts';
import { readOneTarget, readTargets } from './arguments.ts';
import { loadResourceTypes } from './resource-types.ts';

const types = await loadResourceTypes(fakeTransport(discovery));

const readable: readonly [string, readonly string[]][] = [
  ['pods', ['pods']],
  ['po,svc', ['pods', 'services']],
  ['Deployment', ['deployments']],
  ['deployments.apps', ['deployments']],
  ['deployments.v1.apps web', ['deployments/web']],
  ['services.v1', ['services']],
  ['pod a b', ['pods/a', 'pods/b']],
  ['pod/a svc/b', ['pods/a', 'services/b']],
  ['all', ['pods', 'services', 'deployments', 'replicasets']],
];

for (const [line, expected] of readable) {
  test(`"${line}" means ${expected.join(', ')}`, () => {
    const targets = readTargets(types, line.split(' '));
    assert.deepEqual(
      targets.map(({ type, name }) => (name === undefined ? type.plural : `${type.plural}/${name}`)),
      expected,
    );
  });
}

const refused: readonly [string, RegExp, number][] = [
  ['pdos', /no resource type "pdos"/, 3],
  ['deployments.extensions', /no resource type/, 3],
  ['pod/a b', /"b" is not TYPE\/NAME/, 2],
  ['pod/', /"pod\/" is not TYPE\/NAME/, 2],
];

for (const [line, message, code] of refused) {
  test(`"${line}" is refused`, () => assert.throws(() => readTargets(types, line.split(' ')), { message, code }));
}

test('a mistyped type gets a proposal', () => {
  assert.throws(() => readTargets(types, ['pdos']), { hint: 'did you mean pods?' });
});

test('a bare name is of the type that the command is about', () => {
  const one = (...args: readonly string[]) => {
    const { type, name } = readOneTarget(types, args, 'pods');
    return `${type.plural}/${name}`;
  };
  assert.equal(one('a'), 'pods/a');
  assert.equal(one('deploy/a'), 'deployments/a');
  assert.equal(one('svc', 'a'), 'services/a');
});
