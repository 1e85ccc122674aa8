import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Node } from '../../api/core/node.ts';
import { Service } from '../../api/core/service.ts';
import { EndpointSlice } from '../../api/discovery/endpoint-slice.ts';
import { planeAnnotation } from '../../api/fairlead-annotations.ts';
import { createCaches } from '../../client/caches.ts';
import { createFakeApi, type FakeApi } from '../../client/fake.ts';
import { openRoute } from '../../linux/route.ts';
import { silentLogger } from '../../observe/log.ts';
import { createMetrics } from '../../observe/metrics.ts';
import { testService, testSlice } from '../../routing/fixtures.ts';
import type { Proxy } from '../config.ts';
import { HostNetwork } from '../contract/host-network.ts';
import { ipv4, ipv6, network } from '../contract/worlds.ts';
import type { PlaneName } from '../dataplane.ts';
import type { PlaneSettings } from '../open-plane.ts';
import { startProxy } from '../run.ts';

const nodePort = 30_080;
const [clusterIP] = ipv4.services;

/** Where connections come from, and what they call. */
const callers: readonly (readonly [string, string, number])[] = [
  ['client', clusterIP, 80],
  ['node', clusterIP, 80],
  ['outside', ipv4.node, nodePort],
];

/**
 * A test that goes through the planes, one after the other, by starts of another proxy and then by the annotation of the
 * Node, under constant new connections and with connections that are held all the while: none may fail.
 */
export function declarePlaneChanges(planes: readonly PlaneName[], planeSettings: PlaneSettings = {}): void {
  test(`no connection is lost from plane to plane: ${planes.join(', ')}`, { timeout: 120_000 }, async () => {
    await using stack = new AsyncDisposableStack();
    const hosts = stack.use(await openNetwork());
    const api = apiWithCart();
    let proxy = await start(api, planes[0] ?? 'nftables', planeSettings);
    stack.defer(() => proxy.remove());
    for (const [caller, address, port] of callers) {
      assert.match(await hosts.host(caller).hold(address, port, false), /^pod[12] /, `${caller} holds`);
    }
    const traffic = keepCalling(hosts);
    for (const plane of planes.slice(1)) {
      await proxy[Symbol.asyncDispose]();
      proxy = await start(api, plane, planeSettings);
      await traffic.rounds(5);
    }
    for (const plane of [...planes.slice(0, -1).toReversed(), ...planes.slice(1)]) {
      api.put(Node, { metadata: { name: 'node-1', annotations: { [planeAnnotation]: plane } }, spec: {}, status: {} });
      await until(() => proxy.choice.plane === plane);
      await traffic.rounds(5);
    }
    assert.deepEqual(await traffic.stop(), []);
    for (const [caller] of callers) {
      assert.match(await hosts.host(caller).again(), /^pod[12] /, `${caller}'s connection lives`);
    }
  });
}

async function openNetwork(): Promise<HostNetwork> {
  const gateways = ['10.244.0.1', 'fd00:244::1'] as const;
  const hosts = new HostNetwork([
    { name: 'pod1', addresses: [ipv4.pods.pod1, ipv6.pods.pod1], gateways, isBridged: true },
    { name: 'pod2', addresses: [ipv4.pods.pod2, ipv6.pods.pod2], gateways, isBridged: true },
    { name: 'client', addresses: [ipv4.sources.client, ipv6.sources.client], gateways, isBridged: true },
    { name: 'outside', addresses: [ipv4.sources.outside], gateways: [ipv4.node, ipv6.node] },
  ]);
  for (const name of ['pod1', 'pod2'] as const) await hosts.host(name).serve(ipv4.pods[name], 8080);
  using route = openRoute();
  const linkIndex = route.link('to-outside')?.index ?? 0;
  route.replaceRoute({ destination: '0.0.0.0/0', linkIndex, gateway: ipv4.sources.outside });
  return hosts;
}

function apiWithCart(): FakeApi {
  const api = createFakeApi();
  const ports = [{ name: 'http', port: 80, protocol: 'TCP' as const, nodePort }];
  api.put(Service, testService({ type: 'NodePort', clusterIP, clusterIPs: [clusterIP], ports }));
  api.put(EndpointSlice, testSlice([`${ipv4.pods.pod1} @node-1`, `${ipv4.pods.pod2} @node-1`]));
  return api;
}

async function start(api: FakeApi, plane: PlaneName, planeSettings: PlaneSettings): Promise<Proxy> {
  const caches = createCaches(api.client, { random: () => 0 });
  const metrics = createMetrics();
  const common = { client: api.client, caches, network, planeSettings, logger: silentLogger, metrics };
  const proxy = await startProxy({ ...common, nodeName: 'node-1', plane });
  await proxy.synced;
  assert.equal(proxy.choice.plane, plane);
  return proxy;
}

/** New connections from every caller, without a pause, until stopped; `stop` tells which failed. */
function keepCalling(hosts: HostNetwork) {
  const failures: string[] = [];
  let count = 0;
  const end = new AbortController();
  const call = async (caller: string, address: string, port: number): Promise<void> => {
    while (!end.signal.aborted) {
      const answer = await hosts.host(caller).call(address, port, false);
      if (!/^pod[12] /.test(answer)) failures.push(`${caller}: ${answer}`);
      count += 1;
    }
  };
  const calling = callers.map((caller) => call(...caller));
  return {
    rounds: (rounds: number) => {
      const enough = count + rounds * callers.length;
      return until(() => count >= enough);
    },
    async stop() {
      end.abort();
      await Promise.all(calling);
      return failures;
    },
  };
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!condition()) {
    assert.ok(Date.now() < deadline, 'in time');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
