import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { array, assert as assertProperty, constantFrom, property } from 'fast-check';
import {
  differenceOf,
  fieldNode,
  intersectionOf,
  isEmptySet,
  membersOf,
  noFields,
  sameSet,
  unionOf,
  withoutFields,
  type FieldSet,
} from './field-set.ts';
import { showPath } from './path-element.ts';

const elements = ['f:a', 'f:b', 'k:{"name":"x"}', 'v:1'] as const;
const paths = array(array(constantFrom(...elements), { minLength: 1, maxLength: 3 }), { maxLength: 8 });

function setOf(members: readonly (readonly string[])[]): FieldSet {
  return members.reduce((set, path) => unionOf(set, pathSet(path)), noFields);
}

function pathSet(path: readonly string[]): FieldSet {
  return path.reduceRight<FieldSet>((node, element) => ({ [element]: node }), noFields);
}

function textOf(set: FieldSet): Set<string> {
  return new Set(Array.from(membersOf(set), (path) => path.join(' ')));
}

describe('a set of field paths', () => {
  it('is what sets of paths are', () => {
    assertProperty(
      property(paths, paths, (left, right) => {
        const a = new Set(left.map((path) => path.join(' ')));
        const b = new Set(right.map((path) => path.join(' ')));
        assert.deepEqual(textOf(unionOf(setOf(left), setOf(right))), a.union(b));
        assert.deepEqual(textOf(differenceOf(setOf(left), setOf(right))), a.difference(b));
        assert.deepEqual(textOf(intersectionOf(setOf(left), setOf(right))), a.intersection(b));
        assert.equal(sameSet(setOf(left), setOf(right)), a.symmetricDifference(b).size === 0);
        assert.equal(isEmptySet(setOf(left)), a.size === 0);
      }),
    );
  });

  it('tells a member with children from a mere way to them', () => {
    const way = { 'f:a': { 'f:b': {} } };
    const member = { 'f:a': { '.': {}, 'f:b': {} } };
    assert.deepEqual(differenceOf(member, way), { 'f:a': {} });
    assert.deepEqual(differenceOf(member, { 'f:a': {} }), way);
    assert.deepEqual(intersectionOf(member, way), way);
    assert.equal(fieldNode(false, {}), undefined);
  });

  it('loses fields with all that is below them', () => {
    const set = { 'f:metadata': { 'f:name': {}, 'f:labels': { 'f:a': {} } }, 'f:status': { 'f:phase': {} } };
    assert.deepEqual(withoutFields(set, [['status'], ['metadata', 'name']]), {
      'f:metadata': { 'f:labels': { 'f:a': {} } },
    });
    assert.deepEqual(withoutFields({ 'f:metadata': { 'f:name': {} } }, [['metadata', 'name']]), {});
  });

  it('shows paths as the API server does', () => {
    const path = ['f:spec', 'f:ports', 'k:{"port":80,"protocol":"TCP"}', 'f:name'];
    assert.equal(showPath(path), '.spec.ports[port=80,protocol="TCP"].name');
    assert.equal(showPath(['f:metadata', 'f:finalizers', 'v:"a"']), '.metadata.finalizers[="a"]');
    assert.equal(showPath(['f:list', 'i:3']), '.list[3]');
  });
});
