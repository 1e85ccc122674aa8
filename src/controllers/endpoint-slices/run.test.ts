import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Event } from '../../api/core/event.ts';
import { Node } from '../../api/core/node.ts';
import { Pod } from '../../api/core/pod.ts';
import { Service } from '../../api/core/service.ts';
import { EndpointSlice } from '../../api/discovery/endpoint-slice.ts';
import { nodeFixture, podFixture, serviceFixture } from '../fixtures.ts';
import { startBench } from '../test-bench.ts';
import { startEndpointSlices } from './run.ts';

test('a readiness change reaches the slice, and nothing is written twice', async () => {
  await using bench = await startBench(startEndpointSlices);
  const { api } = bench;
  api.put(Node, nodeFixture());
  await api.client.create(Service, serviceFixture());
  await bench.until(() => api.objects(EndpointSlice).length === 1);
  const pod = api.put(Pod, podFixture({ ready: false }));
  const ready = () => api.objects(EndpointSlice)[0]?.endpoints?.[0]?.conditions?.ready;
  await bench.until(() => ready() === false);
  await api.client.update(Pod, { ...pod, status: podFixture().status }, { subresource: 'status' });
  await bench.until(() => ready() === true);
  const writes = bench.writes('EndpointSlice');
  await api.client.update(Pod, { ...api.objects(Pod)[0], status: { ...podFixture().status, message: 'x' } } as Pod, {
    subresource: 'status',
  });
  await bench.settled();
  assert.equal(bench.writes('EndpointSlice'), writes, 'a change that no endpoint shows is not written');
});

test('a Pod on an unknown Node appears with its Node, and a zone change reaches the slice', async () => {
  await using bench = await startBench(startEndpointSlices);
  const { api } = bench;
  await api.client.create(Service, serviceFixture());
  api.put(Pod, podFixture());
  await bench.until(() => api.objects(EndpointSlice).length === 1);
  const endpoint = () => api.objects(EndpointSlice)[0]?.endpoints?.[0];
  assert.equal(endpoint(), undefined);
  const node = api.put(Node, nodeFixture('n1', 'a'));
  await bench.until(() => endpoint()?.zone === 'a');
  api.put(Node, { ...node, metadata: { ...node.metadata, labels: { 'topology.kubernetes.io/zone': 'b' } } });
  await bench.until(() => endpoint()?.zone === 'b');
});

test('a slice that somebody deletes or edits is put right', async () => {
  await using bench = await startBench(startEndpointSlices);
  const { api } = bench;
  api.put(Node, nodeFixture());
  api.put(Pod, podFixture());
  await api.client.create(Service, serviceFixture());
  const endpoints = () => api.objects(EndpointSlice)[0]?.endpoints ?? [];
  await bench.until(() => endpoints().length === 1);
  const [slice] = api.objects(EndpointSlice);
  assert.ok(slice);
  await api.client.update(EndpointSlice, { ...slice, endpoints: [] });
  await bench.until(() => endpoints().length === 1);
  await api.client.delete(EndpointSlice, slice.metadata.name ?? '', { namespace: 'default' });
  await bench.until(() => endpoints().length === 1);
});

test("a Pod's weight reaches the slice, follows the Pod, and goes with the annotation", async () => {
  await using bench = await startBench(startEndpointSlices);
  const { api } = bench;
  api.put(Node, nodeFixture());
  await api.client.create(Service, serviceFixture());
  const pod = api.put(Pod, podFixture({ metadata: { annotations: { 'fairlead.dev/weight': '3' } } }));
  const weights = () => api.objects(EndpointSlice)[0]?.metadata.annotations?.['fairlead.dev/weights'];
  await bench.until(() => weights() === '10.244.0.5=3');
  api.put(Pod, { ...pod, metadata: { ...pod.metadata, annotations: { 'fairlead.dev/weight': '0' } } });
  await bench.until(() => weights() === '10.244.0.5=0');
  api.put(Pod, { ...pod, metadata: { ...pod.metadata, annotations: {} } });
  await bench.until(() => weights() === undefined);
});

test('hints of a topology mode follow the CPU of the zones, and events tell when they come and go', async () => {
  await using bench = await startBench(startEndpointSlices);
  const { api } = bench;
  const put = (name: string, zone: string, cpu: string) => {
    const node = nodeFixture(name, zone);
    api.put(Node, { ...node, status: { ...node.status, allocatable: { cpu } } });
  };
  put('n1', 'a', '1');
  const annotations = { 'service.kubernetes.io/topology-mode': 'Auto' };
  await api.client.create(Service, serviceFixture({}, { annotations }));
  for (const at of [1, 2, 3, 4]) api.put(Pod, podFixture({ name: `web-${at}`, ip: `10.244.0.${at}` }));
  const hints = () =>
    api
      .objects(EndpointSlice)[0]
      ?.endpoints?.map(({ hints: it }) => it?.forZones?.[0]?.name ?? '-')
      .sort()
      .join('');
  const events = () => api.objects(Event).map(({ reason }) => reason);
  await bench.until(() => hints() === '----' && events().length === 1);
  put('n2', 'b', '1');
  await bench.until(() => hints() === 'aabb');
  put('n2', 'b', '3');
  await bench.until(() => hints() === 'abbb');
  await bench.until(() => events().length === 2);
  assert.deepEqual(events().sort(), ['TopologyAwareHintsDisabled', 'TopologyAwareHintsEnabled']);
});
