import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ResourceRecord } from '../wire/message.ts';
import { parseName } from '../wire/names.ts';
import type { Name } from '../wire/names.ts';
import { nameRdata } from '../wire/rdata.ts';
import { extendedErrors, rcodes, typeNumbers } from '../wire/types.ts';
import { differencesOf } from './compare.ts';
import type { ComparedAnswer } from './compare.ts';
import { explanationOf, type Difference } from './known-differences.ts';

const { A, AAAA, ANY, CNAME, PTR, SOA } = typeNumbers;

function name(text: string): Name {
  return parseName(text) ?? assert.fail(text);
}

function record(owner: string, type: number, rdata: Uint8Array, ttl = 5): ResourceRecord {
  return { name: name(owner), type, class: 1, ttl, rdata };
}

const a = (last: number, ttl?: number, owner = 'x.example'): ResourceRecord =>
  record(owner, A, Buffer.from([192, 0, 2, last]), ttl);
const alias = (to: string): ResourceRecord => record('x.example', CNAME, nameRdata(name(to)));
const soa = record(
  'example',
  SOA,
  Buffer.concat([nameRdata(name('ns.example')), nameRdata(name('h.example')), Buffer.alloc(20)]),
);

function answer(
  answers: readonly ResourceRecord[],
  rcode: number = rcodes.NOERROR,
  authorities = [soa],
): ComparedAnswer {
  return { rcode, answers, authorities: answers.length > 0 ? [] : authorities };
}

test('order, TTL, case and authority beside records do not count; code, records and the SOA of a denial do', () => {
  assert.deepEqual(differencesOf(answer([a(1), a(2)]), answer([a(2, 99, 'X.Example'), a(1), a(1)])), []);
  assert.deepEqual(differencesOf(answer([alias('t.example')]), answer([alias('T.EXAMPLE')])), []);
  assert.deepEqual(differencesOf(answer([a(1)]), { ...answer([a(1)]), authorities: [soa] }), []);
  assert.deepEqual(differencesOf(answer([a(1)]), answer([], rcodes.NXDOMAIN)), ['NOERROR here, NXDOMAIN there']);
  assert.deepEqual(differencesOf(answer([a(1), a(2)]), answer([a(2), a(3)])), [
    'only here: x.example. 5 IN A 192.0.2.1',
    'only there: x.example. 5 IN A 192.0.2.3',
  ]);
  assert.deepEqual(differencesOf(answer([]), answer([], rcodes.NOERROR, [])), ['no SOA there']);
});

const nothing = {
  key: name('x.example'),
  type: A,
  plugin: 'kubernetes',
  handlers: [],
  hasRecords: () => false,
  isOutside: () => true,
};
const led = (last: number): ComparedAnswer => answer([alias('t.example'), a(last, 5, 't.example')]);
const denied = answer([], rcodes.NXDOMAIN);
const empty = answer([]);
const failed = answer([], rcodes.SERVFAIL);
const stale = { code: extendedErrors.staleAnswer, text: '' };

const cases: readonly (readonly [what: string, difference: Partial<Difference>, why: RegExp | undefined])[] = [
  ['a name with names below it', { ours: empty, theirs: denied }, /RFC 8020/],
  ['a name with other records', { ours: empty, theirs: denied, hasRecords: () => true }, undefined],
  ['a name that only we deny', { ours: denied, theirs: empty }, undefined],
  ['an outside name', { ours: empty, theirs: denied, plugin: 'forward' }, undefined],
  ['an alias that is none there', { ours: answer([alias('t.example')]), theirs: empty }, /ExternalName/],
  [
    'an alias with other targets',
    { ours: answer([alias('t.example')]), theirs: answer([alias('u.example')]) },
    undefined,
  ],
  ['an alias to other outside addresses', { ours: led(1), theirs: led(2) }, /leads to/],
  ['an alias to other addresses in the cluster', { ours: led(1), theirs: led(2), isOutside: () => false }, undefined],
  ['an alias to nothing', { ours: led(1), theirs: answer([alias('t.example')]) }, undefined],
  [
    'a search list',
    { ours: answer([alias('t.example')]), theirs: denied, handlers: ['autopath'], plugin: 'cache' },
    /autopath/,
  ],
  ['other addresses of a Service', { ours: answer([a(1)]), theirs: answer([a(2)]) }, undefined],
  ['other addresses from upstream', { ours: answer([a(1)]), theirs: answer([a(2)]), plugin: 'cache' }, /each asker/],
  ['nothing from upstream', { ours: empty, theirs: answer([a(2)]), plugin: 'forward' }, undefined],
  ['a PTR name', { type: PTR, ours: answer([a(1)]), theirs: answer([a(2)]) }, /chose themselves/],
  ['a PTR name that is missing', { type: PTR, ours: denied, theirs: answer([a(2)]) }, undefined],
  ['no IPv6', { type: AAAA, ours: empty, theirs: answer([a(2)]), plugin: 'ipv6' }, /IPv6/],
  ['ANY', { type: ANY, ours: answer([a(1)]), theirs: answer([a(1), a(2)]) }, /RFC 8482/],
  ['policy', { ours: denied, theirs: answer([a(1)]), plugin: 'visibility' }, /hide/],
  ['not ready', { ours: { ...failed, error: { ...stale, code: extendedErrors.notReady } }, theirs: empty }, /not read/],
  ['a failure', { ours: failed, theirs: empty }, undefined],
  ['an old answer', { ours: { ...answer([a(1)]), error: stale }, theirs: empty }, /old one/],
];

for (const [what, { ours = empty, theirs = empty, ...over }, why] of cases) {
  test(`${what} is ${why === undefined ? 'a difference that nobody meant' : 'a difference that is meant'}`, () => {
    const explanation = explanationOf({ ...nothing, ours, theirs, ...over });
    if (why === undefined) assert.equal(explanation, undefined);
    else assert.match(explanation ?? '', why);
  });
}
