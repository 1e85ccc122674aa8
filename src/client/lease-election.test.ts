import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lease } from '../api/coordination/lease.ts';
import { createFakeApi } from './fake.ts';
import { decideLease, runLeaseElection } from './lease-election.ts';

const candidate = { namespace: 'kube-system', name: 'controllers', identity: 'me', durationMs: 15_000 };
const nowMs = Date.parse('2026-01-01T00:00:00Z');

function held(holderIdentity: string): Lease {
  const spec = { holderIdentity, leaseDurationSeconds: 15, leaseTransitions: 2, acquireTime: 'then' };
  return { metadata: { name: 'controllers', namespace: 'kube-system', resourceVersion: '3' }, spec };
}

const decisions: readonly [string, Lease | undefined, number, string][] = [
  ['a lease that is not there is created', undefined, 0, 'create'],
  ['our own is renewed', held('me'), 0, 'renew'],
  ['one that another holds is waited for', held('you'), 14_999, 'wait'],
  ['one that ran out is taken', held('you'), 15_000, 'take'],
  ['one that was given back is taken at once', held(''), 0, 'take'],
];
for (const [title, lease, sinceMs, expected] of decisions) {
  test(title, () => {
    const decision = decideLease({ lease, changedMs: nowMs - sinceMs }, candidate, nowMs);
    assert.equal(decision.action, expected);
    if (decision.action === 'wait') return;
    assert.equal(decision.lease.spec.holderIdentity, 'me');
    assert.equal(decision.lease.spec.renewTime, '2026-01-01T00:00:00.000000Z');
    assert.equal(decision.lease.spec.leaseTransitions, { create: 0, take: 3, renew: 2 }[decision.action]);
  });
}

test('one leads at a time; when it stops the next one starts at once', async () => {
  const api = createFakeApi();
  const order: string[] = [];
  let leading = 0;
  const stand = (identity: string, stop: AbortController) =>
    runLeaseElection({
      ...candidate,
      client: api.client,
      identity,
      retryMs: 2,
      signal: stop.signal,
      lead: async (signal) => {
        assert.equal(++leading, 1);
        order.push(identity);
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        leading--;
      },
    });
  const stops = [new AbortController(), new AbortController()] as const;
  const first = stand('a', stops[0]);
  await waitUntil(() => order.length === 1);
  const second = stand('b', stops[1]);
  stops[0].abort();
  await first;
  await waitUntil(() => order.length === 2);
  assert.deepEqual(order, ['a', 'b']);
  stops[1].abort();
  await second;
  assert.equal(api.objects(Lease)[0]?.spec.holderIdentity, '');
});

test('a leader whose lease another took stops leading', async () => {
  const api = createFakeApi();
  const stop = new AbortController();
  let isLeading = false;
  const running = runLeaseElection({
    ...candidate,
    client: api.client,
    retryMs: 2,
    signal: stop.signal,
    lead: async (signal) => {
      isLeading = true;
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      isLeading = false;
    },
  });
  await waitUntil(() => isLeading);
  const [lease] = api.objects(Lease);
  assert.ok(lease);
  api.put(Lease, { ...lease, spec: { ...lease.spec, holderIdentity: 'thief' } });
  await waitUntil(() => !isLeading);
  stop.abort();
  await running;
  assert.equal(api.objects(Lease)[0]?.spec.holderIdentity, 'thief');
});

async function waitUntil(isMet: () => boolean): Promise<void> {
  const deadline = performance.now() + 2000;
  while (!isMet()) {
    if (performance.now() > deadline) throw new Error(`still not: ${isMet}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
