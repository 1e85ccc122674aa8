import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Service } from '../api/core/service.ts';
import { describeNotice, testService, testSlice } from './fixtures.ts';
import { createRouter } from './router.ts';
import type { Router } from './router.ts';

test('of two Services with one external address the older has it, whichever came first; it passes on when that goes', () => {
  const older = testService({ externalIPs: ['192.0.2.1'] }, { name: 'z', creationTimestamp: '2026-01-01T00:00:00Z' });
  const younger = testService(
    { externalIPs: ['192.0.2.1'], clusterIP: '10.96.0.2', clusterIPs: ['10.96.0.2'] },
    { name: 'a', creationTimestamp: '2026-01-02T00:00:00Z' },
  );
  for (const services of [
    [older, younger],
    [younger, older],
  ]) {
    const router = createRouter({ nodeName: 'a', allowExternalIps: true });
    for (const service of services) router.apply({ type: 'service', new: service });
    assert.equal(router.get('192.0.2.1:80/TCP')?.service, 'shop/z');
    const { changed, removed } = router.apply({ type: 'service', old: older });
    assert.deepEqual(removed, ['10.96.0.1:80/TCP']);
    assert.deepEqual(
      changed.map((it) => it.service),
      ['shop/a'],
    );
  }
});

test('nobody takes over a cluster IP by naming it as an external address', () => {
  const router = createRouter({ nodeName: 'a', allowExternalIps: true });
  router.apply({
    type: 'service',
    new: testService({ clusterIP: '10.96.0.2', clusterIPs: ['10.96.0.2'], externalIPs: ['10.96.0.1'] }, { name: 'a' }),
  });
  router.apply({ type: 'service', new: testService({}, { creationTimestamp: '2026-01-02T00:00:00Z' }) });
  assert.equal(router.get('10.96.0.1:80/TCP')?.service, 'shop/cart');
});

/** A LoadBalancer Service `name` at 192.0.2.1, created on that day of January; `range` as its annotation. */
function balanced(name: string, day: number, port: number, range?: string): Service {
  return testService(
    { type: 'LoadBalancer', clusterIP: `10.96.1.${day}`, clusterIPs: [`10.96.1.${day}`], ports: [{ port }] },
    {
      name,
      creationTimestamp: `2026-01-0${day}T00:00:00Z`,
      annotations: range === undefined ? {} : { 'fairlead.dev/port-ranges': range },
    },
    { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } },
  );
}

/** Who holds what at 192.0.2.1. */
function holders(router: Router): readonly string[] {
  return [...router.frontends()]
    .filter((frontend) => frontend.address === '192.0.2.1')
    .map(({ port, lastPort, service }) => `${port}${lastPort === undefined ? '' : `-${lastPort}`} ${service}`)
    .sort();
}

interface Dispute {
  readonly name: string;
  readonly services: readonly Service[];
  readonly holders: readonly string[];
  readonly notices?: readonly string[];
}

const disputes: readonly Dispute[] = [
  {
    name: 'Services share an address by different ports',
    services: [balanced('a', 1, 80), balanced('b', 2, 443), balanced('c', 3, 8000, '8000-8999')],
    holders: ['443 shop/b', '80 shop/a', '8000-8999 shop/c'],
  },
  {
    name: 'of two that ask for one port the older has it, and the other is told who',
    services: [balanced('a', 2, 80), balanced('b', 1, 80)],
    holders: ['80 shop/b'],
    notices: [
      'shop/a AddressConflict: gets no traffic on 192.0.2.1:80/TCP (held by shop/b as its LoadBalancer, created 2026-01-01T00:00:00Z)',
    ],
  },
  {
    name: 'a younger port inside an older range is left out',
    services: [balanced('a', 1, 8000, '8000-8999'), balanced('b', 2, 8080)],
    holders: ['8000-8999 shop/a'],
    notices: [
      'shop/b AddressConflict: gets no traffic on 192.0.2.1:8080/TCP (held by shop/a as its LoadBalancer, created 2026-01-01T00:00:00Z)',
    ],
  },
  {
    name: 'a younger range over an older port is left out whole',
    services: [balanced('a', 2, 8000, '8000-8999'), balanced('b', 1, 8999)],
    holders: ['8999 shop/b'],
    notices: [
      'shop/a AddressConflict: gets no traffic on 192.0.2.1:8000-8999/TCP (held by shop/b as its LoadBalancer, created 2026-01-01T00:00:00Z)',
    ],
  },
  {
    name: 'what only an unsuccessful range stands against is in force',
    services: [balanced('a', 1, 8000, '8000-8100'), balanced('b', 2, 8050, '8050-8200'), balanced('c', 3, 8150)],
    holders: ['8000-8100 shop/a', '8150 shop/c'],
    notices: [
      'shop/b AddressConflict: gets no traffic on 192.0.2.1:8050-8200/TCP (held by shop/a as its LoadBalancer, created 2026-01-01T00:00:00Z)',
    ],
  },
];

