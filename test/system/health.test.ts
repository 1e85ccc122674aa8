import assert from 'node:assert/strict';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { isolateNetwork } from '../../src/linux/namespaces.ts';
import { up } from '../support/fairlead.ts';
import type { System } from '../support/fairlead.ts';
import { applyObjects, clusterIp, lookUp, pods, readyPods } from '../support/objects.ts';
import { serverDeployment, service } from '../support/server-pod.ts';
import { request, tally } from '../support/traffic.ts';
import { waitFor } from '../support/wait.ts';

let system: System;

before(async () => {
  isolateNetwork();
  system = await up();
  const objects = [
    serverDeployment('web', 3, { port: 8080 }),
    service('web', { ports: [{ port: 80, targetPort: 'http' }] }),
    {
      ...service('web-peers', { clusterIP: 'None', ports: [{ port: 8080 }] }),
      spec: { clusterIP: 'None', selector: { app: 'web' }, ports: [{ port: 8080 }] },
    },
  ];
  await applyObjects(system, objects);
  await readyPods(system, 'app=web', 3);
});

after(async () => system[Symbol.asyncDispose]());

/** The server of a Pod: the Node process that has the Pod's name in its environment. */
function serverProcess(pod: string): number {
  const processes = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => isServer(pid, pod));
  assert.equal(processes.length, 1, `processes of ${pod}: ${processes.join(', ')}`);
  return Number(processes[0]);
}

function isServer(pid: string, pod: string): boolean {
  try {
    const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    return environment.includes(`POD_NAME=${pod}`) && readlinkSync(`/proc/${pid}/exe`).endsWith('/node');
  } catch {
    // It has ended meanwhile.
    return false;
  }
}

test('a Pod whose process is killed leaves at once, is restarted and comes back', async () => {
  const target = { host: await clusterIp(system, 'web'), port: 80 };
  const [victim] = await pods(system, 'app=web');
  assert.ok(victim !== undefined);
  process.kill(serverProcess(victim.name), 'SIGKILL');
  await waitFor(
    async () =>
      (await pods(system, 'app=web')).some((pod) => pod.name === victim.name && (!pod.isReady || pod.restarts > 0)),
    {
      what: 'the Pod being seen as dead',
      timeoutMs: 2000,
    },
  );
  const back = await waitFor(
    async () =>
      (await pods(system, 'app=web')).find((pod) => pod.name === victim.name && pod.isReady && pod.restarts === 1),
    {
      what: 'the restarted Pod being ready',
      timeoutMs: 30_000,
    },
  );
  assert.equal(back.ip, victim.ip);
  await waitFor(async () => (await tally(target, 60)).has(victim.name), { what: 'traffic to the restarted Pod' });
});

test('a Pod that fails its readiness probe gets no traffic and loses its headless record until it is well', async () => {
  const target = { host: await clusterIp(system, 'web'), port: 80 };
  const [victim] = await pods(system, 'app=web');
  assert.ok(victim !== undefined);
  const name = 'web-peers.default.svc.cluster.local';
  assert.ok((await lookUp(system, name, 'A')).includes(victim.ip));
  await request({ host: victim.ip, port: 8080, path: '/sick' });
  await waitFor(async () => !(await lookUp(system, name, 'A')).includes(victim.ip), {
    what: 'the record being taken away',
  });
  const without = await tally(target, 100);
  assert.ok(!without.has(victim.name), 'the sick Pod still gets traffic');
  assert.equal(without.size, 2);
  await request({ host: victim.ip, port: 8080, path: '/well' });
  await waitFor(async () => (await lookUp(system, name, 'A')).includes(victim.ip), { what: 'the record coming back' });
  await waitFor(async () => (await tally(target, 60)).has(victim.name), {
    what: 'traffic to the Pod that is well again',
  });
});
