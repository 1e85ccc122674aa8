import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { isolateNetwork } from '../../src/linux/namespaces.ts';
import { up } from '../support/fairlead.ts';
import type { System } from '../support/fairlead.ts';
import { clusterIp, lookUp, pods, readyPods } from '../support/objects.ts';
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
  await system.kubectl(['apply', '-f', '-'], {
    input: objects.map((object) => JSON.stringify(object)).join('\n---\n'),
  });
  await readyPods(system, 'app=web', 3);
});

after(async () => system[Symbol.asyncDispose]());

/** The process that listens in a Pod: the one with the Pod's name in its environment that runs the server. */
function serverProcess(pod: string): number {
  const output = execFileSync('sh', ['-c', `grep -lz "^POD_NAME=${pod}$" /proc/[0-9]*/environ 2>/dev/null || true`], {
    encoding: 'utf8',
  });
  const processes = output
    .split('\n')
    .map((path) => Number(path.split('/')[2]))
    .filter((pid) => pid > 0)
    .filter(
      (pid) =>
        execFileSync('sh', ['-c', `tr '\\0' ' ' < /proc/${pid}/cmdline; cat /proc/${pid}/comm`], { encoding: 'utf8' })
          .trimEnd()
          .endsWith('node') ||
        execFileSync('cat', [`/proc/${pid}/comm`], { encoding: 'utf8' }).startsWith('node') ||
        execFileSync('cat', [`/proc/${pid}/comm`], { encoding: 'utf8' }).startsWith('MainThread'),
    );
  const [pid] = processes;
  assert.ok(pid !== undefined, `no process of ${pod} was found`);
  return pid;
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
