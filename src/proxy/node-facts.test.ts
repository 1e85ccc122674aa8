import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node } from '../api/core/node.ts';
import { network } from './contract/worlds.ts';
import { factsOf, livesOnLoopback, networkOf, noFacts } from './node-facts.ts';
import { nowhere } from './node-ports.ts';
import { conntrackMax } from './node-tuning.ts';

function nodeWith(...addresses: readonly (readonly [string, string])[]): Node {
  return {
    metadata: { name: 'a' },
    spec: { podCIDR: '10.244.7.0/24', podCIDRs: ['10.244.7.0/24', 'fd00:7::/64'] },
    status: { addresses: addresses.map(([type, address]) => ({ type, address })) },
  };
}

test('the primary addresses are the first internal one of each family, else the first external one', () => {
  const facts = factsOf(
    nodeWith(
      ['Hostname', 'a'],
      ['ExternalIP', '2001:db8::9'],
      ['InternalIP', '192.0.2.1'],
      ['InternalIP', '192.0.2.2'],
      ['ExternalIP', '203.0.113.1'],
    ),
  );
  assert.deepEqual(facts.primary, ['192.0.2.1', '2001:db8::9']);
  assert.deepEqual(facts.podCidrs, ['10.244.7.0/24', 'fd00:7::/64']);
});

test('node ports on primary addresses answer there and on ranges that are named, and nowhere before they are known', () => {
  const sourced = { nodePortsOnPrimary: true };
  const facts = factsOf(nodeWith(['InternalIP', '192.0.2.1']));
  assert.deepEqual(networkOf(network, sourced, facts).nodePortAddresses, ['192.0.2.1']);
  const named = { ...network, nodePortAddresses: ['198.51.100.0/24'] };
  assert.deepEqual(networkOf(named, sourced, facts).nodePortAddresses, ['198.51.100.0/24', '192.0.2.1']);
  assert.deepEqual(networkOf(network, sourced, noFacts).nodePortAddresses, nowhere);
  assert.deepEqual(networkOf(network, {}, facts), network);
});

test("Pod ranges may be the Node's, and the cluster's with them", () => {
  const facts = factsOf(nodeWith());
  const local = networkOf(network, { podCidrs: 'local' }, facts);
  assert.deepEqual([local.podCidrs, local.clusterCidrs], [facts.podCidrs, network.clusterCidrs]);
  const alone = networkOf(network, { podCidrs: 'alone' }, facts);
  assert.deepEqual([alone.podCidrs, alone.clusterCidrs], [facts.podCidrs, facts.podCidrs]);
});

test('the limit of tracked connections grows with the processors, from a least', () => {
  assert.equal(conntrackMax({ conntrackMaxPerCore: 32_768, conntrackMin: 131_072 }, 2), 131_072);
  assert.equal(conntrackMax({ conntrackMaxPerCore: 32_768, conntrackMin: 131_072 }, 8), 262_144);
  assert.equal(conntrackMax({ conntrackMaxPerCore: 0, conntrackMin: 131_072 }, 8), 0);
});

test('Services and Pods live on loopback addresses where a range of theirs lies wholly there', () => {
  assert.equal(livesOnLoopback(network), false);
  assert.equal(livesOnLoopback({ ...network, serviceCidrs: ['127.96.0.0/16'] }), true);
  assert.equal(livesOnLoopback({ ...network, podCidrs: ['127.244.0.0/24'] }), true);
  assert.equal(livesOnLoopback({ ...network, clusterCidrs: ['126.0.0.0/7', 'nonsense'] }), false);
});
