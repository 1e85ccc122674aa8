import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ApiObject, ObjectMeta, OwnerReference } from '../../api/meta/object-meta.ts';
import { decideGarbage } from './reconcile.ts';
import type { Decision, OwnerState } from './reconcile.ts';

const time = '2026-01-01T00:00:00Z';

function owner(uid: string, blockOwnerDeletion = true): OwnerReference {
  return { apiVersion: 'v1', kind: 'ConfigMap', name: uid, uid, blockOwnerDeletion };
}

function object(metadata: ObjectMeta): ApiObject {
  return { metadata: { name: 'it', uid: 'it', ...metadata } };
}

const blocking = object({ name: 'child', uid: 'child', ownerReferences: [owner('it')] });
const notBlocking = object({ name: 'child', uid: 'child', ownerReferences: [owner('it', false)] });
const keep: Decision = { action: 'keep' };

const cases: readonly {
  title: string;
  metadata: ObjectMeta;
  owners?: Record<string, OwnerState>;
  dependents?: readonly ApiObject[];
  expected: Decision;
}[] = [
  { title: 'without owners it stays', metadata: {}, expected: keep },
  {
    title: 'with a present owner it stays',
    metadata: { ownerReferences: [owner('a')] },
    owners: { a: 'present' },
    expected: keep,
  },
  {
    title: 'when its only owner is gone it goes',
    metadata: { ownerReferences: [owner('a')] },
    owners: { a: 'absent' },
    expected: { action: 'delete', propagationPolicy: 'Background' },
  },
  {
    title: 'when one of two owners is gone it loses that reference',
    metadata: { ownerReferences: [owner('a'), owner('b')] },
    owners: { a: 'absent', b: 'present' },
    expected: { action: 'setOwners', ownerReferences: [owner('b')] },
  },
  {
    title: 'when its owner waits it goes',
    metadata: { ownerReferences: [owner('a')] },
    owners: { a: 'waiting' },
    expected: { action: 'delete', propagationPolicy: 'Background' },
  },
  {
    title: 'when its owner waits and it has dependents they go first',
    metadata: { ownerReferences: [owner('a')] },
    owners: { a: 'waiting' },
    dependents: [blocking],
    expected: { action: 'delete', propagationPolicy: 'Foreground' },
  },
  {
    title: 'a finalizer on it decides what happens to its dependents',
    metadata: { ownerReferences: [owner('a')], finalizers: ['orphan'] },
    owners: { a: 'absent' },
    expected: { action: 'delete', propagationPolicy: 'Orphan' },
  },
  {
    title: 'on its way out for another reason it is left alone',
    metadata: { deletionTimestamp: time, finalizers: ['x'] },
    expected: keep,
  },
  {
    title: 'in the foreground it waits for what blocks it',
    metadata: { deletionTimestamp: time, finalizers: ['foregroundDeletion'] },
    dependents: [blocking],
    expected: keep,
  },
  {
    title: 'in the foreground it does not wait for what does not block it',
    metadata: { deletionTimestamp: time, finalizers: ['x', 'foregroundDeletion'] },
    dependents: [notBlocking],
    expected: { action: 'setFinalizers', finalizers: ['x'] },
  },
  {
    title: 'its orphans lose it first',
    metadata: { deletionTimestamp: time, finalizers: ['orphan'] },
    dependents: [blocking],
    expected: { action: 'orphan', dependents: [blocking] },
  },
  {
    title: 'with all orphans free it goes',
    metadata: { deletionTimestamp: time, finalizers: ['orphan'] },
    expected: { action: 'setFinalizers', finalizers: [] },
  },
];

for (const { title, metadata, owners = {}, dependents = [], expected } of cases) {
  test(title, () => {
    const stateOf = ({ uid }: OwnerReference) => owners[uid] ?? 'present';
    assert.deepEqual(decideGarbage({ object: object(metadata), stateOf, dependents }), expected);
  });
}
