import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  createNetworkNamespace,
  inNetworkNamespace,
  inNewMountNamespace,
  isNetworkNamespace,
  isolateNetwork,
  removeNetworkNamespace,
} from './namespaces.ts';
import { bindMount } from './mounts.ts';
import { openRoute } from './route.ts';
import { readSysctl, writeSysctl } from './sysctl.ts';

isolateNetwork();
const folder = mkdtempSync(join(tmpdir(), 'fairlead-route-'));
const pod = join(folder, 'ns', 'pod');
after(() => {
  removeNetworkNamespace(pod);
  rmSync(folder, { recursive: true });
});

test('an isolated thread sees only a loopback that is up', () => {
  using route = openRoute();
  assert.deepEqual(
    route.links().map((link) => [link.name, link.up]),
    [['lo', true]],
  );
  assert.deepEqual(
    route.addresses().map((address) => address.address),
    ['127.0.0.1', '::1'],
  );
});

test('a Pod network is a veth pair with one end on a bridge and the other in a namespace', () => {
  createNetworkNamespace(pod);
  createNetworkNamespace(pod);
  assert.ok(isNetworkNamespace(pod));
  using route = openRoute();
  const bridge = route.createLink({ kind: 'bridge', name: 'br0', up: true, hardwareAddress: '02:00:00:00:00:01' });
  route.addAddress('br0', '10.1.0.1/24');
  route.addAddress('br0', '10.1.0.1/24');
  route.addAddress('br0', 'fd00:1::1/64');
  const namespaceFd = openSync(pod, 'r');
  const veth = route.createLink({
    kind: 'veth',
    name: 'v0',
    up: true,
    master: bridge.index,
    alias: 'pod default/web',
    hairpin: true,
    peer: { name: 'eth0', namespaceFd },
  });
  closeSync(namespaceFd);
  assert.equal(veth.master, bridge.index);
  assert.equal(veth.alias, 'pod default/web');
  assert.match(execFileSync('ip', ['-d', 'link', 'show', 'v0']).toString(), /hairpin on/);
  assert.equal(bridge.hardwareAddress, '02:00:00:00:00:01');
  using inside = inNetworkNamespace(pod, openRoute);
  inside.setLink('eth0', { up: true });
  inside.addAddress('eth0', '10.1.0.2/24');
  inside.addAddress('eth0', 'fd00:1::2/64');
  const eth0 = inside.link('eth0');
  inside.replaceRoute({ destination: '0.0.0.0/0', linkIndex: eth0?.index ?? 0, gateway: '10.1.0.1' });
  assert.deepEqual(
    inside.routes().find((each) => each.destination === '0.0.0.0/0'),
    { destination: '0.0.0.0/0', linkIndex: eth0?.index, gateway: '10.1.0.1', source: undefined, metric: undefined },
  );
  assert.match(
    inNetworkNamespace(pod, () => connect('10.1.0.1')),
    /refused/,
  );
  assert.match(connect('fd00:1::2'), /refused/);
  assert.ok(route.neighbours().some((each) => each.address === '10.1.0.2'));
  const shown = inNetworkNamespace(pod, () => execFileSync('ip', ['addr', 'show', 'eth0']));
  assert.match(shown.toString(), /10\.1\.0\.2\/24/);
});

test('routes are added, listed with their source, and deleted once', () => {
  using route = openRoute();
  const bridge = route.link('br0');
  const services = { destination: '10.96.0.0/16', linkIndex: bridge?.index ?? 0, source: '10.1.0.1' };
  route.replaceRoute(services);
  route.replaceRoute(services);
  assert.equal(route.routes().filter((each) => each.destination === services.destination).length, 1);
  assert.equal(route.deleteRoute(services), true);
  assert.equal(route.deleteRoute(services), false);
});

test('the kernel says which route an address takes, and when there is none', () => {
  using route = openRoute();
  route.createLink({ kind: 'bridge', name: 'br-find', up: true });
  route.addAddress('br-find', '10.9.0.1/24');
  const index = route.link('br-find')?.index ?? 0;
  route.replaceRoute({ destination: '10.10.0.0/16', linkIndex: index, gateway: '10.9.0.2' });
  assert.equal(route.findRoute('10.9.0.7').linkIndex, index);
  const { linkIndex, gateway, destination } = route.findRoute('10.10.3.4');
  assert.deepEqual(
    { linkIndex, gateway, destination },
    { linkIndex: index, gateway: '10.9.0.2', destination: '10.10.3.4/32' },
  );
  assert.equal(route.findRoute('::1').gateway, undefined);
  assert.throws(() => route.findRoute('198.51.100.1'), { code: 'ENETUNREACH' });
  assert.throws(() => route.findRoute('nowhere'), RangeError);
  route.deleteLink('br-find');
});

test('what the kernel refuses is an error with its code and the kernel its own words', () => {
  using route = openRoute();
  assert.throws(() => route.createLink({ kind: 'bridge', name: 'br0' }), { code: 'EEXIST' });
  assert.throws(() => route.setLink('nothing', { up: true }), { code: 'ENODEV' });
  assert.equal(route.deleteLink('nothing'), false);
  assert.throws(() => route.replaceRoute({ destination: '10.9.0.0/16', linkIndex: 0, gateway: '203.0.113.1' }), {
    message: /Nexthop has invalid gateway|ENETUNREACH/,
  });
});

test('a deleted link is gone in both namespaces, and the thread is home again', () => {
  using route = openRoute();
  assert.equal(route.deleteLink('v0'), true);
  using inside = inNetworkNamespace(pod, openRoute);
  assert.equal(inside.link('eth0'), undefined);
  assert.ok(route.link('br0'));
  assert.throws(() => inNetworkNamespace(pod, () => assert.fail('inside')), /inside/);
  using home = openRoute();
  assert.ok(home.link('br0'));
});

test('sysctls are those of the namespace', () => {
  writeSysctl('net.ipv4.ip_forward', '1');
  assert.equal(readSysctl('net.ipv4.ip_forward'), '1');
  assert.equal(
    inNetworkNamespace(pod, () => readSysctl('net.ipv4.ip_unprivileged_port_start')),
    '1024',
  );
  assert.equal(readSysctl('net.ipv4.nothing'), undefined);
});

test('mounts made in a new mount namespace are seen by its processes only', () => {
  const target = join(folder, 'file');
  execFileSync('sh', ['-c', `echo outside > ${target}; echo inside > ${target}.new`]);
  const seen = inNewMountNamespace(() => {
    bindMount(`${target}.new`, target);
    return execFileSync('cat', [target]).toString();
  });
  assert.equal(seen, 'inside\n');
  assert.equal(execFileSync('cat', [target]).toString(), 'outside\n');
});

/** What a TCP connection to the discard port says: "refused" proves that packets go both ways. */
function connect(address: string): string {
  return String(spawnSync('timeout', ['2', 'bash', '-c', `echo > /dev/tcp/${address}/9`]).stderr);
}
