import { openRoute } from '../../linux/route.ts';
import { HostNetwork } from '../contract/host-network.ts';
import { ipv4, ipv6 } from '../contract/worlds.ts';

/**
 * What the tests of stale flows share: Pods that serve port 8080, a client Pod, a machine outside, and the node between
 * them, in IPv4 and IPv6. All other addresses are outside.
 */
export async function startMachines(): Promise<HostNetwork> {
  const pods = ['pod1', 'pod2', 'pod3'] as const;
  const gateways = ['10.244.0.1', 'fd00:244::1'] as const;
  const hosts = new HostNetwork([
    ...pods.map((name) => ({ name, addresses: [ipv4.pods[name], ipv6.pods[name]], gateways })),
    { name: 'client', addresses: [ipv4.sources.client, ipv6.sources.client], gateways },
    { name: 'outside', addresses: [ipv4.sources.outside, ipv6.sources.outside], gateways: [ipv4.node, ipv6.node] },
  ]);
  using route = openRoute();
  const linkIndex = route.link('to-outside')?.index ?? 0;
  route.replaceRoute({ destination: '0.0.0.0/0', linkIndex, gateway: ipv4.sources.outside });
  route.replaceRoute({ destination: '::/0', linkIndex, gateway: ipv6.sources.outside });
  for (const { pods: addresses } of [ipv4, ipv6]) {
    for (const name of pods) await hosts.host(name).serve(addresses[name], 8080);
  }
  return hosts;
}
