import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pluginNumber, serverLabel, sizeBuckets, timeBuckets, typeLabelNumber, typeLabels } from './coredns-names.ts';
import { QueryTally } from './query-tally.ts';
import { typeNumbers } from './wire/types.ts';

const cluster = pluginNumber('cluster');
const asked = { type: typeNumbers.SRV, dnssecOk: true, requestBytes: 512 };

test('a look tells what came since the last one, and what another thread counted in the same memory', () => {
  const tally = new QueryTally();
  const elsewhere = new QueryTally(tally.memory);
  elsewhere.count(asked, cluster, 3, 100, 0.0004);
  elsewhere.count({ ...asked, type: 666, dnssecOk: false }, cluster, 0, 0, 9);
  const seen = tally.look();
  const srv = typeLabelNumber(typeNumbers.SRV);
  assert.equal(typeLabels[srv], 'SRV');
  assert.deepEqual([seen?.byType[srv], seen?.byType[0], seen?.dnssecOk], [1, 1, 1]);
  assert.equal(seen?.times[srv]?.counts[1], 1, 'a bound is the first that the time is not above');
  assert.equal(seen?.times[0]?.counts[timeBuckets.length], 1, 'the last counts what is above all bounds');
  assert.equal(seen?.requestSizes.counts[sizeBuckets.indexOf(1023)], 2);
  assert.deepEqual([seen?.requestSizes.sum, seen?.responseSizes.sum], [1024, 100]);
  assert.equal(seen?.responseSizes.counts[1], 1, 'a question without an answer has no size of one');
  assert.equal(seen?.answers[cluster]?.[3], 1);
  assert.equal(tally.look(), undefined);
  assert.equal(tally.asked(), 2);
});

test('answers of a batch took as long as the whole batch', () => {
  const tally = new QueryTally();
  const startedMs = performance.now();
  for (let each = 0; each < 3; each += 1) tally.countInBatch(typeNumbers.A, 0, 0, false, 40, 60);
  while (performance.now() - startedMs < 3);
  tally.endBatch();
  tally.endBatch();
  const times = tally.look()?.times[typeLabelNumber(typeNumbers.A)];
  assert.equal(
    Array.from(times?.counts ?? []).reduce((sum, count) => sum + count, 0),
    3,
  );
  assert.equal(times?.counts[0], 0);
  assert.ok((times?.sum ?? 0) > 0.008);
});

test('a listener is called as CoreDNS calls it', () => {
  assert.equal(serverLabel({ transport: 'dns', address: '0.0.0.0', port: 53 }), 'dns://:53');
  assert.equal(serverLabel({ transport: 'dns', address: '::', port: 53 }), 'dns://:53');
  assert.equal(serverLabel({ transport: 'tls', address: '2001:db8::1', port: 853 }), 'tls://[2001:db8::1]:853');
});
