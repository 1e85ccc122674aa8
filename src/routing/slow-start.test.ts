import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Service } from '../api/core/service.ts';
import type { EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import { describeFrontend, testService, testSlice } from './fixtures.ts';
import { createRouter } from './router.ts';
import type { RouterChanges } from './router.ts';

const gentle = { annotations: { 'fairlead.dev/slow-start': '9s' } };
const labels = { 'kubernetes.io/service-name': 'cart' };

/** A router with a clock of its own, at 1,000,000 ms, and what its changes say about backends. */
function start(service: Service, ...slices: readonly EndpointSlice[]) {
  let nowMs = 1_000_000;
  const router = createRouter({ nodeName: 'a', now: () => nowMs });
  const backends = ({ changed }: RouterChanges): readonly string[] =>
    changed.map((frontend) => describeFrontend(frontend).replace(/^.*? → /, ''));
  router.apply({ type: 'service', new: service }, ...slices.map((slice) => ({ type: 'slice', new: slice }) as const));
  return {
    router,
    change: (slice: EndpointSlice) => backends(router.apply({ type: 'slice', new: slice })),
    put: (it: Service) => backends(router.apply({ type: 'service', new: it })),
    /** Lets time pass without a tick. */
    pass: (ms: number) => void (nowMs += ms),
    /** What the tick changed at the moment the router asked for. */
    tick: () => {
      nowMs = Math.max(nowMs, router.nextTickAtMs() ?? 0);
      return backends(router.tick());
    },
    get nowMs() {
      return nowMs;
    },
  };
}

test('a new backend gets a tenth of its share, then another tenth each second, then all have plain weights', () => {
  const it = start(testService({}, gentle), testSlice(['10.0.0.1', '10.0.0.2']));
  assert.deepEqual(it.tick(), []);
  assert.deepEqual(it.change(testSlice(['10.0.0.1', '10.0.0.2', '10.0.0.3'])), [
    '10.0.0.1:8080×10, 10.0.0.2:8080×10, 10.0.0.3:8080',
  ]);
  assert.equal(it.router.nextTickAtMs(), 1_001_000);
  const weights = Array.from({ length: 9 }, () =>
    it
      .tick()
      .join()
      .replaceAll(/[^ ]*:8080(×)?/g, ''),
  );
  assert.deepEqual(weights, [
    '5, 5, ',
    '10, 10, 3',
    '5, 5, 2',
    '2, 2, ',
    '5, 5, 3',
    '10, 10, 7',
    '5, 5, 4',
    '10, 10, 9',
    ', , ',
  ]);
  assert.equal(it.router.nextTickAtMs(), undefined);
  assert.equal(it.nowMs, 1_009_000);
});

test('backends of the first complete state, and the first of a port, have their full share', () => {
  const it = start(testService({}, gentle));
  assert.deepEqual(it.change(testSlice(['10.0.0.1'])), ['10.0.0.1:8080']);
  assert.deepEqual(it.change(testSlice(['10.0.0.1', '10.0.0.2'])), ['10.0.0.1:8080, 10.0.0.2:8080']);
  it.tick();
  assert.deepEqual(it.change(testSlice([])), ['reject']);
  assert.deepEqual(it.change(testSlice(['10.0.0.1', '10.0.0.2'])), ['10.0.0.1:8080, 10.0.0.2:8080']);
  assert.equal(it.router.nextTickAtMs(), undefined);
});

const returns: readonly [string, EndpointSlice][] = [
  ['was not ready', testSlice(['10.0.0.1', '10.0.0.2 !ready'])],
  ['was about to stop', testSlice(['10.0.0.1', '10.0.0.2 terminating'])],
  [
    'had weight 0',
    testSlice(['10.0.0.1', '10.0.0.2'], {}, { labels, annotations: { 'fairlead.dev/weights': '10.0.0.2=0' } }),
  ],
  ['was away', testSlice(['10.0.0.1'])],
];
for (const [what, slice] of returns) {
  test(`a backend that ${what} starts slowly when it comes back`, () => {
    const it = start(testService({}, gentle), testSlice(['10.0.0.1', '10.0.0.2']));
    it.tick();
    it.change(slice);
    assert.deepEqual(it.change(testSlice(['10.0.0.1', '10.0.0.2'])), ['10.0.0.1:8080×10, 10.0.0.2:8080']);
  });
}

test('other changes neither begin a slow start anew nor end it, and show how far it is', () => {
  const it = start(testService({}, gentle), testSlice(['10.0.0.1']));
  it.tick();
  it.change(testSlice(['10.0.0.1', '10.0.0.2']));
  it.pass(4500);
  assert.deepEqual(it.change(testSlice(['10.0.0.1', '10.0.0.2', '10.0.0.3'])), [
    '10.0.0.1:8080×10, 10.0.0.2:8080×5, 10.0.0.3:8080',
  ]);
  assert.equal(it.router.nextTickAtMs(), 1_005_000);
  it.pass(60_000);
  assert.deepEqual(it.tick(), ['10.0.0.1:8080, 10.0.0.2:8080, 10.0.0.3:8080']);
});

test('weights grow in proportion', () => {
  const annotations = { 'fairlead.dev/weights': '10.0.0.1=3,10.0.0.2=4' };
  const it = start(testService({}, gentle), testSlice(['10.0.0.1'], {}, { labels, annotations }));
  it.tick();
  const both = testSlice(['10.0.0.1', '10.0.0.2'], {}, { labels, annotations });
  assert.deepEqual(it.change(both), ['10.0.0.1:8080×30, 10.0.0.2:8080×4']);
});

test('local newcomers among themselves share evenly', () => {
  const it = start(testService({ internalTrafficPolicy: 'Local' }, gentle), testSlice(['10.0.0.1 @b']));
  it.tick();
  assert.deepEqual(it.change(testSlice(['10.0.0.1 @b', '10.0.0.2 @a', '10.0.0.3 @a'])), [
    '10.0.0.2:8080*, 10.0.0.3:8080*',
  ]);
});

test('a Service that no longer asks for it is done at once', () => {
  const it = start(testService({}, gentle), testSlice(['10.0.0.1']));
  it.tick();
  it.change(testSlice(['10.0.0.1', '10.0.0.2']));
  assert.deepEqual(it.put(testService()), ['10.0.0.1:8080, 10.0.0.2:8080']);
  assert.equal(it.router.nextTickAtMs(), undefined);
  assert.deepEqual(it.put(testService({}, gentle)), []);
});

test('without a clock nothing starts slowly; a value that is no time is told', () => {
  const router = createRouter({ nodeName: 'a' });
  const annotations = { 'fairlead.dev/slow-start': 'gently' };
  const { notices } = router.apply({ type: 'service', new: testService({}, { annotations }) });
  assert.deepEqual(
    notices.map(({ message }) => message),
    ['fairlead.dev/slow-start: "gently" is no duration such as 30s, of 30 days at most; ignored'],
  );
  router.apply({ type: 'service', new: testService({}, gentle) }, { type: 'slice', new: testSlice(['10.0.0.1']) });
  router.tick();
  router.apply({ type: 'slice', new: testSlice(['10.0.0.1', '10.0.0.2']) });
  assert.deepEqual([...router.frontends()].map(describeFrontend), [
    '10.96.0.1:80/TCP ClusterIP → 10.0.0.1:8080, 10.0.0.2:8080',
  ]);
});
