import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, test } from 'node:test';
import { isolateNetwork } from '../namespaces.ts';
import { eachElement, findElements, findTable, generation, listChains, openNetfilter } from './dump.ts';
import type { ElementView } from './element-view.ts';
import * as x from './expressions.ts';
import type { SetSpec } from './sets.ts';
import { Transaction } from './transaction.ts';

isolateNetwork();
const socket = openNetfilter();
after(() => socket.close());

interface Found {
  readonly key: Buffer;
  readonly data: Buffer | undefined;
  readonly comment: string | undefined;
  readonly packets: bigint;
}

function elements(set: string): Found[] {
  const found: Found[] = [];
  eachElement(socket, 'ip', 't', set, (each) => found.push(copy(each)));
  return found;
}

function copy(view: ElementView): Found {
  return { key: view.key(), data: view.data(), comment: view.comment(), packets: view.packets() };
}

test('a refused transaction names what was refused, and nothing of it happens', () => {
  const transaction = new Transaction(socket);
  transaction.addTable('ip', 'half', 'x');
  transaction.addChain('ip', 'half', { name: 'chain' });
  transaction.addRule('ip', 'half', 'chain', [x.lookup('nothing', 0)]);
  assert.throws(() => transaction.commit(), { code: 'ENOENT', message: /rule in chain/ });
  assert.equal(findTable(socket, 'ip', 'half'), undefined);
});

test('an empty transaction is no generation, any other is the next', () => {
  const before = generation(socket);
  assert.equal(new Transaction(socket).commit(), false);
  const transaction = new Transaction(socket);
  transaction.addTable('ip', 't', 'a comment');
  assert.equal(transaction.commit(), true);
  assert.equal(generation(socket), before + 1);
  assert.equal(findTable(socket, 'ip', 't')?.comment, 'a comment');
});

test('more elements than fit one attribute are split, read back and deleted', () => {
  const spec: SetSpec = { name: 'many', key: ['ipv4_addr', 'inet_service'], data: ['mark'] };
  const all = Array.from({ length: 20_000 }, (_, at) => {
    const key = Buffer.alloc(8);
    key.writeUInt32BE(at + 1);
    return { key, data: Buffer.from([1, 2, 3, 4]), comment: at === 0 ? 'the first ½' : undefined };
  });
  const add = new Transaction(socket);
  add.addSet('ip', 't', spec);
  add.addElements('ip', 't', spec, all);
  add.commit();
  const found = elements('many');
  assert.equal(found.length, all.length);
  assert.equal(found.find((element) => element.key.readUInt32BE(0) === 1)?.comment, 'the first ½');
  const remove = new Transaction(socket);
  remove.deleteElements('ip', 't', spec, all.slice(1));
  remove.commit();
  assert.equal(elements('many').length, 1);
  const flush = new Transaction(socket);
  flush.flushSet('ip', 't', 'many');
  flush.commit();
  assert.equal(elements('many').length, 0);
});

test('elements of a set that counts say what they counted, go on from a given number, and are found by key', () => {
  const spec: SetSpec = { name: 'counted', key: ['ipv4_addr'], data: ['mark'], isCounted: true };
  const element = (last: number) => ({ key: Buffer.from([10, 0, 0, last]), data: Buffer.from([last, 0, 0, 0]) });
  const add = new Transaction(socket);
  add.addSet('ip', 't', spec);
  add.addElements('ip', 't', spec, [element(1), { ...element(2), packets: 7_000_000_000n }, element(3)]);
  add.commit();
  const packets = new Map(elements('counted').map((each) => [each.key[3], each.packets]));
  assert.deepEqual([packets.get(1), packets.get(2), packets.get(3)], [0n, 7_000_000_000n, 0n]);
  const found: Found[] = [];
  findElements(socket, 'ip', 't', spec, [element(2), element(1), element(9)], (each) => found.push(copy(each)));
  assert.deepEqual(
    found.map((each) => [each.key[3], each.data?.[0], each.packets]),
    [
      [2, 2, 7_000_000_000n],
      [1, 1, 0n],
    ],
  );
  assert.match(
    execFileSync('nft', ['list', 'map', 'ip', 't', 'counted']).toString(),
    /10.0.0.2 counter packets 7000000000/,
  );
});

test('every expression is accepted by the kernel and printed by nft', () => {
  const zero = Buffer.alloc(4);
  const word = Buffer.from([0x20, 0, 0, 0]);
  const rules: readonly (readonly [string, readonly x.Expression[]])[] = [
    ['ip daddr 10.0.0.1', [x.payload('network', 16, 4, 0), x.compare(0, 'eq', Buffer.from([10, 0, 0, 1]))]],
    [
      'tcp dport 80-90',
      [
        x.meta('l4proto', 0),
        x.compare(0, 'eq', Buffer.from([6])),
        x.payload('transport', 2, 2, 0),
        x.range(0, Buffer.from([0, 80]), Buffer.from([0, 90])),
      ],
    ],
    ['ct status dnat', [x.ct('status', 0), x.bitwise(0, 0, word, zero), x.compare(0, 'neq', zero)]],
    [
      'meta mark set jhash ip saddr mod 4 seed 0x7 offset 3',
      [x.payload('network', 12, 4, 0), x.hash(0, 4, 1, 4, { seed: 7, offset: 3 }), x.setMark(1)],
    ],
    ['meta mark set numgen inc mod 3 offset 7', [x.numgen(0, 3, { offset: 7, counting: true }), x.setMark(0)]],
    ['counter packets 0 bytes 0', [x.counter()]],
    ['limit rate 5/second', [x.limit(5, 5)]],
    ['fib saddr type local', [x.fibAddressType('source', 0), x.compare(0, 'eq', Buffer.from([2, 0, 0, 0]))]],
    ['meta mark set 0x00000001', [x.immediate(0, Buffer.from([1, 0, 0, 0])), x.setMark(0)]],
    ['reject with tcp reset', [x.meta('l4proto', 0), x.compare(0, 'eq', Buffer.from([6])), x.reject('reset', 'ip')]],
    ['accept', [x.verdict({ kind: 'accept' })]],
  ];
  const transaction = new Transaction(socket);
  const hook = { type: 'filter', hook: 'forward', priority: 0 } as const;
  transaction.addChain('ip', 't', { name: 'all', hook });
  for (const [, rule] of rules) transaction.addRule('ip', 't', 'all', rule, 'why');
  transaction.commit();
  assert.equal(listChains(socket, 'ip', 't').get('all'), rules.length);
  const listing = execFileSync('nft', ['list', 'table', 'ip', 't']).toString();
  for (const [text] of rules) assert.ok(listing.includes(text), `${text} is not in ${listing}`);
  const remove = new Transaction(socket);
  remove.deleteChain('ip', 't', 'all');
  remove.commit();
  assert.equal(listChains(socket, 'ip', 't').has('all'), false);
});
