import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isolateNetwork } from '../linux/namespaces.ts';
import { Pod } from '../api/core/pod.ts';
import { agentFixture } from './testing/agent-fixture.ts';

isolateNetwork();

test('without networks of their own, Pods listen on loopback addresses and come and go as elsewhere', async () => {
  await using fixture = await agentFixture('plain');
  const script = `require('http').createServer((q,r)=>r.end('ok')).listen(8080, process.env.POD_IP)`;
  await fixture.run('web', {
    containers: [
      {
        name: 'main',
        image: 'x',
        command: [process.execPath, '-e', script],
        readinessProbe: { httpGet: { path: '/', port: 8080 } },
      },
    ],
  });
  const pod = await fixture.until('web', ({ status }) => status?.containerStatuses?.[0]?.ready === true);
  assert.match(pod.status?.podIP ?? '', /^127\.244\.0\.\d+$/);
  await fixture.restart();
  await fixture.until('web', ({ status }) => status?.containerStatuses?.[0]?.ready === true);
  await fixture.api.client.delete(Pod, 'web', { namespace: 'default' });
  await fixture.untilGone('web');
});
