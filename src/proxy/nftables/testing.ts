import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { connect } from 'node:net';
import { openRoute } from '../../linux/route.ts';
import { HostNetwork } from '../contract/host-network.ts';
import { ipv4 } from '../contract/worlds.ts';

/** What the tests of this plane share: the `nft` program as an operator uses it, and a small network around the node. */

/** What `nft` prints; fails when it complains about anything. */
export function nft(...args: string[]): string {
  return run(args, '');
}

/** Carries out rules in nft's own language. */
export function nftFile(rules: string): void {
  run(['-f', '-'], rules);
}

function run(args: readonly string[], input: string): string {
  const result = spawnSync('nft', args, { input, maxBuffer: 1 << 28 });
  assert.equal(result.status, 0, `nft ${args.join(' ')}: ${String(result.stderr)} ${result.signal ?? ''}`);
  assert.equal(String(result.stderr), '');
  return String(result.stdout);
}

/** Waits until something is so; five seconds are too long. */
export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + 5000;
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, `still not: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Three Pods that serve port 8080, a client Pod, and a route for cluster addresses. */
export async function startPods(): Promise<HostNetwork> {
  const gateways = ['10.244.0.1', 'fd00:244::1'] as const;
  const hosts = new HostNetwork([
    { name: 'pod1', addresses: [ipv4.pods.pod1], gateways },
    { name: 'pod2', addresses: [ipv4.pods.pod2], gateways },
    { name: 'pod3', addresses: [ipv4.pods.pod3], gateways },
    { name: 'client', addresses: [ipv4.sources.client], gateways },
  ]);
  using route = openRoute();
  route.replaceRoute({ destination: '10.96.0.0/16', linkIndex: route.link('to-client')?.index ?? 0 });
  for (const [name, address] of Object.entries(ipv4.pods)) await hosts.host(name).serve(address, 8080);
  return hosts;
}

/** One TCP connection from an address of the node: who answers, or the error's code. */
export function askFrom(source: string, address: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, localAddress: source });
    socket.once('error', (error) => resolve('code' in error ? String(error.code) : error.message));
    socket.once('data', (data) => {
      resolve(data.toString().split(' ')[0] ?? '');
      socket.destroy();
    });
    socket.write('?');
  });
}
