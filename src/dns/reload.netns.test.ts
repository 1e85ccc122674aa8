import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Client } from '../client/client.ts';
import { isolateNetwork } from '../linux/namespaces.ts';
import { silentLogger } from '../observe/log.ts';
import { createMetrics } from '../observe/metrics.ts';
import type { Dns } from './config.ts';
import { dig } from './dig.ts';
import { dnsNamespace, dnsService, testCaches } from './fixtures.ts';
import { startDns } from './run.ts';
import { clusterServer, emptyServer } from './settings/cluster-server.ts';
import type { DnsSettings } from './settings/settings.ts';
import { formatName } from './wire/names.ts';
import { rcodes } from './wire/types.ts';

const folder = mkdtempSync(join(tmpdir(), 'fairlead-dns-'));
const zoneFile = join(folder, 'example.zone');
const name = 'cart.shop.svc.cluster.local';
const port = 5300;
let dns: Dns;
/** Which settings warnings were about. */
const said: unknown[] = [];

function settings(ttlSeconds: number, address = '127.0.0.1', zonePath?: string): DnsSettings {
  const made = clusterServer({ listen: [{ address, port }], ttlSeconds });
  const files = zonePath === undefined ? [] : [{ path: zonePath, zones: ['example.com'], reloadSeconds: 0 }];
  return { ...made, servers: made.servers.map((server) => ({ ...server, files })) };
}

before(async () => {
  isolateNetwork();
  writeFileSync(zoneFile, '$TTL 60\n@ SOA ns ns 1 1 1 1 1\nwww A 192.0.2.1\n');
  const noClient = {} as Client;
  const test = testCaches(noClient);
  test.namespace.apply([{ type: 'ADDED', object: dnsNamespace() }]);
  const outside = { type: 'ExternalName', externalName: 'www.example.com', clusterIP: '', clusterIPs: [] } as const;
  test.service.apply([
    { type: 'ADDED', object: dnsService() },
    { type: 'ADDED', object: dnsService(outside, 'outside') },
  ]);
  test.sync();
  dns = await startDns({
    client: noClient,
    caches: test.caches,
    settings: settings(5),
    logger: { ...silentLogger, warn: (_, fields) => said.push(fields?.['settings']) },
    metrics: createMetrics(),
  });
  await dns.synced;
});

after(async () => {
  await dns[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

async function ask(text: string, address = '127.0.0.1', isTcp = false) {
  const { message } = await dig({ name: text, server: { address, port }, tcp: isTcp });
  return message;
}

test('settings change under load, and not one query is lost', async () => {
  const over = new AbortController();
  let answered = 0;
  const load = async (isTcp: boolean): Promise<void> => {
    while (!over.signal.aborted) {
      const { rcode, answers } = await ask(name, '127.0.0.1', isTcp);
      assert.deepEqual([rcode, answers.length], [rcodes.NOERROR, 1]);
      answered += 1;
    }
  };
  const loads = [load(false), load(false), load(true)];
  for (let round = 0; round < 40; round += 1) {
    await dns.become(settings(5 + (round % 3), '127.0.0.1', round % 2 === 0 ? zoneFile : undefined));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  over.abort();
  await Promise.all(loads);
  assert.ok(answered > 100, `${answered} answers`);
});

test('what changed is in force: times to live, zones, addresses', async () => {
  await dns.become(settings(17, '127.0.0.1', zoneFile));
  assert.equal((await ask(name)).answers[0]?.ttl, 17);
  assert.equal((await ask('www.example.com')).answers.length, 1);
  await dns.become(settings(17, '127.0.0.3'));
  assert.equal((await ask(name, '127.0.0.3')).answers.length, 1);
  await assert.rejects(ask(name));
  assert.equal((await ask('www.example.com', '127.0.0.3')).rcode, rcodes.SERVFAIL);
  await dns.become(settings(5));
});

test('an alias leads to the server at the same address that is for its target', async () => {
  const { servers, ...others } = settings(5);
  const files = [{ path: zoneFile, zones: ['example.com'], reloadSeconds: 0 }];
  const listen = servers[0]?.listen ?? [];
  await dns.become({ ...others, servers: [...servers, { ...emptyServer, zones: ['example.com'], listen, files }] });
  const answers = (await ask('outside.shop.svc.cluster.local')).answers.map((each) => formatName(each.name));
  assert.deepEqual(answers, ['outside.shop.svc.cluster.local.', 'www.example.com.']);
  await dns.become(settings(5));
});

test('what a reload leaves as it was is said', async () => {
  said.length = 0;
  await dns.become({ ...settings(5), workers: 3, identity: 'other' });
  assert.deepEqual(said, [['identity', 'workers']]);
  await dns.become(settings(5));
  assert.equal(said.length, 1);
});

test('settings that cannot be leave everything as it was', async () => {
  writeFileSync(join(folder, 'wrong.zone'), 'www A nowhere\n');
  await assert.rejects(dns.become(settings(9, '127.0.0.1', join(folder, 'wrong.zone'))), /wrong.zone:1: /);
  await assert.rejects(dns.become(settings(9, '203.0.113.1')), { code: 'EADDRNOTAVAIL' });
  assert.equal((await ask(name)).answers[0]?.ttl, 5);
});
