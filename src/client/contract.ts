import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigMap } from '../api/core/config-map.ts';
import { Node } from '../api/core/node.ts';
import { Pod } from '../api/core/pod.ts';
import { isAlreadyExists, isConflict, isNotFound } from '../api/errors.ts';
import type { Client, WatchEvent } from './client.ts';

/** A server to run the suite against. The namespace `default` exists; nothing else is in it. */
export interface ContractServer extends AsyncDisposable {
  readonly client: Client;
}

function configMap(name: string, data: Record<string, string> = {}): ConfigMap {
  return { metadata: { name, namespace: 'default' }, data };
}

/** The tests that every `Client` passes, whatever serves it: the fake, and the real server in its own tests. */
export function clientContract(name: string, start: () => Promise<ContractServer>): void {
  const contract = (title: string, body: (client: Client) => Promise<void>) =>
    test(`${name}: ${title}`, async () => {
      await using server = await start();
      await body(server.client);
    });

  contract('a created object has a uid, a revision and its kind', async (client) => {
    const made = await client.create(ConfigMap, configMap('a', { k: '1' }));
    assert.equal(made.kind, 'ConfigMap');
    assert.equal(made.apiVersion, 'v1');
    assert.ok(made.metadata.uid && made.metadata.resourceVersion && made.metadata.creationTimestamp);
    assert.deepEqual((await client.get(ConfigMap, 'a', { namespace: 'default' })).data, { k: '1' });
    await assert.rejects(client.create(ConfigMap, configMap('a')), isAlreadyExists);
  });

  contract('generateName makes distinct names', async (client) => {
    const make = () => client.create(ConfigMap, { metadata: { generateName: 'x-', namespace: 'default' } });
    const [one, two] = [await make(), await make()];
    assert.match(one.metadata.name ?? '', /^x-.+/);
    assert.notEqual(one.metadata.name, two.metadata.name);
  });

  contract('an update with an old revision is a conflict', async (client) => {
    const first = await client.create(ConfigMap, configMap('a'));
    const second = await client.update(ConfigMap, { ...first, data: { k: '2' } });
    await assert.rejects(client.update(ConfigMap, { ...first, data: { k: '3' } }), isConflict);
    const same = await client.update(ConfigMap, second);
    assert.equal(same.metadata.resourceVersion, second.metadata.resourceVersion, 'no change, no revision');
  });

  contract('a merge patch changes what it names', async (client) => {
    await client.create(ConfigMap, configMap('a', { keep: '1', drop: '2' }));
    const body = { data: { drop: null, add: '3' } };
    const patched = await client.patch(ConfigMap, 'a', { type: 'merge', body }, { namespace: 'default' });
    assert.deepEqual(patched.data, { keep: '1', add: '3' });
  });

  contract('what does not exist is not found', async (client) => {
    await assert.rejects(client.get(ConfigMap, 'none', { namespace: 'default' }), isNotFound);
    await assert.rejects(client.delete(ConfigMap, 'none', { namespace: 'default' }), isNotFound);
    await assert.rejects(client.update(ConfigMap, configMap('none')), isNotFound);
  });

  contract('a delete with another uid is a conflict', async (client) => {
    await client.create(ConfigMap, configMap('a'));
    const options = { namespace: 'default', preconditions: { uid: 'other' } };
    await assert.rejects(client.delete(ConfigMap, 'a', options), isConflict);
    assert.equal(await client.delete(ConfigMap, 'a', { namespace: 'default' }), undefined);
  });

  contract('a finalizer holds a deleted object until it is taken away', async (client) => {
    const object = configMap('a');
    await client.create(ConfigMap, { ...object, metadata: { ...object.metadata, finalizers: ['example.com/x'] } });
    const left = await client.delete(ConfigMap, 'a', { namespace: 'default' });
    assert.ok(left?.metadata.deletionTimestamp);
    await client.update(ConfigMap, { ...left, metadata: { ...left.metadata, finalizers: [] } });
    await assert.rejects(client.get(ConfigMap, 'a', { namespace: 'default' }), isNotFound);
  });

  contract('foreground and orphan deletion leave a finalizer for the garbage collector', async (client) => {
    for (const [propagationPolicy, finalizer] of [
      ['Foreground', 'foregroundDeletion'],
      ['Orphan', 'orphan'],
    ] as const) {
      await client.create(ConfigMap, configMap(finalizer.toLowerCase()));
      const left = await client.delete(ConfigMap, finalizer.toLowerCase(), { namespace: 'default', propagationPolicy });
      assert.deepEqual(left?.metadata.finalizers, [finalizer]);
    }
  });

  contract('status is written apart from the rest', async (client) => {
    const node = await client.create(Node, { metadata: { name: 'n1' }, spec: {} });
    const labelled = {
      ...node,
      metadata: { ...node.metadata, labels: { a: 'b' } },
      status: { phase: 'Running' as const },
    };
    const plain = await client.update(Node, labelled);
    assert.equal(plain.status?.phase, undefined);
    assert.equal(plain.metadata.labels?.['a'], 'b');
    const written = await client.update(Node, { ...plain, status: { phase: 'Running' } }, { subresource: 'status' });
    assert.equal(written.status?.phase, 'Running');
  });

  contract('lists select by label and namespace, and their revision starts a watch', async (client) => {
    for (const tier of ['web', 'db']) {
      const object = configMap(tier);
      await client.create(ConfigMap, { ...object, metadata: { ...object.metadata, labels: { tier } } });
    }
    const options = { namespace: 'default', labelSelector: 'tier=web' };
    const list = await client.list(ConfigMap, options);
    assert.deepEqual(
      list.items.map((item) => item.metadata.name),
      ['web'],
    );
    assert.equal(list.items[0]?.kind, 'ConfigMap');
    const stop = new AbortController();
    const { resourceVersion } = list.metadata;
    const seen = collect(client.watch(ConfigMap, { ...options, resourceVersion, signal: stop.signal }), 2);
    const web = list.items[0];
    assert.ok(web);
    await client.update(ConfigMap, { ...web, data: { k: '1' } });
    await client.delete(ConfigMap, 'web', { namespace: 'default' });
    assert.deepEqual(
      (await seen).map(({ type }) => type),
      ['MODIFIED', 'DELETED'],
    );
    stop.abort();
  });

  contract('a streaming list shows what is there, says so, and goes on', async (client) => {
    await client.create(ConfigMap, configMap('a'));
    const stop = new AbortController();
    const options = { namespace: 'default', labelSelector: '', sendInitialEvents: true, signal: stop.signal };
    const events = client.watch(ConfigMap, options)[Symbol.asyncIterator]();
    const names: string[] = [];
    for (;;) {
      const { value } = await events.next();
      if (value.type === 'BOOKMARK') {
        assert.equal(value.object.metadata.annotations['k8s.io/initial-events-end'], 'true');
        break;
      }
      names.push(value.object.metadata.name);
    }
    assert.ok(names.includes('a'));
    const next = events.next();
    await client.create(ConfigMap, configMap('b'));
    assert.equal((await next).value.object.metadata.name, 'b');
    stop.abort();
    assert.equal((await events.next()).done, true, 'an aborted watch ends without an error');
  });

  contract('a Pod on a node is given its grace, and goes when asked with none', async (client) => {
    const spec = { nodeName: 'n1', terminationGracePeriodSeconds: 5, containers: [{ name: 'c', image: 'i' }] };
    await client.create(Node, { metadata: { name: 'n1' }, spec: {} }).catch(() => undefined);
    await client.create(Pod, { metadata: { name: 'p', namespace: 'default' }, spec });
    const left = await client.delete(Pod, 'p', { namespace: 'default' });
    assert.equal(left?.metadata.deletionGracePeriodSeconds, 5);
    assert.equal(await client.delete(Pod, 'p', { namespace: 'default', gracePeriodSeconds: 0 }), undefined);
    await assert.rejects(client.get(Pod, 'p', { namespace: 'default' }), isNotFound);
  });
}

async function collect<T>(events: AsyncIterable<WatchEvent<T>>, count: number): Promise<WatchEvent<T>[]> {
  const seen: WatchEvent<T>[] = [];
  for await (const event of events) {
    if (event.type !== 'BOOKMARK') seen.push(event);
    if (seen.length === count) break;
  }
  return seen;
}
