import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import { test } from 'node:test';
import { goBeforeOthers } from './priority.ts';

const threads = (): number[] => readdirSync('/proc/self/task').map(Number);

test('every thread of the process goes before others, or all stay as they were without the privilege', (t) => {
  const before = getPriority();
  t.after(() => threads().forEach((thread) => setPriority(thread, before)));
  const isDone = goBeforeOthers();
  const values = new Set(threads().map((thread) => getPriority(thread)));
  assert.deepEqual([...values], [isDone ? -10 : before]);
});
