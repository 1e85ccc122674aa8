import assert from 'node:assert/strict';
import { test } from 'node:test';
import { candidateNames } from './candidates.ts';

const search = ['default.svc.cluster.local', 'svc.cluster.local'];

const cases: readonly [string, readonly string[]][] = [
  ['web', ['web.default.svc.cluster.local.', 'web.svc.cluster.local.', 'web.']],
  ['web.shop', ['web.shop.default.svc.cluster.local.', 'web.shop.svc.cluster.local.', 'web.shop.']],
  ['a.b.c.d.e.f', ['a.b.c.d.e.f.', 'a.b.c.d.e.f.default.svc.cluster.local.', 'a.b.c.d.e.f.svc.cluster.local.']],
  ['web.', ['web.']],
  ['10.96.0.10', ['10.96.0.10']],
  ['fd00::1', ['fd00::1']],
];

for (const [name, expected] of cases) {
  test(`${name} is asked for as ${expected[0]} first`, () => assert.deepEqual(candidateNames(name, search), expected));
}
