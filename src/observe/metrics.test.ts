import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMetrics } from './metrics.ts';

test('counters and gauges render with help, type and labels', () => {
  const metrics = createMetrics();
  const queries = metrics.counter({ name: 'dns_queries_total', help: 'Queries\nanswered.', labels: ['type', 'rcode'] });
  queries.inc({ type: 'A', rcode: 'NOERROR' });
  queries.inc({ rcode: 'NOERROR', type: 'A' }, 2);
  queries.inc({ type: 'a"b\\', rcode: 'x' });
  metrics.gauge({ name: 'entries', help: 'Entries.' }).set(7);
  metrics.observed({ name: 'queue_length', help: 'Waiting.' }, () => 3);
  assert.equal(
    metrics.render(),
    [
      '# HELP dns_queries_total Queries\\nanswered.',
      '# TYPE dns_queries_total counter',
      'dns_queries_total{type="A",rcode="NOERROR"} 3',
      'dns_queries_total{type="a\\"b\\\\",rcode="x"} 1',
      '# HELP entries Entries.',
      '# TYPE entries gauge',
      'entries 7',
      '# HELP queue_length Waiting.',
      '# TYPE queue_length gauge',
      'queue_length 3',
      '',
    ].join('\n'),
  );
});

test('a histogram renders cumulative buckets, sum and count', () => {
  const metrics = createMetrics();
  const took = metrics.histogram({ name: 'took_seconds', help: 'Time.', labels: ['verb'], buckets: [0.1, 1] });
  for (const value of [0.1, 0.5, 3]) took.observe(value, { verb: 'get' });
  assert.deepEqual(metrics.render().split('\n').slice(2, -1), [
    'took_seconds_bucket{verb="get",le="0.1"} 1',
    'took_seconds_bucket{verb="get",le="1"} 2',
    'took_seconds_bucket{verb="get",le="+Inf"} 3',
    'took_seconds_sum{verb="get"} 3.6',
    'took_seconds_count{verb="get"} 3',
  ]);
});

test('the same name gives the same metric, and another type is refused', () => {
  const metrics = createMetrics();
  metrics.counter({ name: 'n_total', help: 'N.' }).inc();
  assert.equal(metrics.counter({ name: 'n_total', help: 'N.' }).value(), 1);
  assert.throws(() => metrics.gauge({ name: 'n_total', help: 'N.' }), TypeError);
});

test('labels that were not declared are refused', () => {
  const counter = createMetrics().counter({ name: 'n_total', help: 'N.', labels: ['a'] });
  assert.throws(() => counter.inc({ b: '1' }), /has labels \[a\], got \[b\]/);
  assert.throws(() => counter.inc(), TypeError);
  assert.throws(() => counter.inc({ a: '1' }, -1), RangeError);
});

test('a removed gauge series is gone', () => {
  const metrics = createMetrics();
  const gauge = metrics.gauge({ name: 'g', help: 'G.', labels: ['node'] });
  gauge.add(2, { node: 'n1' });
  gauge.remove({ node: 'n1' });
  assert.equal(metrics.render(), '');
});
