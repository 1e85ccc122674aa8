import { after, before } from 'node:test';
import { isolateNetwork } from '../../linux/namespaces.ts';
import { openRoute } from '../../linux/route.ts';
import { commonCases, routedCases, targetPort, type World } from '../contract/cases.ts';
import { declareContract, type Subject } from '../contract/contract.ts';
import { HostNetwork } from '../contract/hosts.ts';
import { ipv4, ipv6, network } from '../contract/worlds.ts';
import type { Dataplane } from '../dataplane.ts';
import { createIpvsPlane } from './plane.ts';

isolateNetwork();

let plane: Dataplane;
let hosts: HostNetwork;

before(async () => {
  const pods = ['10.244.0.1', 'fd00:244::1'] as const;
  hosts = new HostNetwork([
    { name: 'pod1', addresses: [ipv4.pods.pod1, ipv6.pods.pod1], gateways: pods, isBridged: true },
    { name: 'pod2', addresses: [ipv4.pods.pod2, ipv6.pods.pod2], gateways: pods, isBridged: true },
    { name: 'pod3', addresses: [ipv4.pods.pod3, ipv6.pods.pod3], gateways: pods, isBridged: true },
    { name: 'client', addresses: [ipv4.sources.client, ipv6.sources.client], gateways: pods, isBridged: true },
    { name: 'outside', addresses: [ipv4.sources.outside, ipv6.sources.outside], gateways: [ipv4.node, ipv6.node] },
  ]);
  for (const world of [ipv4, ipv6]) {
    for (const [name, address] of Object.entries(world.pods)) await hosts.host(name).serve(address, targetPort);
  }
  using route = openRoute();
  const linkIndex = route.link('to-outside')?.index ?? 0;
  route.replaceRoute({ destination: '0.0.0.0/0', linkIndex, gateway: ipv4.sources.outside });
  route.replaceRoute({ destination: '::/0', linkIndex, gateway: ipv6.sources.outside });
  plane = createIpvsPlane({ network });
  await plane.adopt([]);
});

after(async () => {
  await plane.remove();
  await hosts[Symbol.asyncDispose]();
});

function subject(world: World): () => Subject {
  return () => ({
    plane,
    world,
    call: ({ from, address, port, protocol }) => hosts.host(from).call(address, port, protocol === 'UDP'),
  });
}

for (const world of [ipv4, ipv6]) {
  declareContract(`IPVS ${world.family}`, subject(world), [...commonCases(world), ...routedCases(world)]);
}
