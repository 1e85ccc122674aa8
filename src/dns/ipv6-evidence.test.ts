import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Node } from '../api/core/node.ts';
import { Service } from '../api/core/service.ts';
import { EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import { createCaches } from '../client/caches.ts';
import { createFakeApi } from '../client/fake.ts';
import type { FakeApi } from '../client/fake.ts';
import { dnsService, dnsSlice } from './fixtures.ts';
import { followIpv6 } from './ipv6-evidence.ts';

function node(addresses: readonly string[], podCIDRs: readonly string[] = []): Node {
  return {
    metadata: { name: 'one' },
    spec: { podCIDRs },
    status: { addresses: addresses.map((address) => ({ type: 'InternalIP', address })) },
  };
}

function plainCluster(): FakeApi {
  const api = createFakeApi();
  api.put(Service, dnsService());
  api.put(EndpointSlice, dnsSlice(['10.244.0.1']));
  api.put(Node, node(['192.0.2.1', 'one'], ['10.244.0.0/24']));
  return api;
}

const proofs: readonly [what: string, put: (api: FakeApi) => unknown][] = [
  ['a cluster IP', (api) => api.put(Service, dnsService({ clusterIPs: ['10.96.0.1', 'fd00::1'] }))],
  ['an endpoint', (api) => api.put(EndpointSlice, dnsSlice(['fd01::1'], {}, 'cart-2'))],
  ['an address of a node', (api) => api.put(Node, node(['192.0.2.1', '2001:db8::1']))],
  ['a Pod range of a node', (api) => api.put(Node, node(['192.0.2.1'], ['10.244.0.0/24', 'fd01::/64']))],
];

for (const [what, put] of proofs) {
  test(`a cluster has IPv6 when ${what} has it`, async () => {
    const api = plainCluster();
    put(api);
    await using caches = createCaches(api.client);
    using evidence = followIpv6({ caches, cidrs: [], machineHasIpv6: () => false });
    await evidence.synced;
    assert.equal(evidence.hasIpv6(), true);
  });
}

test('a cluster has no IPv6 when nothing in it has, and all is read', async () => {
  await using caches = createCaches(plainCluster().client);
  let machineHasIpv6 = false;
  const options = { caches, cidrs: ['10.96.0.0/16', '::/0'], machineHasIpv6: () => machineHasIpv6 };
  using evidence = followIpv6(options);
  assert.equal(evidence.hasIpv6(), true, 'before all is read');
  await evidence.synced;
  assert.equal(evidence.hasIpv6(), false);
  machineHasIpv6 = true;
  assert.equal(evidence.hasIpv6(), true, 'when this machine has it');
  using ranges = followIpv6({ ...options, cidrs: ['fd00::/108'] });
  assert.equal(ranges.hasIpv6(), true, 'when a range is of IPv6');
});
