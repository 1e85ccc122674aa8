import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ApiError } from '../../api/errors.ts';
import { applyJsonPatch } from './json-patch.ts';

const document = { spec: { replicas: 2, list: ['a', 'b'], 'a/b': { '~': 1 } }, status: null };

const applied: readonly (readonly [string, unknown[], unknown])[] = [
  ['adds a field', [{ op: 'add', path: '/x', value: 1 }], { ...document, x: 1 }],
  ['replaces the whole document', [{ op: 'replace', path: '', value: { a: 1 } }], { a: 1 }],
  [
    'inserts into a list',
    [
      { op: 'add', path: '/spec/list/1', value: 'x' },
      { op: 'test', path: '/spec/list', value: ['a', 'x', 'b'] },
      { op: 'remove', path: '/spec/list/1' },
    ],
    document,
  ],
  [
    'appends to a list',
    [
      { op: 'add', path: '/spec/list/-', value: 'c' },
      { op: 'test', path: '/spec/list/2', value: 'c' },
      { op: 'remove', path: '/spec/list/2' },
    ],
    document,
  ],
  ['finds escaped names', [{ op: 'test', path: '/spec/a~1b/~0', value: 1 }], document],
  [
    'moves',
    [
      { op: 'move', from: '/spec/replicas', path: '/size' },
      { op: 'remove', path: '/spec' },
    ],
    { status: null, size: 2 },
  ],
  [
    'copies',
    [
      { op: 'copy', from: '/spec/list', path: '/list' },
      { op: 'replace', path: '/spec', value: 1 },
    ],
    { spec: 1, status: null, list: ['a', 'b'] },
  ],
  ['takes absent for null in a test', [{ op: 'test', path: '/nothing', value: null }], document],
  [
    'makes an own field of __proto__',
    [
      { op: 'add', path: '/__proto__', value: 1 },
      { op: 'test', path: '/__proto__', value: 1 },
      { op: 'remove', path: '/__proto__' },
    ],
    document,
  ],
];

describe('a JSON patch', () => {
  for (const [what, patch, expected] of applied) {
    it(what, () => {
      const before = structuredClone(document);
      assert.deepEqual(applyJsonPatch(document, patch), expected);
      assert.deepEqual(document, before);
    });
  }

  const refused: readonly (readonly [number, string, unknown])[] = [
    [400, 'that is no list', {}],
    [400, 'of something that is no operation', [1]],
    [400, 'with a path that is no pointer', [{ op: 'remove', path: 'spec' }]],
    [400, 'that adds nothing', [{ op: 'add', path: '/x' }]],
    [413, 'of too many operations', Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/x', value: null }))],
    [
      413,
      'that copies without end',
      Array.from({ length: 40 }, (_, at) => ({ op: 'copy', from: '/spec', path: `/spec/${at}` })),
    ],
    [422, 'whose test fails', [{ op: 'test', path: '/spec/replicas', value: 3 }]],
    [422, 'of an unknown operation', [{ op: 'increment', path: '/x' }]],
    [422, 'that removes what is absent', [{ op: 'remove', path: '/nothing' }]],
    [422, 'that replaces what is absent', [{ op: 'replace', path: '/nothing', value: 1 }]],
    [422, 'that adds below what is absent', [{ op: 'add', path: '/nothing/x', value: 1 }]],
    [422, 'past the end of a list', [{ op: 'add', path: '/spec/list/3', value: 1 }]],
    [422, 'with an index that is none', [{ op: 'remove', path: '/spec/list/x' }]],
    [422, 'that moves a value into itself', [{ op: 'move', from: '/spec', path: '/spec/list' }]],
    [422, 'that makes no object', [{ op: 'replace', path: '', value: 1 }]],
    [422, 'of an inherited field', [{ op: 'remove', path: '/constructor' }]],
  ];
  for (const [code, what, patch] of refused) {
    it(`${what} is refused with ${code}`, () => {
      assert.throws(
        () => applyJsonPatch(document, patch),
        (error) => error instanceof ApiError && error.code === code,
      );
    });
  }

  it('says which test failed', () => {
    assert.throws(
      () => applyJsonPatch(document, [{ op: 'test', path: '/spec/replicas', value: 3 }]),
      (error) => {
        assert.ok(error instanceof ApiError);
        assert.equal(error.reason, 'Invalid');
        assert.deepEqual(error.status.details?.causes?.[0], {
          reason: 'FieldValueInvalid',
          message: 'testing value /spec/replicas failed',
          field: '/spec/replicas',
        });
        return true;
      },
    );
  });
});
