import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SystemError } from '../../linux/errno.ts';
import { Frontends } from '../contract/frontends.ts';
import { ipv4 } from '../contract/worlds.ts';
import { type Change, changeInParts } from './change-in-parts.ts';

const make = new Frontends(ipv4);
const all = [1, 2, 3, 4, 5].map((port) => make.make('ClusterIP', ipv4.services[0], port, make.forward('pod1')));
const keyOf = (port: number) => all[port - 1]?.key ?? '';

/** A kernel that refuses every change with one of the ports in it, and what it was asked for. */
function kernel(refuses: readonly number[], error: Error = new SystemError('nftables: elements of backends', 23)) {
  const asked: string[] = [];
  const change: Change = (changed, removed) => {
    asked.push([...changed.map(({ port }) => `+${port}`), ...removed.map((key) => `-${key}`)].join(' '));
    if (changed.some(({ port }) => refuses.includes(port))) throw error;
    return { refused: [], operations: changed.length + removed.length };
  };
  return { asked, change };
}

test('what the kernel refuses is found by halves and removed; everything else is in force', () => {
  const { asked, change } = kernel([4]);
  assert.deepEqual(changeInParts(all, ['old'], change), {
    refused: [{ key: keyOf(4), reason: "one of the kernel's sets is full (nftables: elements of backends: ENFILE)" }],
    operations: 6,
  });
  assert.deepEqual(asked, ['-old', '+1 +2 +3 +4 +5', '+1 +2', '+3 +4 +5', '+3', '+4 +5', '+4', `-${keyOf(4)}`, '+5']);
});

test('what the plane itself refuses of a part is told too', () => {
  const change: Change = (changed) => ({ refused: changed.map(({ key }) => ({ key, reason: 'no' })), operations: 0 });
  assert.deepEqual(
    changeInParts(all, [], change).refused.map(({ key }) => key),
    all.map(({ key }) => key),
  );
});

test('each of several is told, and nothing is asked for nothing', () => {
  const { change } = kernel([1, 2, 3, 4, 5]);
  assert.deepEqual(
    changeInParts(all, [], change).refused.map(({ key }) => key),
    all.map(({ key }) => key),
  );
  const idle = kernel([]);
  assert.deepEqual(changeInParts([], [], idle.change), { refused: [], operations: 0 });
  assert.deepEqual(idle.asked, []);
});

test('a frontend that nothing can be made of stands alone, whatever is thrown', () => {
  const { change } = kernel([1], new RangeError('sticky-1--1s is not a class'));
  assert.deepEqual(changeInParts(all, [], change), {
    refused: [{ key: keyOf(1), reason: 'sticky-1--1s is not a class' }],
    operations: 5,
  });
});
