import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Deployment } from '../api/apps/deployment.ts';
import { ReplicaSet } from '../api/apps/replica-set.ts';
import { ConfigMap } from '../api/core/config-map.ts';
import { Endpoints } from '../api/core/endpoints.ts';
import { Event } from '../api/core/event.ts';
import { Namespace } from '../api/core/namespace.ts';
import { Node } from '../api/core/node.ts';
import { Pod } from '../api/core/pod.ts';
import { ServiceAccount } from '../api/core/service-account.ts';
import { Service } from '../api/core/service.ts';
import { EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import { isNotFound } from '../api/errors.ts';
import type { ApiObject } from '../api/meta/object-meta.ts';
import { nameOf } from '../api/meta/object-meta.ts';
import type { Kind } from '../api/schema.ts';
import { mastersGroup } from '../apiserver/auth/identity.ts';
import { startFixture } from '../apiserver/testing/fixture.ts';
import { createCaches } from '../client/caches.ts';
import type { Cache } from '../client/caches.ts';
import type { Client } from '../client/client.ts';
import { createClient } from '../client/rest-client.ts';
import { isPodActive, isPodReady } from './pods.ts';
import { startControllers } from './start.ts';

/** The controllers on the real API server of this process, with an agent that the tests play. */
interface System extends AsyncDisposable {
  readonly client: Client;
  readonly pods: Cache<Pod>;
  until(what: string, isMet: () => Promise<boolean> | boolean): Promise<void>;
  list<T extends ApiObject>(kind: Kind<T>, namespace?: string): Promise<readonly T[]>;
}

async function startSystem(): Promise<System> {
  const stack = new AsyncDisposableStack();
  const fixture = stack.use(await startFixture());
  const transport = fixture.core.inProcess({ name: 'test', groups: [mastersGroup], userAgent: 'test' });
  const client = createClient(transport);
  const stop = new AbortController();
  const caches = stack.use(createCaches(client));
  stack.use(await startControllers({ client, signal: stop.signal, rootCa: 'PEM' }));
  stack.defer(() => stop.abort());
  const node = await client.create(Node, { metadata: { name: 'n1' }, spec: {} });
  const ready = { type: 'Ready', status: 'True' as const };
  await client.update(Node, { ...node, status: { conditions: [ready] } }, { subresource: 'status' });
  const pods = caches.of(Pod);
  stack.use(playAgent(client, pods));
  await pods.synced;
  return {
    client,
    pods,
    async until(what, isMet) {
      const deadline = performance.now() + 10_000;
      while (!(await isMet())) {
        if (performance.now() > deadline) throw new Error(`still not: ${what}`);
        await delay(2);
      }
    },
    list: async (kind, namespace = 'default') => (await client.list(kind, { namespace })).items,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

let lastAddress = 10;

/** Starts Pods (ready at once, with an address) and lets leaving ones go. */
function playAgent(client: Client, pods: Cache<Pod>): Disposable {
  return pods.subscribe((changes) => {
    for (const { current } of changes) {
      if (current === undefined) continue;
      const { namespace } = current.metadata;
      if (current.metadata.deletionTimestamp !== undefined) {
        client.delete(Pod, nameOf(current), { namespace, gracePeriodSeconds: 0 }).catch(() => undefined);
      } else if (current.spec.nodeName && !current.status?.podIP) {
        const status = runningStatus(`10.244.0.${lastAddress++}`, 'True');
        client.update(Pod, { ...current, status }, { subresource: 'status' }).catch(() => undefined);
      }
    }
  });
}

function runningStatus(podIP: string, ready: 'True' | 'False'): Pod['status'] {
  const conditions = [{ type: 'Ready', status: ready, lastTransitionTime: '2026-01-01T00:00:00Z' }];
  return { phase: 'Running', podIP, podIPs: [{ ip: podIP }], conditions };
}

function template(image: string) {
  return { metadata: { labels: { app: 'hello' } }, spec: { containers: [{ name: 'c', image }] } };
}

function deployment(replicas: number, namespace = 'default'): Deployment {
  const selector = { matchLabels: { app: 'hello' } };
  return { metadata: { name: 'hello', namespace }, spec: { replicas, selector, template: template('v1') } };
}

function service(namespace = 'default'): Service {
  const spec = { selector: { app: 'hello' }, ports: [{ port: 80, targetPort: 8080 }] };
  return { metadata: { name: 'hello', namespace }, spec };
}

async function readyAddresses({ list }: System, namespace?: string): Promise<number> {
  const slices = (await list(EndpointSlice, namespace)).filter(
    ({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === 'hello',
  );
  return slices.flatMap(({ endpoints = [] }) => endpoints).filter(({ conditions }) => conditions?.ready).length;
}

async function isRolledOut({ client, pods }: System, image: string): Promise<boolean> {
  const { status, spec } = await client.get(Deployment, 'hello', { namespace: 'default' });
  const active = pods.list('default').filter(isPodActive);
  return (
    status?.availableReplicas === spec.replicas &&
    status?.updatedReplicas === spec.replicas &&
    active.length === spec.replicas &&
    active.every((pod) => pod.spec.containers[0]?.image === image)
  );
}

test('a Deployment and its Service: endpoints follow Pods, rollouts, undo and size', async () => {
  await using system = await startSystem();
  const { client, until } = system;
  await client.create(Service, service());
  await client.create(Deployment, deployment(3));
  await until('three endpoints', async () => (await readyAddresses(system)) === 3);
  await until('rolled out', () => isRolledOut(system, 'v1'));

  const pod = system.pods.list('default').find(isPodReady);
  assert.ok(pod);
  const unready = { ...pod, status: runningStatus(pod.status?.podIP ?? '', 'False') };
  await client.update(Pod, unready, { subresource: 'status' });
  await until('two ready endpoints', async () => (await readyAddresses(system)) === 2);
  const again = await client.get(Pod, nameOf(pod), { namespace: 'default' });
  await client.update(Pod, { ...again, status: pod.status }, { subresource: 'status' });
  await until('three ready endpoints', async () => (await readyAddresses(system)) === 3);
  const [endpoints] = await system.list(Endpoints);
  assert.ok(endpoints);
  await until('three old-style addresses', async () => {
    const all = await system.list(Endpoints);
    return all.find((each) => nameOf(each) === 'hello')?.subsets?.[0]?.addresses?.length === 3;
  });

  const images = ['v2', 'v1'];
  for (const image of images) {
    const body = { spec: { template: template(image) } };
    await client.patch(Deployment, 'hello', { type: 'merge', body }, { namespace: 'default' });
    await until(`rolled out ${image}`, () => isRolledOut(system, image));
  }
  const current = await client.get(Deployment, 'hello', { namespace: 'default' });
  assert.equal(current.metadata.annotations?.['deployment.kubernetes.io/revision'], '3');
  assert.equal((await system.list(ReplicaSet)).length, 2);

  const body = { spec: { replicas: 6 } };
  await client.patch(Deployment, 'hello', { type: 'merge', body }, { namespace: 'default' });
  await until('six endpoints', async () => (await readyAddresses(system)) === 6);
  await until('an event says so', async () => {
    const events = await system.list(Event);
    return events.some(({ reason, message }) => reason === 'ScalingReplicaSet' && message?.endsWith('from 3 to 6'));
  });
});

for (const propagationPolicy of ['Background', 'Foreground', 'Orphan'] as const) {
  test(`a Deployment is deleted: ${propagationPolicy}`, async () => {
    await using system = await startSystem();
    const { client, until } = system;
    await client.create(Deployment, deployment(2));
    await until('rolled out', () => isRolledOut(system, 'v1'));
    await client.delete(Deployment, 'hello', { namespace: 'default', propagationPolicy });
    await until('the Deployment is gone', async () => (await system.list(Deployment)).length === 0);
    if (propagationPolicy !== 'Orphan') {
      await until('everything is gone', async () => (await system.list(ReplicaSet)).length + system.pods.size === 0);
      return;
    }
    const [set] = await system.list(ReplicaSet);
    assert.equal(set?.metadata.ownerReferences?.length ?? 0, 0);
    assert.equal(system.pods.list('default').filter(isPodActive).length, 2);
  });
}

test('a Service is deleted and its slices with it', async () => {
  await using system = await startSystem();
  const { client, until } = system;
  await client.create(Service, service());
  const slices = async () =>
    (await system.list(EndpointSlice)).filter(({ metadata }) => metadata.name?.startsWith('hello-')).length;
  await until('a slice', async () => (await slices()) === 1);
  await client.delete(Service, 'hello', { namespace: 'default' });
  await until('no slice', async () => (await slices()) === 0);
  await until('no Endpoints', async () => (await system.list(Endpoints)).every((each) => nameOf(each) !== 'hello'));
});

test('a namespace has what Pods need, and goes with everything in it', async () => {
  await using system = await startSystem();
  const { client, until } = system;
  await client.create(Namespace, { metadata: { name: 'shop' }, spec: {} });
  await until('its account', async () => (await system.list(ServiceAccount, 'shop')).length === 1);
  await until('its certificate', async () => (await system.list(ConfigMap, 'shop')).length === 1);
  await client.create(Service, service('shop'));
  await client.create(Deployment, deployment(2, 'shop'));
  await until('two endpoints', async () => (await readyAddresses(system, 'shop')) === 2);
  await client.delete(Namespace, 'shop');
  await until('the namespace is gone', async () => {
    try {
      await client.get(Namespace, 'shop');
      return false;
    } catch (error) {
      return isNotFound(error);
    }
  });
  for (const kind of [Pod, Service, EndpointSlice, ConfigMap, Event] as const) {
    assert.deepEqual((await client.list<ApiObject>(kind as never, { namespace: 'shop' })).items, []);
  }
});

test('once everything is settled nothing is written any more', async () => {
  await using system = await startSystem();
  const { client, until } = system;
  await client.create(Service, service());
  await client.create(Deployment, deployment(3));
  await until('rolled out', () => isRolledOut(system, 'v1'));
  await until('three endpoints', async () => (await readyAddresses(system)) === 3);
  const revision = async () => (await client.list(Node)).metadata.resourceVersion;
  let before = '';
  await until('the revision stands still', async () => {
    const now = await revision();
    const isStill = now === before;
    before = now;
    await delay(100);
    return isStill;
  });
  await delay(300);
  assert.equal(await revision(), before);
});
