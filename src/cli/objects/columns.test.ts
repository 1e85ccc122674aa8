import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alignFields, alignRows } from './columns.ts';

test('columns are as wide as their widest cell, at least six, and the last is not padded', () => {
  const lines = alignRows([
    ['NAME', 'READY', 'AGE'],
    ['a-long-name', '1/1', '5s'],
  ]);
  assert.deepEqual(lines, ['NAME          READY   AGE', 'a-long-name   1/1     5s']);
});

test('a watch keeps its columns and widens them', () => {
  const widths: number[] = [];
  alignRows([['NAME', 'AGE']], widths);
  assert.deepEqual(alignRows([['b', '1s']], widths), ['b      1s']);
  assert.deepEqual(alignRows([['very-long', '1s']], widths), ['very-long   1s']);
  assert.deepEqual(alignRows([['b', '1s']], widths), ['b           1s']);
});

test('values of several lines are indented below their first', () => {
  assert.deepEqual(
    alignFields([
      ['Labels', 'a=1\nb=2'],
      ['N', 'x'],
    ]),
    ['Labels:  a=1', '         b=2', 'N:       x'],
  );
});

test('what a cell or a value quotes stays in its line and moves no cursor', () => {
  assert.deepEqual(alignRows([['a\nb\u001b[2J', 'c']]), ['a\\nb\\u001b[2J   c']);
  assert.deepEqual(alignFields([['Name', 'a\u001b[2J\nb']]), ['Name:  a\\u001b[2J', '       b']);
});
