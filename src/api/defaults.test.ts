import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pod } from './core/pod.ts';
import { int32, list, map, message, object, string } from './declare.ts';
import { withDefaults, withFieldDefaults } from './defaults.ts';
import { EndpointSlice } from './discovery/endpoint-slice.ts';

const Leaf = message('test.Leaf', {
  protocol: string(1, { default: 'TCP' }),
  port: int32(2, { required: true }),
  note: string(3),
});
const Tree = message('test.Tree', {
  leaf: object(1, Leaf),
  leaves: list(2, Leaf),
  byName: map(3, Leaf),
  always: object(4, Leaf, { present: true, pointer: false }),
  needed: list(5, 'string', { required: true }),
});

const complete = { protocol: 'TCP', port: 0 };

test('defaults are filled in at every depth', () => {
  assert.deepEqual(
    withFieldDefaults<unknown>(Tree, { leaf: {}, leaves: [{ port: 1 }, {}], byName: { a: { note: 'x' } } }),
    {
      leaf: complete,
      leaves: [{ protocol: 'TCP', port: 1 }, complete],
      byName: { a: { ...complete, note: 'x' } },
      always: complete,
      needed: [],
    },
  );
});

test('optional objects stay absent', () => {
  assert.deepEqual(withFieldDefaults<unknown>(Tree, {}), { always: complete, needed: [] });
});

test('what is complete is given back as it is', () => {
  const value = { leaf: complete, leaves: [complete], always: complete, needed: ['a'] };
  assert.equal(withFieldDefaults<unknown>(Tree, value), value);
});

test('arguments are not changed', () => {
  const value = Object.freeze({ leaves: Object.freeze([Object.freeze({})]) });
  assert.notEqual(withFieldDefaults<unknown>(Tree, value), value);
  assert.deepEqual(value, { leaves: [{}] });
});

test('a Pod that says nothing of containers has none, and an address list is a list', () => {
  const pod = { metadata: { name: 'a' }, spec: {} } as Pod;
  assert.deepEqual(withDefaults(Pod, pod).spec.containers, []);
  const slice = { metadata: { name: 'a' }, addressType: 'IPv4', endpoints: [{}] } as unknown as EndpointSlice;
  assert.deepEqual(withDefaults(EndpointSlice, slice).endpoints, [{ addresses: [] }]);
});
