import assert from 'node:assert/strict';
import { test } from 'node:test';
import { podFixture, serviceFixture } from '../fixtures.ts';
import type { PodFixture } from '../fixtures.ts';
import type { ServiceSpec } from '../../api/core/service.ts';
import { reconcileEndpoints } from './reconcile.ts';
import { packSubsets, truncateSubsets } from './subsets.ts';

function subsets(pods: readonly PodFixture[], spec: Partial<ServiceSpec> = {}): string[] {
  const found = reconcileEndpoints({ service: serviceFixture(spec), pods: pods.map(podFixture), endpoints: undefined });
  return (found?.subsets ?? []).map(({ addresses = [], notReadyAddresses = [], ports = [] }) => {
    const list = (all: typeof addresses) => all.map(({ ip }) => ip).join(' ');
    return `${list(addresses)} | ${list(notReadyAddresses)} | ${ports.map(({ name, port }) => `${name ?? ''}:${port}`).join(' ')}`;
  });
}

const two: readonly PodFixture[] = [
  { name: 'b', ip: '10.0.0.2' },
  { name: 'a', ip: '10.0.0.1', ready: false },
];
const cases: readonly [string, readonly PodFixture[], Partial<ServiceSpec>, readonly string[]][] = [
  ['ready and not ready apart', two, {}, ['10.0.0.2 | 10.0.0.1 | http:8080']],
  [
    'all ready when not-ready ones are published',
    two,
    { publishNotReadyAddresses: true },
    ['10.0.0.1 10.0.0.2 |  | http:8080'],
  ],
  ['none that leaves', [{ deleting: true }], {}, []],
  [
    'those that leave when published',
    [{ deleting: true }],
    { publishNotReadyAddresses: true },
    ['10.244.0.5 |  | http:8080'],
  ],
  ['none that has finished', [{ phase: 'Succeeded' }], {}, []],
  [
    'addresses of the primary family',
    [{ ips: ['10.0.0.1', 'fd00::1'] }],
    { ipFamilies: ['IPv6', 'IPv4'] },
    ['fd00::1 |  | http:8080'],
  ],
  [
    'subsets by what named ports resolve to',
    [
      { name: 'a', ip: '10.0.0.1', ports: [{ name: 'http', containerPort: 1 }] },
      { name: 'b', ip: '10.0.0.2', ports: [{ name: 'http', containerPort: 2 }] },
      { name: 'c', ip: '10.0.0.3' },
    ],
    { ports: [{ port: 80, targetPort: 'http' }] },
    ['10.0.0.1 |  | :1', '10.0.0.2 |  | :2'],
  ],
  ['addresses without ports when headless without ports', [{}], { clusterIP: 'None', ports: [] }, ['10.244.0.5 |  | ']],
];
for (const [title, pods, spec, expected] of cases) {
  test(`Endpoints hold ${title}`, () => assert.deepEqual(subsets(pods, spec), expected));
}

test('what is right is not written, and the trigger time is no reason to', () => {
  const service = serviceFixture({ clusterIP: 'None' }, { labels: { team: 'shop' } });
  const pods = [podFixture()];
  const made = reconcileEndpoints({ service, pods, endpoints: undefined, triggerTimeMs: 0 });
  assert.deepEqual(made?.metadata.labels, {
    team: 'shop',
    'service.kubernetes.io/headless': '',
    'endpoints.kubernetes.io/managed-by': 'endpoint-controller',
  });
  assert.equal(
    made?.metadata.annotations?.['endpoints.kubernetes.io/last-change-trigger-time'],
    '1970-01-01T00:00:00.000Z',
  );
  assert.equal(reconcileEndpoints({ service, pods, endpoints: made, triggerTimeMs: 5 }), undefined);
  const external = { ...service, spec: { ...service.spec, selector: undefined } };
  assert.equal(reconcileEndpoints({ service: external, pods, endpoints: undefined }), undefined);
});

function addresses(count: number, isReady: boolean, port: number) {
  return Array.from({ length: count }, (_, index) => ({
    address: { ip: `10.${port}.${index >> 8}.${index & 255}` },
    isReady,
    ports: [{ port }],
  }));
}

test('over a thousand addresses the ready ones stay and every subset keeps its share', () => {
  const all = [...addresses(900, true, 1), ...addresses(300, true, 2), ...addresses(500, false, 1)];
  const { subsets, isTruncated } = truncateSubsets(packSubsets(all));
  assert.equal(isTruncated, true);
  assert.deepEqual(
    subsets.map((each) => [each.addresses?.length, each.notReadyAddresses?.length]),
    [
      [750, undefined],
      [250, undefined],
    ],
  );
  const mostlyUnready = truncateSubsets(packSubsets([...addresses(10, true, 1), ...addresses(2000, false, 1)]));
  assert.deepEqual(
    mostlyUnready.subsets.map((each) => [each.addresses?.length, each.notReadyAddresses?.length]),
    [[10, 990]],
  );
});

test('truncated Endpoints say so', () => {
  const pods = Array.from({ length: 1001 }, (_, index) =>
    podFixture({ name: `p${index}`, ip: `10.0.${index >> 8}.${index & 255}` }),
  );
  const made = reconcileEndpoints({ service: serviceFixture(), pods, endpoints: undefined });
  assert.equal(made?.metadata.annotations?.['endpoints.kubernetes.io/over-capacity'], 'truncated');
  const fewer = reconcileEndpoints({ service: serviceFixture(), pods: pods.slice(1), endpoints: made });
  assert.equal(fewer?.metadata.annotations?.['endpoints.kubernetes.io/over-capacity'], undefined);
});
