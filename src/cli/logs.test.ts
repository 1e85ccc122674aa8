import assert from 'node:assert/strict';
import { test } from 'node:test';
import { command } from './logs.ts';
import { discovery, notFoundReply, Reply, runLine } from './testing/test-io.ts';
import type { Answer } from './testing/test-io.ts';

function pod(name: string, phase = 'Running') {
  return {
    metadata: { name, namespace: 'default', labels: { app: 'web' } },
    spec: { containers: [{ name: 'main' }, { name: 'side' }] },
    status: { phase },
  };
}

const answer: Answer = (request) => {
  const found = discovery(request);
  if (found !== undefined) return found;
  const url = new URL(request.path, 'http://server');
  const parts = url.pathname.split('/');
  if (parts.at(-1) === 'log') {
    if (parts.at(-2) === 'mute') return new Reply(400, { kind: 'Status', code: 400, message: 'container is waiting' });
    return [`${parts.at(-2)} `, `${url.searchParams}\nsecond\n`];
  }
  if (parts.at(-1) === 'deployments') return notFoundReply('x');
  if (parts.includes('deployments'))
    return { metadata: { name: 'web' }, spec: { selector: { matchLabels: { app: 'web' } } } };
  if (parts.at(-1) === 'pods') return { metadata: {}, items: [pod('b', 'Pending'), pod('a')] };
  return pod(parts.at(-1) ?? '');
};

const logs = (line: string) => runLine(command, line.split(' '), { answer });

const lines: readonly [string, string][] = [
  ['a', 'a container=main\nsecond\n'],
  ['a -c side', 'a container=side\nsecond\n'],
  ['a -p --tail 5 --timestamps', 'a container=main&previous=true&timestamps=true&tailLines=5\nsecond\n'],
  ['a --since 1500ms', 'a container=main&sinceSeconds=2\nsecond\n'],
  ['a --prefix', '[a/main] a container=main\n[a/main] second\n'],
  ['a --all-containers', '[a/main] a container=main\n[a/main] second\n[a/side] a container=side\n[a/side] second\n'],
];

for (const [line, stdout] of lines) {
  test(`logs ${line}`, async () => assert.deepEqual(await logs(line), { code: 0, stdout, stderr: '' }));
}

test('of a Deployment, a running Pod is shown, and that there are more', async () => {
  const { stdout, stderr } = await logs('deploy/web');
  assert.equal(stdout, 'a container=main\nsecond\n');
  assert.equal(stderr, '2 Pods; showing a (all of them: -l LABELS)\n');
});

test('by labels, every Pod is shown', async () => {
  assert.match((await logs('-l app=web')).stdout, /^\[b\/main\] .*\n.*\n\[a\/main\] /);
});

test('a container that does not exist is named with those that do', async () => {
  const { code, stderr } = await logs('a -c nope');
  assert.equal(code, 3);
  assert.match(stderr, /no container "nope"\n {2}it has: main, side/);
});

test('what the server says against it is the failure', async () => {
  assert.deepEqual(await logs('mute'), { code: 1, stdout: '', stderr: 'error: container is waiting\n' });
});
