import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExternalNames } from './external/external-names.ts';
import { dnsNamespace, dnsService, dnsSlice, headlessService } from './fixtures.ts';
import { formatRecord } from './presentation.ts';
import { createRecords } from './records.ts';
import type { Names, Records } from './records.ts';
import type { ResourceRecord } from './wire/message.ts';
import { nameOfRdata } from './wire/rdata.ts';
import { typeNumbers } from './wire/types.ts';

function shop(zonal = false): Records {
  const records = createRecords({
    clusterDomain: 'cluster.local',
    cidrs: ['10.96.0.0/16'],
    serverAddresses: ['10.96.0.10'],
    zonal,
  });
  const labels = { 'kubernetes.io/service-name': 'many' };
  const hosts = ['10.96.7.1 host=a zone=z1', '10.96.7.2 zone=z2', '10.96.7.3 !ready'];
  records.apply(
    [
      { type: 'namespace', new: dnsNamespace() },
      { type: 'service', new: dnsService() },
      { type: 'service', new: headlessService({}, 'many') },
      { type: 'service', new: dnsService({ type: 'ExternalName', externalName: 'www.example.com' }, 'alias') },
      { type: 'slice', new: dnsSlice(hosts, { metadata: { name: 'many', namespace: 'shop', labels } }) },
    ],
    100,
  );
  return records;
}

function allOf(names: Names): ResourceRecord[] {
  return names.zones.flatMap((zone) => [...names.listed(zone)]);
}

/** Every listed record is one that its name is answered with. */
function assertAnswered(names: Names, all: readonly ResourceRecord[]): void {
  for (const record of all) {
    const found = names.find(record.name);
    assert.ok(found.kind === 'data', formatRecord(record));
    const { alias, sets } = found.data;
    if (record.type === typeNumbers.CNAME) assert.equal(nameOfRdata(record.rdata), alias);
    else assert.ok(sets.get(record.type)?.some((rdata) => Buffer.compare(rdata, record.rdata) === 0));
  }
}

test('a listed zone has every record of its names, and no other', () => {
  for (const [zonal, count] of [
    [false, 19],
    [true, 27],
  ] as const) {
    const records = shop(zonal);
    const all = allOf(records);
    assertAnswered(records, all);
    assert.equal(new Set(all.map((record) => formatRecord(record))).size, all.length);
    assert.equal(all.length, count, all.map((record) => formatRecord(record, ' ')).join('\n'));
  }
});

test('a listed zone stays as it was, however late it is read', () => {
  const records = shop();
  const texts = (list: Iterable<ResourceRecord>): string[] => Array.from(list, (record) => formatRecord(record));
  const before = records.zones.map((zone) => texts(records.listed(zone)));
  const late = records.zones.map((zone) => records.listed(zone));
  const address = '10.96.0.2';
  const changed = dnsService({ clusterIP: address, clusterIPs: [address] });
  records.apply([{ type: 'service', old: dnsService(), new: changed }], 101);
  records.apply([{ type: 'service', old: headlessService({}, 'many') }], 102);
  assert.deepEqual(late.map(texts), before);
  assert.notDeepEqual(
    records.zones.map((zone) => texts(records.listed(zone))),
    before,
  );
});

test('a zone that was given away gets another serial with its next change, also within one second', () => {
  const records = shop();
  const change = (now: number): number => {
    records.apply([{ type: 'service', new: dnsService() }], now);
    return records.serial;
  };
  assert.equal(change(100), 100);
  records.listed(records.zones[0] ?? assert.fail());
  assert.deepEqual([change(100), change(100)], [101, 101]);
  // It never goes back, and follows the time again.
  assert.deepEqual([change(99), change(200)], [101, 200]);
});

test('a zone for those outside is listed with its Services and hosts', () => {
  const external = new ExternalNames({
    zones: ['example.com'],
    ttlSeconds: 5,
    headless: false,
    namespaces: [],
    serverAddresses: ['192.0.2.1'],
  });
  const service = dnsService({ type: 'LoadBalancer' });
  const status = { loadBalancer: { ingress: [{ ip: '192.0.2.7' }] } };
  const ingress = {
    metadata: { name: 'web', namespace: 'shop' },
    spec: { rules: [{ host: 'www.example.com' }, { host: '*.any.example.com' }] },
    status: { loadBalancer: { ingress: [{ ip: '192.0.2.8' }] } },
  };
  external.apply(
    [
      { type: 'service', new: { ...service, status } },
      { type: 'ingress', new: ingress },
    ],
    100,
  );
  const all = allOf(external);
  assertAnswered(external, all);
  const texts = all.map((record) => formatRecord(record, ' '));
  for (const expected of [
    'cart.shop.example.com. 5 IN A 192.0.2.7',
    '_http._tcp.cart.shop.example.com. 5 IN SRV 0 100 80 cart.shop.example.com.',
    'www.example.com. 5 IN A 192.0.2.8',
    '*.any.example.com. 5 IN A 192.0.2.8',
    'ns.dns.example.com. 5 IN A 192.0.2.1',
  ]) {
    assert.ok(texts.includes(expected), texts.join('\n'));
  }
});
