import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { isolateNetwork } from '../../src/linux/namespaces.ts';
import { up } from '../support/fairlead.ts';
import type { System } from '../support/fairlead.ts';
import { applyObjects, clusterIp, pods, readyPods } from '../support/objects.ts';
import { serverDeployment, service } from '../support/server-pod.ts';
import { startLoad } from '../support/traffic.ts';
import { connect } from 'node:net';
import { waitFor } from '../support/wait.ts';

let system: System;

before(async () => {
  isolateNetwork();
  system = await up();
  const echo = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'echo', labels: { app: 'echo' } },
    spec: {
      containers: [
        {
          name: 'echo',
          image: 'host',
          command: [
            process.execPath,
            '-e',
            "require('node:net').createServer((socket) => socket.pipe(socket)).listen(7)",
          ],
          readinessProbe: { tcpSocket: { port: 7 }, periodSeconds: 1 },
        },
      ],
    },
  };
  const objects = [
    serverDeployment('web', 3, { port: 8080 }),
    service('web', { ports: [{ port: 80, targetPort: 'http' }] }),
    echo,
    service('echo', { ports: [{ port: 7 }] }),
  ];
  await applyObjects(system, objects);
  await readyPods(system, 'app=web', 3);
  await readyPods(system, 'app=echo', 1);
});

after(async () => system[Symbol.asyncDispose]());

/** A connection that is used every few milliseconds; `check` fails when it ever broke. */
async function establishedConnection(
  host: string,
): Promise<{ rounds(): number; close(): void; readonly error: () => Error | undefined }> {
  const socket = connect({ host, port: 7 });
  let failure: Error | undefined;
  let rounds = 0;
  socket.on('error', (error) => (failure = error));
  socket.on('close', () => (failure ??= new Error('the connection was closed')));
  socket.on('data', () => {
    rounds += 1;
    setTimeout(() => socket.writable && socket.write('x'), 5);
  });
  await new Promise<void>((done) => socket.once('connect', done));
  socket.write('x');
  return {
    rounds: () => rounds,
    error: () => failure,
    close: () => {
      socket.removeAllListeners('close');
      socket.destroy();
    },
  };
}

test('connections live through kill -9 of Fairlead, and the next start takes over Pods and kernel state', async () => {
  const before = await pods(system, 'app=web');
  const host = await clusterIp(system, 'web');
  const connection = await establishedConnection(await clusterIp(system, 'echo'));
  const load = startLoad({ host, port: 80 }, 100);
  await waitFor(() => load.done > 50 && connection.rounds() > 10, { what: 'load' });

  await system.crash();
  const doneAtCrash = load.done;
  const roundsAtCrash = connection.rounds();
  await waitFor(() => load.done > doneAtCrash + 100, { what: 'new connections while Fairlead is away' });
  assert.ok(connection.rounds() > roundsAtCrash, 'the established connection stood still');

  const { dataDir } = system;
  system = await up({ dataDir });
  const doneAtStart = load.done;
  await waitFor(() => load.done > doneAtStart + 100, { what: 'new connections after the start' });
  await delay(500);
  const { failures } = await load.stop();
  assert.deepEqual(failures, []);
  assert.equal(connection.error(), undefined);
  connection.close();
  const after = await readyPods(system, 'app=web', 3);
  assert.deepEqual(
    after.map(({ name, ip, restarts }) => ({ name, ip, restarts })),
    before.map(({ name, ip, restarts }) => ({ name, ip, restarts })),
  );
});

test('after the takeover a dead process is still noticed and restarted', async () => {
  const [victim] = await pods(system, 'app=echo');
  assert.ok(victim !== undefined);
  await system.run([
    'exec',
    'echo',
    '--',
    'sh',
    '-c',
    'kill -9 $(ss -Htlnp "sport = :7" | grep -o "pid=[0-9]*" | cut -d= -f2)',
  ]);
  await waitFor(
    async () => (await pods(system, 'app=echo')).some((pod) => pod.restarts === victim.restarts + 1 && pod.isReady),
    {
      what: 'the restart of the adopted Pod',
      timeoutMs: 30_000,
    },
  );
});

test('objects written before the crash are there with the same revisions', async () => {
  const revision = async (): Promise<string> =>
    system.kubectl([
      'get',
      'service',
      'web',
      '-o',
      'jsonpath={.metadata.resourceVersion}/{.metadata.uid}/{.spec.clusterIP}',
    ]);
  const before = await revision();
  await system.crash();
  system = await up({ dataDir: system.dataDir });
  assert.equal(await revision(), before);
});
