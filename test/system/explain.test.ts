import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isolateNetwork } from '../../src/linux/namespaces.ts';
import { succeed } from '../support/commands.ts';
import { up } from '../support/fairlead.ts';
import type { System } from '../support/fairlead.ts';
import { applyObjects, clusterIp, readyPods } from '../support/objects.ts';
import { serverDeployment, service } from '../support/server-pod.ts';
import { waitFor } from '../support/wait.ts';

let system: System;
let address: string;

before(async () => {
  isolateNetwork();
  system = await up();
  await applyObjects(system, [
    serverDeployment('web', 2, { port: 8080 }),
    service('web', { ports: [{ port: 80, targetPort: 8080 }] }),
  ]);
  await readyPods(system, 'app=web', 2);
  address = await clusterIp(system, 'web');
  await waitFor(async () => (await system.fairlead(['proxy', 'diff'])).code === 0, { what: 'everything in force' });
});

after(async () => system[Symbol.asyncDispose]());

test('dump shows what is in force, by Service and by address', async () => {
  const all = await system.run(['proxy', 'dump']);
  assert.match(all, new RegExp(`^default/web +${address}:80/TCP +ClusterIP`, 'm'));
  assert.match(all, /kube-system\/kube-dns:dns /);
  const one = await system.run(['proxy', 'dump', address, '-o', 'json']);
  const { plane, frontends } = JSON.parse(one) as { plane: string; frontends: { internal: { backends: unknown[] } }[] };
  assert.equal(plane, 'nftables');
  assert.equal(frontends[0]?.internal.backends.length, 2);
  const { code, stderr } = await system.fairlead(['proxy', 'dump', 'nothing']);
  assert.equal(code, 3, stderr);
});

test(
  'trace and diff report an element that somebody deleted, and the proxy puts it right',
  { timeout: 120_000 },
  async () => {
    const fine = await system.fairlead(['trace', 'web:80']);
    assert.match(fine.stdout, /kernel: +in force exactly so \(nftables\)/);
    assert.equal(fine.code, 0, fine.stdout);
    const [element = ''] =
      new RegExp(`${address} \\. tcp \\. 80 \\. 0x0+1 `).exec(
        await succeed('nft', ['list', 'map', 'ip', 'fairlead', 'backends']),
      ) ?? [];
    await succeed('nft', ['delete', 'element', 'ip', 'fairlead', 'backends', `{ ${element} }`]);

    const broken = await system.fairlead(['trace', 'web:80']);
    assert.match(broken.stdout, /kernel: +backends: not in force 10\.244\.\d+\.\d+:8080/);
    assert.match(broken.stdout, /! but see the problem above/);
    assert.equal(broken.code, 1);
    const differing = await system.fairlead(['proxy', 'diff', '-o', 'json']);
    assert.equal(differing.code, 1);
    const { differences } = JSON.parse(differing.stdout) as { differences: { key: string; kind: string }[] };
    assert.deepEqual(
      differences.map(({ key, kind }) => `${kind} ${key}`),
      [`different ${address}:80/TCP`],
    );
    assert.equal((await system.fairlead(['proxy', 'diff', 'kube-dns'])).code, 0);

    await waitFor(async () => (await system.fairlead(['proxy', 'diff'])).code === 0, {
      what: 'the proxy healing it',
      timeoutMs: 90_000,
    });
    assert.equal((await system.fairlead(['trace', 'web:80'])).code, 0);
  },
);

test('what nobody asked for is said too', async () => {
  await succeed('nft', ['add', 'element', 'ip', 'fairlead', 'frontends', '{ 10.96.99.99 . tcp . 80 : 0x1000 }']);
  const differing = await system.fairlead(['proxy', 'diff']);
  assert.match(differing.stdout, /^extra +10\.96\.99\.99:80\/TCP +<unknown>/m);
  assert.equal(differing.code, 1);
});

test('after a change of plane the commands tell of the one that is in force', { timeout: 120_000 }, async () => {
  const [node = ''] = (await system.run(['get', 'nodes', '--no-headers'])).split(' ');
  const change = async (plane: string) => {
    await system.kubectl(['annotate', 'node', node, `fairlead.dev/plane=${plane}`, '--overwrite']);
    await waitFor(async () => new RegExp(`^Data plane: +${plane}:`, 'm').test(await system.run(['status'])), {
      what: `status telling of ${plane}`,
    });
  };
  await change('userspace');
  for (const command of ['dump', 'diff']) {
    const { code, stderr } = await system.fairlead(['proxy', command]);
    assert.equal(code, 1);
    assert.match(stderr, /the userspace plane is in force, with its state in its process/);
  }
  assert.match((await system.fairlead(['trace', 'web:80'])).stdout, /forwarded to one of 2 backends/);
  await change('nftables');
  await waitFor(async () => (await system.fairlead(['proxy', 'diff'])).code === 0, { what: 'everything in force' });
});
