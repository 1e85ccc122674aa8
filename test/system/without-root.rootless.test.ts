import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { isolateNetwork } from '../../src/linux/namespaces.ts';
import { repository, up } from '../support/fairlead.ts';
import type { System } from '../support/fairlead.ts';
import { applyObjects, clusterIp, lookUp, readyPods } from '../support/objects.ts';
import { serverDeployment, service } from '../support/server-pod.ts';
import { tally } from '../support/traffic.ts';
import { waitFor } from '../support/wait.ts';

let system: System;
const isRoot = process.getuid?.() === 0;

before(async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'fairlead-rootless-'));
  if (isRoot) {
    isolateNetwork();
    chownSync(dataDir, 65534, 65534);
    chmodSync(dataDir, 0o755);
  }
  const prefix = isRoot ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : [];
  system = await up({ dataDir, prefix, env: { HOME: dataDir } });
});

after(async () => system[Symbol.asyncDispose]());

test('the ready screen says what is reduced without root', () => {
  assert.match(system.output(), /userspace/);
  assert.match(system.output(), /without root/i);
});

test('a Deployment behind a Service answers on a loopback address', async () => {
  const objects = [
    serverDeployment('web', 2, { port: 8080 }),
    service('web', { ports: [{ port: 8000, targetPort: 'http' }] }),
  ];
  await applyObjects(system, objects);
  await readyPods(system, 'app=web', 2);
  const host = await clusterIp(system, 'web');
  assert.match(host, /^127\.96\./);
  const counts = await waitFor(
    async () => {
      const counts = await tally({ host, port: 8000 }, 40);
      return counts.size === 2 && counts;
    },
    { what: 'answers of both Pods' },
  );
  assert.equal(counts.size, 2);
});

test('names resolve through the DNS address that the screen gives', async () => {
  const [address] = await lookUp(system, 'web.default.svc.cluster.local', 'A');
  assert.equal(address, await clusterIp(system, 'web'));
});

test('the hello example answers through its Service', async () => {
  await system.run(['apply', '-f', join(repository, 'examples/hello')]);
  await readyPods(system, 'app=hello', 3);
  const target = { host: await clusterIp(system, 'hello'), port: 8000 };
  const counts = await waitFor(
    async () => {
      const counts = await tally(target, 60);
      return counts.size === 3 && counts;
    },
    { what: 'answers of all three Pods' },
  );
  assert.equal(counts.size, 3);
});

test('a port that only root may open is said in an event on the Service', async () => {
  const events = await waitFor(
    async () => {
      const text = await system.kubectl([
        'get',
        'events',
        '--field-selector',
        'involvedObject.kind=Service,involvedObject.name=hello',
      ]);
      return text.includes('Warning') && text;
    },
    { what: 'the event' },
  );
  assert.match(events, /:80\b/);
});
