import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { explain } from './explain.ts';
import { dnsNamespace, dnsService, dnsSlice, headlessService, importedSlice, serviceImport } from './fixtures.ts';
import { createRecords } from './records.ts';
import type { RecordChange, Records } from './records.ts';
import { questionOf } from './dig.ts';

const serviceName = fc.constantFrom('cart', 'web');

const service = fc
  .record({
    name: serviceName,
    kind: fc.constantFrom('cluster', 'headless', 'headless', 'external'),
    address: fc.constantFrom('10.96.0.1', '10.96.0.2'),
    port: fc.constantFrom('http', 'grpc'),
  })
  .map(({ name, kind, address, port }) => {
    const ports = [{ name: port, port: 80, protocol: 'TCP' as const }];
    if (kind === 'headless') return headlessService({ ports }, name);
    if (kind === 'cluster') return dnsService({ clusterIP: address, clusterIPs: [address], ports }, name);
    return dnsService({ type: 'ExternalName', externalName: 'example.com', clusterIP: '', clusterIPs: [] }, name);
  });

const endpoint = fc
  .record({
    address: fc.constantFrom('10.244.0.1', '10.244.0.2', '10.244.0.3'),
    host: fc.constantFrom('', ' host=a', ' host=b'),
    state: fc.constantFrom('', '', ' !ready'),
    zone: fc.constantFrom('', ' zone=a'),
  })
  .map(({ address, host, state, zone }) => `${address}${host}${state}${zone}`);

const slice = fc
  .record({
    slice: fc.constantFrom('s1', 's2'),
    of: serviceName,
    endpoints: fc.array(endpoint, { minLength: 1, maxLength: 3 }),
  })
  .map((it) =>
    dnsSlice(it.endpoints, {
      metadata: { name: it.slice, namespace: 'shop', labels: { 'kubernetes.io/service-name': it.of } },
    }),
  );

/** Slices and ServiceImports of a cluster set. */
const imported = fc
  .record({ cluster: fc.constantFrom('east', 'west'), endpoints: fc.array(endpoint, { minLength: 1, maxLength: 2 }) })
  .map(({ cluster, endpoints }) => importedSlice(endpoints, cluster));
const serviceImported = fc.constantFrom(serviceImport('Headless'), serviceImport('ClusterSetIP', ['10.42.0.1']));

const namespace = fc.constantFrom('shop', 'other').map(dnsNamespace);

const change: fc.Arbitrary<RecordChange> = fc.oneof(
  service.map((it): RecordChange => ({ type: 'service', new: it })),
  slice.map((it): RecordChange => ({ type: 'slice', new: it })),
  namespace.map((it): RecordChange => ({ type: 'namespace', new: it })),
  imported.map((it): RecordChange => ({ type: 'slice', new: it })),
  imported.map((it): RecordChange => ({ type: 'slice', old: it })),
  serviceImported.map((it): RecordChange => ({ type: 'import', new: it })),
  serviceImported.map((it): RecordChange => ({ type: 'import', old: it })),
  service.map((it): RecordChange => ({ type: 'service', old: it })),
  slice.map((it): RecordChange => ({ type: 'slice', old: it })),
  namespace.map((it): RecordChange => ({ type: 'namespace', old: it })),
);

function leftovers(changes: readonly RecordChange[]): RecordChange[] {
  const left = new Map<string, RecordChange>();
  for (const it of changes) {
    const key = `${it.type}/${(it.new ?? it.old)?.metadata.name}`;
    if (it.new) left.set(key, it);
    else left.delete(key);
  }
  return [...left.values()];
}

const config = fc.record({
  clusterDomain: fc.constant('cluster.local'),
  cidrs: fc.constant(['10.96.0.0/16', '10.244.0.0/16']),
  multicluster: fc.constant(['clusterset.local']),
  zonal: fc.boolean(),
  hidesEmptyServices: fc.boolean(),
  namespaces: fc.constantFrom([], ['shop'], ['other']),
});

const below = ['', 'a.', 'b.', '10-244-0-1.', '10-244-0-3.', '_tcp.', '_http._tcp.', '_grpc._tcp.'];
const questions = [
  ...['cart', 'web'].flatMap((name) => below.map((prefix) => `${prefix}${name}.shop.svc.cluster.local`)),
  ...['', 'a.east.', 'b.west.', 'east.', '_http._tcp.'].map((prefix) => `${prefix}cart.shop.svc.clusterset.local`),
  ...['a.pin._zone.', 'b.prefer._zone.', 'pin._zone.'].map((prefix) => `${prefix}cart.shop.svc.cluster.local`),
  'shop.svc.cluster.local',
  'other.svc.cluster.local',
  '10-0-0-1.other.pod.cluster.local',
  '10.96.0.1',
  '10.96.0.2',
  '10.244.0.1',
  '10.244.0.2',
  '10.244.0.3',
].flatMap((name) => (/^\d/.test(name) ? [questionOf(name)] : ['A', 'SRV'].map((type) => questionOf(name, type))));

function everything(records: Records): string[] {
  return questions.map(({ name, type }) => explain({ records }, name, type).toSorted().join('; '));
}

test('after any changes the names are as if the records had started from the objects that are left', () => {
  fc.assert(
    fc.property(config, fc.array(change, { maxLength: 30 }), (wanted, changes) => {
      const step = createRecords(wanted);
      for (const it of changes) step.apply([it], 1);
      const fresh = createRecords(wanted);
      fresh.apply(leftovers(changes).toReversed(), 1);
      assert.deepEqual(everything(step), everything(fresh));
    }),
    { numRuns: 1000 },
  );
});
