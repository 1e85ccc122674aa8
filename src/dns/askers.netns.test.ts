import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { before, test } from 'node:test';
import { promisify } from 'node:util';
import type { Client } from '../client/client.ts';
import { isolateNetwork } from '../linux/namespaces.ts';
import { silentLogger } from '../observe/log.ts';
import { createMetrics } from '../observe/metrics.ts';
import { dnsNamespace, dnsPod, dnsService, testCaches } from './fixtures.ts';
import { startDns } from './run.ts';
import { clusterServer } from './settings/cluster-server.ts';

/** Who asks is told by the address that a question comes from, on every listener. */

const run = promisify(execFile);
const noClient = {} as Client;
const [shopPod, devPod] = ['127.0.0.2', '127.0.0.3'];
const first = 'vault.bank.shop.svc.cluster.local';

before(() => isolateNetwork());

for (const udp of ['batch', 'dgram'] as const) {
  for (const transport of ['udp', 'tcp'] as const) {
    test(`search lists are completed and namespaces hidden by who asks (${udp}, ${transport})`, async () => {
      const { caches, namespace, service, pod, sync } = testCaches(noClient);
      const settings = clusterServer({ listen: [{ address: '127.0.0.1', port: 0 }] });
      const servers = settings.servers.map((server) => ({
        ...server,
        autopath: { search: [] },
        visibility: [{ action: 'hide', from: ['dev'], to: ['bank'] }] as const,
      }));
      await using dns = await startDns({
        client: noClient,
        caches,
        settings: { ...settings, servers },
        udp,
        logger: silentLogger,
        metrics: createMetrics(),
      });
      namespace.apply([{ type: 'ADDED', object: dnsNamespace() }]);
      service.apply([{ type: 'ADDED', object: dnsService({}, 'vault', 'bank') }]);
      pod.apply([
        { type: 'ADDED', object: dnsPod(shopPod) },
        { type: 'ADDED', object: dnsPod(devPod, {}, 'dev') },
      ]);
      sync();
      await dns.synced;
      const port = String(dns.listening[0]?.port);
      const dig = async (from: string, name: string): Promise<string> => {
        const words = [
          '@127.0.0.1',
          '-p',
          port,
          '-b',
          from,
          '+short',
          '+tries=1',
          '+time=3',
          transport === 'tcp' ? '+tcp' : '+notcp',
        ];
        return (await run('dig', [...words, name])).stdout;
      };
      assert.equal(await dig(shopPod, first), 'vault.bank.svc.cluster.local.\n10.96.0.1\n');
      assert.equal(await dig(devPod, first), '', 'the search list of another namespace');
      assert.equal(await dig(shopPod, 'vault.bank.svc.cluster.local'), '10.96.0.1\n');
      assert.equal(await dig(devPod, 'vault.bank.svc.cluster.local'), '');
      assert.equal(await dig(devPod, 'vault.bank.dev.svc.cluster.local'), '', 'nor at the end of a search list');
    });
  }
}
