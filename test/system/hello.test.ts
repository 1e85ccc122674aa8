import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { isolateNetwork } from '../../src/linux/namespaces.ts';
import { repository, up } from '../support/fairlead.ts';
import type { System } from '../support/fairlead.ts';
import { clusterIp, readyPods } from '../support/objects.ts';
import { startLoad, tally } from '../support/traffic.ts';
import { waitFor } from '../support/wait.ts';

let system: System;

before(async () => {
  isolateNetwork();
  system = await up();
});

after(async () => system[Symbol.asyncDispose]());

test('the ready screen tells how to use the system', () => {
  for (const expected of [
    'https://127.0.0.1:6443',
    `export KUBECONFIG=${system.kubeconfig}`,
    'nftables',
    '10.96.0.10',
  ]) {
    assert.ok(system.output().includes(expected), `${expected} is missing in:\n${system.output()}`);
  }
});

test('hello answers by name within two seconds of its Pods being ready', async () => {
  await system.kubectl(['apply', '-f', join(repository, 'examples/hello')]);
  await readyPods(system, 'app=hello', 3);
  const readyAt = performance.now();
  const answer = await waitFor(() => system.run(['exec', '--', 'curl', '-sf', 'http://hello']), {
    what: 'an answer from http://hello',
  });
  assert.match(answer, /hello-/);
  assert.ok(performance.now() - readyAt < 2000, `it took ${performance.now() - readyAt} ms`);
});

test('300 requests spread evenly over the three Pods', async () => {
  const counts = await tally({ host: await clusterIp(system, 'hello'), port: 80 }, 300);
  assert.equal(counts.size, 3, JSON.stringify([...counts]));
  for (const [pod, count] of counts) assert.ok(count >= 60 && count <= 140, `${pod} got ${count} of 300`);
});

test('scaling to ten and back to two fails no request and brings new Pods into rotation', async () => {
  const target = { host: await clusterIp(system, 'hello'), port: 80 };
  const load = startLoad(target, 100);
  await system.kubectl(['scale', 'deployment', 'hello', '--replicas=10']);
  await readyPods(system, 'app=hello', 10);
  const spread = await waitFor(
    async () => {
      const counts = await tally(target, 100);
      return counts.size === 10 && counts;
    },
    { what: 'traffic to all ten Pods' },
  );
  assert.equal(spread.size, 10);
  await system.kubectl(['scale', 'deployment', 'hello', '--replicas=2']);
  await readyPods(system, 'app=hello', 2);
  await waitFor(
    async () =>
      (await system.kubectl(['get', 'pods', '-l', 'app=hello', '-o', 'name'])).trim().split('\n').length === 2,
    {
      what: 'the end of the other eight Pods',
      timeoutMs: 60_000,
    },
  );
  const { done, failures } = await load.stop();
  assert.deepEqual(failures, []);
  assert.ok(done > 100, `only ${done} requests were made`);
});