for (const { name, services, notices = [], ...expected } of disputes) {
  test(name, () => {
    for (const order of [services, services.toReversed()]) {
      const router = createRouter({ nodeName: 'a' });
      const told = order.flatMap((service) => [...router.apply({ type: 'service', new: service }).notices]);
      assert.deepEqual(holders(router), expected.holders);
      const standing = [...router.notices()].map(describeNotice);
      assert.deepEqual(standing, notices);
      for (const notice of standing) assert.ok(told.map(describeNotice).includes(notice));
    }
  });
}

test('a conflict is told once, told anew when the holder changes, and over when the holder goes', () => {
  const router = createRouter({ nodeName: 'a' });
  const [first, second, third] = [balanced('a', 1, 80), balanced('b', 2, 80), balanced('c', 3, 80)];
  const tell = (service: Service | undefined, old?: Service) =>
    router.apply({ type: 'service', old, new: service }).notices.map(describeNotice);
  const heldBy = (who: string, day: number) =>
    `gets no traffic on 192.0.2.1:80/TCP (held by shop/${who} as its LoadBalancer, created 2026-01-0${day}T00:00:00Z)`;
  assert.deepEqual(tell(second), []);
  assert.deepEqual(tell(third), [`shop/c AddressConflict: ${heldBy('b', 2)}`]);
  assert.deepEqual(tell(third), []);
  assert.deepEqual(tell(first), [
    `shop/b AddressConflict: ${heldBy('a', 1)}`,
    `shop/c AddressConflict: ${heldBy('a', 1)}`,
  ]);
  assert.deepEqual(tell(undefined, first), [`shop/c AddressConflict: ${heldBy('b', 2)}`]);
  assert.deepEqual(tell(undefined, second), []);
  assert.deepEqual([...router.notices()], []);
  assert.deepEqual(holders(router), ['80 shop/c']);
});

test('an endpoint change of a Service that lost its address changes nothing there', () => {
  const router = createRouter({ nodeName: 'a' });
  router.apply({ type: 'service', new: balanced('a', 1, 80) }, { type: 'service', new: balanced('b', 2, 80) });
  const ports = [{ name: '', port: 8080 }];
  const of = (name: string) => ({ name, labels: { 'kubernetes.io/service-name': name } });
  const { changed, notices } = router.apply({ type: 'slice', new: testSlice(['10.0.0.1'], { ports }, of('b')) });
  assert.deepEqual(
    changed.map(({ key }) => key),
    ['10.96.1.2:80/TCP'],
  );
  assert.deepEqual(notices, []);
});

const changesOfRight: readonly [string, Service, Service, before: string, after: string][] = [
  ['a Service made anew is younger', balanced('a', 1, 80), balanced('a', 3, 80), '80 shop/a', '80 shop/b'],
  ['a range that grows over another port', balanced('a', 3, 79), balanced('a', 3, 79, '79-80'), '79 shop/a', ''],
  ['a range that shrinks', balanced('a', 3, 79, '79-80'), balanced('a', 3, 79), '', '79 shop/a'],
];
for (const [name, first, second, before, after] of changesOfRight) {
  test(`rights are decided anew: ${name}`, () => {
    // The cluster IP stays, so that nothing but the right changes.
    const { spec } = first;
    const router = createRouter({ nodeName: 'a' });
    router.apply({ type: 'service', new: first }, { type: 'service', new: balanced('b', 2, 80) });
    const holds = (text: string) => assert.ok(holders(router).includes(text || '80 shop/b'), `${holders(router)}`);
    holds(before);
    router.apply({ type: 'service', old: first, new: { ...second, spec } });
    holds(after);
    const standing = [...router.notices()].map(({ service }) => service);
    assert.equal(standing.length, holders(router).length === 2 ? 0 : 1);
  });
}
