import assert from 'node:assert/strict';
import { test } from 'node:test';
import { questionOf } from './dig.ts';
import { explain } from './explain.ts';
import { ExternalNames } from './external/external-names.ts';
import { dnsNamespace, dnsService, dnsSlice, headlessService, testResponder } from './fixtures.ts';
import { defaultCluster, emptyServer } from './settings/cluster-server.ts';

const { records } = testResponder({
  changes: [
    { type: 'namespace', new: dnsNamespace() },
    { type: 'service', new: dnsService() },
    {
      type: 'service',
      new: dnsService(
        { type: 'ExternalName', externalName: 'cart.shop.svc.cluster.local', clusterIP: '', clusterIPs: [] },
        'alias',
      ),
    },
    { type: 'service', new: headlessService({}, 'sleepy') },
    {
      type: 'slice',
      new: dnsSlice(['10.244.0.1 !ready'], {
        metadata: { name: 's', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'sleepy' } },
      }),
    },
  ],
});

const cases: readonly [name: string, type: string, lines: readonly RegExp[]][] = [
  ['cart.shop.svc.cluster.local', 'A', [/10\.96\.0\.1 comes from Service shop\/cart \(TTL 5 s\)/]],
  ['cart.shop.svc.cluster.local', 'MX', [/exists \(Service shop\/cart\) without MX: it has A, SRV/]],
  ['alias.shop.svc.cluster.local', 'A', [/alias of cart\.shop/, /comes from Service shop\/cart/]],
  [
    'sleepy.shop.svc.cluster.local',
    'A',
    [/Service shop\/sleepy has no ready endpoint, so it has no names \(NXDOMAIN of zone cluster\.local\.\)/],
  ],
  ['nope.shop.svc.cluster.local', 'A', [/there is no Service shop\/nope/]],
  ['cart.nope.svc.cluster.local', 'A', [/there is no Service nope\/cart/]],
  ['_x._tcp.cart.shop.svc.cluster.local', 'SRV', [/has no port _x\._tcp/]],
  ['shop.svc.cluster.local', 'A', [/exists \(Namespace shop\) without A: it has no records, only names below it/]],
  ['example.com', 'A', [/not in a zone of the cluster .* upstream/]],
];

for (const [name, type, lines] of cases) {
  test(`why ${name} ${type} is answered as it is`, () => {
    const question = questionOf(name, type);
    const explained = explain({ records }, question.name, question.type);
    assert.equal(explained.length, lines.length, explained.join('\n'));
    for (const [index, line] of lines.entries()) assert.match(explained[index] ?? '', line);
  });
}

const settings = {
  ...emptyServer,
  cluster: { ...defaultCluster, fallthrough: ['left.svc.cluster.local'] },
  visibility: [{ action: 'hide', from: ['dev'], to: ['bank'] }],
  autopath: { search: ['corp.example'] },
  aaaa: 'auto',
} as const;

const bySettings: readonly [name: string, type: string, asker: string | undefined, lines: readonly RegExp[]][] = [
  [
    'vault.bank.svc.cluster.local',
    'A',
    'dev',
    [/^visibility: vault.* the names of Namespace bank are hidden from Namespace dev \(NXDOMAIN\)/],
  ],
  ['vault.bank.svc.cluster.local', 'A', undefined, [/hidden from those whose namespace is not known/]],
  ['cart.shop.svc.cluster.local', 'A', 'dev', [/comes from Service shop\/cart/]],
  ['example.com', 'AAAA', 'dev', [/^ipv6: example\.com\. .* nothing in the cluster has an IPv6 address/]],
  ['example.com', 'A', 'dev', [/^forward: /]],
  ['x.left.svc.cluster.local', 'A', undefined, [/left to the next handler by fallthrough/, /^forward: /]],
  [
    'example.com.dev.svc.cluster.local',
    'A',
    'dev',
    [
      /there is no Service dev\/com/,
      /^autopath: .*: example\.com\.svc\.cluster\.local\. .*local\. example\.com\.corp\.example\. example\.com\.$/,
    ],
  ],
  [
    'web.shop.example.org',
    'A',
    'dev',
    [/^external: web\.shop\.example\.org\. A 192\.0\.2\.1 comes from Service shop\/web/],
  ],
  ['nope.shop.example.org', 'A', 'dev', [/^external: nope.* there is no Service shop\/nope with an outside address/]],
];

for (const [name, type, asker, lines] of bySettings) {
  test(`why ${name} ${type} is answered as it is by these settings to ${asker ?? 'nobody known'}`, () => {
    const external = new ExternalNames({
      zones: ['example.org'],
      ttlSeconds: 5,
      headless: false,
      namespaces: [],
      serverAddresses: [],
    });
    external.apply([{ type: 'service', new: dnsService({ externalIPs: ['192.0.2.1'] }, 'web') }], 1);
    const question = questionOf(name, type);
    const explained = explain({ records, external, settings, asker, hasIpv6: false }, question.name, question.type);
    assert.equal(explained.length, lines.length, explained.join('\n'));
    for (const [index, line] of lines.entries()) assert.match(explained[index] ?? '', line);
  });
}
