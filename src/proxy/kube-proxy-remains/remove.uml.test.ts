import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { isolateNetwork } from '../../linux/namespaces.ts';
import { ipv4, network } from '../contract/worlds.ts';
import { Frontends } from '../contract/frontends.ts';
import { createIpvsPlane } from '../ipvs/plane.ts';
import { removeKubeProxy } from './remove.ts';

isolateNetwork();

function run(program: string, ...args: string[]): string {
  return execFileSync(program, args, { encoding: 'utf8' });
}

/** What kube-proxy's ipvs mode leaves: its link with an address, a virtual server there, one of a node port. */
function leaveIpvs(): void {
  run('ip', 'link', 'add', 'kube-ipvs0', 'type', 'dummy');
  run('ip', 'address', 'add', '10.96.0.1/32', 'dev', 'kube-ipvs0');
  run('ipvsadm', '-A', '-t', '10.96.0.1:443', '-s', 'rr');
  run('ipvsadm', '-a', '-t', '10.96.0.1:443', '-r', '172.18.0.2:6443', '-m');
  run('ipvsadm', '-A', '-t', '192.0.2.1:30080', '-s', 'rr');
}

const servers = () => run('ipvsadm', '-S', '-n');

test("kube-proxy's link and virtual servers go", () => {
  leaveIpvs();
  assert.deepEqual(removeKubeProxy(), ['link kube-ipvs0', '2 virtual servers of IPVS']);
  assert.equal(servers(), '');
});

test("beside an IPVS plane only what is on kube-proxy's link goes", async () => {
  const plane = createIpvsPlane({ network });
  const make = new Frontends(ipv4);
  await plane.adopt([make.clusterIp(make.forward('pod1'))]);
  const before = servers();
  assert.notEqual(before, '');
  leaveIpvs();
  assert.deepEqual(removeKubeProxy(), ['link kube-ipvs0', '1 virtual server of IPVS']);
  run('ipvsadm', '-D', '-t', '192.0.2.1:30080');
  assert.equal(servers(), before);
  await plane.remove();
});
