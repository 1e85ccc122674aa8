import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { get } from 'node:http';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { ConfigMap } from '../api/core/config-map.ts';
import { Pod } from '../api/core/pod.ts';
import { isolateNetwork } from '../linux/namespaces.ts';
import { openRoute } from '../linux/route.ts';
import { agentFixture } from './testing/agent-fixture.ts';

isolateNetwork();

const shared = [{ name: 'shared', mountPath: '/shared' }];
/** Why a status says that the container waits, once it is more than being created. */
function waitingOf(status: Pod['status']) {
  const waiting = status?.containerStatuses?.[0]?.state?.waiting;
  return waiting?.reason === 'ContainerCreating' ? undefined : waiting;
}
const isRunning = (pod: Pod) => pod.status?.phase === 'Running';
const isReady = (pod: Pod) =>
  pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;
const server = (body: string, port = 8080) => [
  process.execPath,
  '-e',
  `require('http').createServer((q,r)=>r.end(${JSON.stringify(body)})).listen(${port})`,
];

test('a Pod runs in a network of its own, with its own hosts file, resolver and variables', async () => {
  await using fixture = await agentFixture();
  await fixture.run('web', {
    containers: [
      {
        name: 'web',
        image: 'web:1',
        command: [
          'sh',
          '-c',
          'cat /etc/resolv.conf /etc/hosts; hostname; echo "$GREETING $POD_NAME"; ip -o addr; exec sleep 100',
        ],
        env: [
          { name: 'WHO', value: 'world' },
          { name: 'GREETING', value: 'hello $(WHO)' },
          { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
        ],
      },
    ],
  });
  const pod = await fixture.until('web', isReady);
  assert.match(pod.status?.podIP ?? '', /^10\.244\.0\.\d+$/);
  const log = `${fixture.dataDir}/pods/${pod.metadata.uid}/containers/web/0/log`;
  await fixture.until('web', () => readFileSync(log, 'utf8').includes('eth0'));
  const text = readFileSync(log, 'utf8');
  assert.match(text, /search default\.svc\.cluster\.local svc\.cluster\.local cluster\.local/);
  assert.match(text, /stdout F web$/m);
  assert.match(text, /hello world web/);
  assert.match(text, new RegExp(`${pod.status?.podIP}/32`));
  assert.ok(fixture.events('web').some((each) => each.startsWith('ImageNotPulled')));
});

test('containers of a Pod share its network, and the host reaches it', async () => {
  await using fixture = await agentFixture();
  await fixture.run('pair', {
    restartPolicy: 'Never',
    containers: [
      { name: 'server', image: 'x', command: server('hi there') },
      {
        name: 'client',
        image: 'x',
        command: ['sh', '-c', 'until curl -sf http://localhost:8080; do sleep 0.02; done'],
      },
    ],
  });
  const pod = await fixture.until(
    'pair',
    ({ status }) => status?.containerStatuses?.[1]?.state?.terminated?.exitCode === 0,
  );
  assert.equal(await fetchText(pod.status?.podIP ?? '', 8080), 'hi there');
});

test('a killed container counts as not ready at once, is restarted, and backs off the second time', async () => {
  await using fixture = await agentFixture();
  await fixture.run('crash', {
    containers: [{ name: 'main', image: 'x', command: ['sh', '-c', 'echo $$; exec sleep 100'] }],
  });
  const first = await fixture.until('crash', (pod) => isReady(pod) && hasPid(fixture.dataDir, pod, 0));
  killMain(fixture.dataDir, first, 0);
  const again = await fixture.until(
    'crash',
    (pod) => isReady(pod) && pod.status?.containerStatuses?.[0]?.restartCount === 1 && hasPid(fixture.dataDir, pod, 1),
  );
  assert.equal(again.status?.containerStatuses?.[0]?.lastState?.terminated?.exitCode, 137);
  killMain(fixture.dataDir, first, 1);
  const waiting = await fixture.until(
    'crash',
    ({ status }) => status?.containerStatuses?.[0]?.state?.waiting !== undefined,
  );
  assert.equal(waiting.status?.containerStatuses?.[0]?.state?.waiting?.reason, 'CrashLoopBackOff');
  assert.equal(isReady(waiting), false);
});

test('a new agent takes over what the old one started, and learns of what ended meanwhile', async () => {
  await using fixture = await agentFixture();
  await fixture.run('stays', { containers: [{ name: 'main', image: 'x', command: server('still here') }] });
  await fixture.run('goes', {
    restartPolicy: 'Never',
    containers: [{ name: 'main', image: 'x', command: ['sh', '-c', 'sleep 0.3; exit 7'] }],
  });
  const before = await fixture.until('stays', isReady);
  await fixture.until('goes', isRunning);
  const pid = mainPid(fixture.dataDir, before, 0);
  await fixture.restart();
  const after = await fixture.until('stays', isReady);
  assert.equal(after.status?.containerStatuses?.[0]?.restartCount, 0);
  assert.equal(mainPid(fixture.dataDir, after, 0), pid);
  assert.equal(await fetchText(after.status?.podIP ?? '', 8080), 'still here');
  const ended = await fixture.until('goes', ({ status }) => status?.phase === 'Failed');
  assert.equal(ended.status?.containerStatuses?.[0]?.state?.terminated?.exitCode, 7);
});

test('a deleted Pod gets its preStop hook, SIGTERM and its grace period, and leaves nothing', async () => {
  await using fixture = await agentFixture();
  await fixture.run('end', {
    terminationGracePeriodSeconds: 5,
    containers: [
      {
        name: 'main',
        image: 'x',
        command: ['sh', '-c', 'trap "exit 3" TERM; while :; do sleep 0.02; done'],
        lifecycle: { preStop: { exec: { command: ['sh', '-c', `echo bye > ${fixture.dataDir}/said`] } } },
      },
    ],
  });
  const pod = await fixture.until('end', isReady);
  await fixture.api.client.delete(Pod, 'end', { namespace: 'default' });
  await fixture.untilGone('end');
  assert.equal(readFileSync(`${fixture.dataDir}/said`, 'utf8'), 'bye\n');
  using route = openRoute();
  assert.deepEqual(
    route.links().filter(({ alias }) => alias === pod.metadata.uid),
    [],
  );
});

function mainPid(dataDir: string, pod: Pod, attempt: number): number {
  const folder = `${dataDir}/pods/${pod.metadata.uid}/containers/main/${attempt}`;
  const text = readFileSync(`${folder}/pid`, 'utf8').trim();
  // Process 0 would be the whole process group of this test.
  assert.match(text, /^[1-9]\d*$/);
  return Number(text);
}

function hasPid(dataDir: string, pod: Pod, attempt: number): boolean {
  const path = `${dataDir}/pods/${pod.metadata.uid}/containers/main/${attempt}/pid`;
  return existsSync(path) && readFileSync(path, 'utf8').endsWith('\n');
}

function killMain(dataDir: string, pod: Pod, attempt: number): void {
  process.kill(mainPid(dataDir, pod, attempt), 'SIGKILL');
}

/** Fetches a page from a server that may still be starting. */
async function fetchText(host: string, port: number): Promise<string> {
  for (const deadline = Date.now() + 3000; ; await delay(5)) {
    try {
      return await fetchOnce(host, port);
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
  }
}

function fetchOnce(host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ host, port, agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk) => (text += chunk)).on('end', () => resolve(text));
    }).on('error', reject);
  });
}

