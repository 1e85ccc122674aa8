import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Scheduler } from '../../routing/scheduler.ts';
import { type Candidate, Schedule } from './schedule.ts';

const candidates = (weights: Record<string, number>): Candidate[] =>
  Object.entries(weights).map(([name, weight]) => ({ name, weight }));

/** Draws one after another; with `open`, each draw's connection stays open. */
function draws(
  scheduler: Scheduler | undefined,
  among: readonly Candidate[],
  count: number,
  open: Record<string, number> = {},
): string {
  let seed = 1;
  const random = () => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
  const schedule = new Schedule({ openConnections: (name) => open[name] ?? 0, random });
  return Array.from({ length: count }, (_, at) => {
    const name = schedule.choose(scheduler, among, { client: `192.0.2.${at}`, called: '10.96.0.1' })?.name ?? '';
    open[name] = (open[name] ?? 0) + 1;
    return name;
  }).join('');
}

const count = (text: string, name: string): number => text.split(name).length - 1;

test('in turn: evenly, or smoothly by weight; rr does not look at weights', () => {
  assert.equal(draws(undefined, candidates({ a: 1, b: 1, c: 1 }), 6), 'abcabc');
  assert.equal(draws(undefined, candidates({ a: 4, b: 1, c: 1 }), 6), 'aabaca');
  assert.equal(draws('wrr', candidates({ a: 2, b: 1 }), 6), 'abaaba');
  assert.equal(draws('rr', candidates({ a: 9, b: 1 }), 6), 'ababab');
});

test('random draws in proportion to the weights', () => {
  const drawn = draws('random', candidates({ a: 3, b: 1 }), 4000);
  assert.ok(Math.abs(count(drawn, 'a') - 3000) < 120, `${count(drawn, 'a')} of 4000`);
  assert.match(drawn, /aaaaa/, 'not in turn');
});

test('the least-connection schedulers look at open connections, each in its own way', () => {
  assert.equal(draws('lc', candidates({ a: 9, b: 1 }), 4, { a: 3, b: 0 }), 'bbba');
  assert.equal(
    draws('wlc', candidates({ a: 3, b: 1 }), 8)
      .split('')
      .toSorted()
      .join(''),
    'aaaaaabb',
  );
  assert.equal(draws('sed', candidates({ a: 3, b: 1 }), 2), 'aa', 'not to the idle slow one before the fast is busy');
  assert.equal(draws('nq', candidates({ a: 3, b: 1 }), 2), 'ab', 'never queue while one is idle');
  assert.equal(draws('lblc', candidates({ a: 1, b: 1 }), 2, { a: 5 }), 'bb');
});

test('hashing by client spreads clients by weight, and only the clients of a backend that went move', () => {
  for (const scheduler of ['sh', 'mh'] as const) {
    const before = draws(scheduler, candidates({ a: 1, b: 1, c: 2 }), 250);
    const after = draws(scheduler, candidates({ a: 1, c: 2 }), 250);
    assert.ok(count(before, 'c') > 90 && count(before, 'c') < 160, `${count(before, 'c')} of 250`);
    for (const [at, name] of [...before].entries()) if (name !== 'b') assert.equal(after[at], name);
  }
});

test('hashing by the address that was called keeps all its clients together', () => {
  assert.match(draws('dh', candidates({ a: 1, b: 1, c: 1 }), 20), /^(a+|b+|c+)$/);
});

test('nobody is chosen among none', () => {
  for (const scheduler of ['random', 'rr', 'sh', 'lc', 'nq', undefined] as const)
    assert.equal(draws(scheduler, [], 1), '');
});
