import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decideSettings } from './settings.ts';
import type { UpFlags } from './settings.ts';

const flags: UpFlags = {
  data: undefined,
  port: 6443,
  dnsPort: 10053,
  plane: 'auto',
  serviceDefaults: {},
  allowExternalIps: false,
  clusterDomain: 'cluster.local',
  nodeName: undefined,
  podCidr: undefined,
  serviceCidr: undefined,
};
const root = { uid: 0, hostName: 'Box', defaultDataDir: '/var/lib/fairlead' };
const user = { uid: 1000, hostName: 'Box', defaultDataDir: '/home/me/.local/state/fairlead' };

test('as root, Pods and Services have private ranges and the node has the first Pod address', () => {
  const settings = decideSettings(flags, root);
  assert.deepEqual(settings.network, {
    clusterCidr: '10.244.0.0/16',
    podCidr: '10.244.0.0/24',
    serviceCidr: '10.96.0.0/16',
    gateway: '10.244.0.1',
  });
  assert.deepEqual(settings.api.addresses, ['127.0.0.1', '10.244.0.1']);
  assert.equal(settings.dns.clusterAddress, '10.96.0.10');
  assert.equal(settings.nodeName, 'box');
});

test('without root everything is on loopback addresses and the plane is userspace', () => {
  const settings = decideSettings({ ...flags, plane: 'nftables' }, user);
  assert.equal(settings.network.serviceCidr, '127.96.0.0/16');
  assert.deepEqual(settings.api.addresses, ['127.0.0.1']);
  assert.equal(settings.plane, 'userspace');
});

test('a named data folder is kept, the default one is not', () => {
  assert.equal(decideSettings({ ...flags, data: '/srv/data' }, root).keepsData, true);
  const settings = decideSettings(flags, root);
  assert.equal(settings.keepsData, false);
  assert.equal(settings.dataDir, '/var/lib/fairlead');
});

const refused: readonly [Partial<UpFlags>, RegExp][] = [
  [{ podCidr: '10.96.0.0/24' }, /overlap/],
  [{ podCidr: 'everything' }, /--pod-cidr: "everything" is not an IPv4 range/],
  [{ serviceCidr: 'fd00::/64' }, /--service-cidr: "fd00::\/64" is not an IPv4 range/],
  [{ serviceCidr: '10.0.0.0/30' }, /too small/],
];

for (const [change, message] of refused) {
  test(`${JSON.stringify(change)} is refused and the flag named`, () => {
    assert.throws(() => decideSettings({ ...flags, ...change }, root), message);
  });
}