test('init containers and sidecars run in order, and the Pod completes', async () => {
  await using fixture = await agentFixture();
  await fixture.run('steps', {
    restartPolicy: 'Never',
    volumes: [{ name: 'shared', emptyDir: {} }],
    initContainers: [
      { name: 'one', image: 'x', command: ['sh', '-c', 'echo one >> /shared/log'], volumeMounts: shared },
      { name: 'side', image: 'x', restartPolicy: 'Always', command: ['sleep', '100'] },
      { name: 'two', image: 'x', command: ['sh', '-c', 'echo two >> /shared/log'], volumeMounts: shared },
    ],
    containers: [{ name: 'main', image: 'x', command: ['sh', '-c', 'cat /shared/log; exit 0'], volumeMounts: shared }],
  });
  const pod = await fixture.until('steps', ({ status }) => status?.phase === 'Succeeded');
  const log = readFileSync(`${fixture.dataDir}/pods/${pod.metadata.uid}/containers/main/0/log`, 'utf8');
  assert.match(log, /F one\n.* F two\n$/);
});

test('a container that lacks configuration waits for it and starts when it is there', async () => {
  await using fixture = await agentFixture();
  await fixture.run('needy', {
    containers: [
      { name: 'main', image: 'x', command: ['sleep', '100'], envFrom: [{ configMapRef: { name: 'settings' } }] },
    ],
  });
  const waiting = await fixture.until('needy', ({ status }) => waitingOf(status) !== undefined);
  assert.deepEqual(waitingOf(waiting.status), {
    reason: 'CreateContainerConfigError',
    message: 'configmap "settings" not found',
  });
  const settings = { metadata: { name: 'settings', namespace: 'default' }, data: { A: 'b' } };
  await fixture.api.client.create(ConfigMap, settings, { namespace: 'default' });
  await fixture.until('needy', isReady);
});

test('a container without command waits, and says what to do', async () => {
  await using fixture = await agentFixture();
  await fixture.run('bare', { containers: [{ name: 'main', image: 'nginx' }] });
  const pod = await fixture.until('bare', ({ status }) => waitingOf(status) !== undefined);
  assert.equal(waitingOf(pod.status)?.reason, 'CreateContainerError');
  assert.match(waitingOf(pod.status)?.message ?? '', /set command in the container/);
});

test('a failed liveness probe restarts the container', async () => {
  await using fixture = await agentFixture();
  await fixture.run('sick', {
    containers: [
      {
        name: 'main',
        image: 'x',
        command: ['sleep', '100'],
        livenessProbe: { exec: { command: ['false'] }, periodSeconds: 1, failureThreshold: 1 },
      },
    ],
  });
  await fixture.until('sick', ({ status }) => status?.containerStatuses?.[0]?.restartCount === 1);
  await fixture.until('sick', () =>
    fixture.events('sick').some((each) => each.startsWith('Unhealthy: Liveness probe failed')),
  );
  const reason = 'Killing: Container main failed liveness probe, will be restarted';
  assert.ok(fixture.events('sick').includes(reason));
});
