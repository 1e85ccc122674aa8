import assert from 'node:assert/strict';
import { test } from 'node:test';
import { declareCases, nodePortSpec } from './declare-cases.ts';
import { describeFrontend, describeNotice, testService, testSlice } from './fixtures.ts';
import { createRouter } from './router.ts';
import { specialKindOf } from './special-address.ts';

const kinds: Readonly<Record<string, readonly string[]>> = {
  'the unspecified address': ['0.0.0.0', '::'],
  'a loopback address': ['127.0.0.1', '127.255.255.254', '::1'],
  'a link-local address': ['169.254.0.1', '169.254.169.254', 'fe80::1', 'febf::1'],
  'a multicast address': ['224.0.0.1', '239.255.255.255', 'ff02::1'],
  'the broadcast address': ['255.255.255.255'],
  'an IPv4-mapped address': ['::ffff:10.0.0.1'],
};
const special = Object.values(kinds).flat();
const ordinary = [
  '10.0.0.1',
  '126.255.255.255',
  '128.0.0.1',
  '169.253.0.1',
  '172.16.0.1',
  '192.168.0.1',
  '223.255.255.255',
  'fd00::1',
  'fec0::1',
];
const clusterIps = (...clusterIPs: string[]) => ({ clusterIP: clusterIPs[0], clusterIPs });

test('which addresses are special, and which only look like it', () => {
  for (const [kind, addresses] of Object.entries(kinds)) {
    for (const address of addresses) assert.equal(specialKindOf(address, false), kind, address);
  }
  for (const address of ordinary) assert.equal(specialKindOf(address, false), undefined, address);
});

test('where loopback addresses are allowed, those alone are ordinary', () => {
  assert.deepEqual(
    special.filter((address) => specialKindOf(address, true) === undefined),
    kinds['a loopback address'],
  );
});

declareCases([
  ...special.map((address) => ({
    name: `the cluster IP ${address} is left out and told; the node port works`,
    service: testService({ ...nodePortSpec, ...clusterIps(address) }),
    slices: [testSlice(['10.0.0.1'], {}), testSlice(['fd00::1'], { addressType: 'IPv6' }, { name: 'cart-2' })],
    frontends: [
      address.includes(':')
        ? '[*]:30080/TCP NodePort masquerade=always → fd00::1:8080'
        : '*:30080/TCP NodePort masquerade=always → 10.0.0.1:8080',
    ],
    notices: [`InvalidAddress: cluster IP ${address} is ${specialKindOf(address, false)}: left out`],
  })),
  {
    name: 'of two cluster IPs the one that can be works',
    service: testService({ ...clusterIps('::1', '10.96.0.1') }),
    slices: [testSlice(['10.0.0.1'])],
    frontends: ['10.96.0.1:80/TCP ClusterIP → 10.0.0.1:8080'],
    notices: ['InvalidAddress: cluster IP ::1 is a loopback address: left out'],
  },
  {
    name: 'external IPs and load-balancer addresses that no Service can have are left out and told; the others answer',
    config: { allowExternalIps: true },
    service: testService(
      { type: 'LoadBalancer', externalIPs: ['127.0.0.1', '192.0.2.7', '224.0.0.1'] },
      {},
      { loadBalancer: { ingress: [{ ip: '0.0.0.0' }, { ip: '192.0.2.8' }, { ip: '169.254.1.1' }] } },
    ),
    frontends: [
      '10.96.0.1:80/TCP ClusterIP → reject',
      '192.0.2.8:80/TCP LoadBalancer masquerade=always → reject',
      '192.0.2.7:80/TCP ExternalIP masquerade=always → reject',
    ],
    notices: [
      'external IP 127.0.0.1 is a loopback address',
      'external IP 224.0.0.1 is a multicast address',
      'load-balancer address 0.0.0.0 is the unspecified address',
      'load-balancer address 169.254.1.1 is a link-local address',
    ].map((what) => `InvalidAddress: ${what}: left out`),
  },
  {
    name: 'external IPs that are not allowed are told as such, whatever they are',
    service: testService({ externalIPs: ['127.0.0.1'] }),
    frontends: ['10.96.0.1:80/TCP ClusterIP → reject'],
    notices: [
      'ExternalIPsIgnored: spec.externalIPs (127.0.0.1) get no traffic: this proxy does not allow external IPs',
    ],
  },
  {
    name: 'endpoints at special addresses are left out and told; the others work',
    service: testService(),
    slices: [testSlice(['127.0.0.1', '10.0.0.1', '0.0.0.0', '169.254.1.1', '224.0.0.1'])],
    frontends: ['10.96.0.1:80/TCP ClusterIP → 10.0.0.1:8080'],
    notices: [
      'InvalidEndpoint: EndpointSlice cart-1: endpoints left out: "127.0.0.1" is a loopback address, ' +
        '"0.0.0.0" is the unspecified address, "169.254.1.1" is a link-local address, "224.0.0.1" is a multicast address',
    ],
  },
  {
    name: 'where loopback addresses are allowed, Services and endpoints may have them',
    config: { allowLoopback: true, allowExternalIps: true },
    service: testService({ ...clusterIps('127.96.0.1'), externalIPs: ['127.0.0.1'] }),
    slices: [testSlice(['127.244.0.1'])],
    frontends: [
      '127.96.0.1:80/TCP ClusterIP → 127.244.0.1:8080',
      '127.0.0.1:80/TCP ExternalIP masquerade=always → 127.244.0.1:8080',
    ],
  },
]);

test("an address of the node is no cluster IP, from when the Node tells it; as an external IP or a balancer's it is", () => {
  const router = createRouter({ nodeName: 'a', allowExternalIps: true });
  const [own, other] = ['192.0.2.1', '192.0.2.2'];
  router.apply({ type: 'service', new: testService({ ...clusterIps(own), externalIPs: [own] }) });
  assert.equal(router.get(`${own}:80/TCP`)?.kind, 'ClusterIP');
  const node = (address: string) => ({
    metadata: { name: 'a' },
    spec: {},
    status: { addresses: [{ type: 'InternalIP' as const, address }] },
  });
  const { changed, notices } = router.apply({ type: 'node', new: node(own) });
  assert.deepEqual(changed.map(describeFrontend), [`${own}:80/TCP ExternalIP masquerade=always → reject`]);
  assert.deepEqual(notices.map(describeNotice), [
    `shop/cart InvalidAddress: cluster IP ${own} is an address of node a: left out`,
  ]);
  const balanced = testService({ type: 'LoadBalancer' }, {}, { loadBalancer: { ingress: [{ ip: own }] } });
  router.apply({ type: 'service', new: balanced });
  assert.equal(router.get(`${own}:80/TCP`)?.kind, 'LoadBalancer');
  router.apply({ type: 'service', new: testService(clusterIps(own)) }, { type: 'node', new: node(other) });
  assert.equal(router.get(`${own}:80/TCP`)?.kind, 'ClusterIP');
  assert.deepEqual([...router.notices()], []);
});
