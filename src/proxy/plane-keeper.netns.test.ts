import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Event } from '../api/core/event.ts';
import { Node } from '../api/core/node.ts';
import { planeAnnotation } from '../api/fairlead-annotations.ts';
import { createFakeApi } from '../client/fake.ts';
import { isolateNetwork } from '../linux/namespaces.ts';
import { processStart } from '../linux/process-start.ts';
import { createLogger, silentLogger } from '../observe/log.ts';
import type { ProxyConfig } from './config.ts';
import { network } from './contract/worlds.ts';
import type { Dataplane } from './dataplane.ts';
import { openPlane } from './open-plane.ts';
import { PlaneKeeper } from './plane-keeper.ts';
import { readRunRecord, removeRunRecord, writeRunRecord } from './run-record.ts';
import { hasServiceRanges } from './userspace/service-ranges.ts';

isolateNetwork();

/** Twice as long as a retirement rests between two looks. */
const twoLooksMs = 1000;

test('other commands are told of the plane that is in force, and of none when it ends', async () => {
  let plane: Dataplane | undefined;
  let reopened = Promise.withResolvers<void>();
  const keeper: PlaneKeeper = new PlaneKeeper({
    config: { nodeName: 'a', plane: 'nftables', logger: silentLogger } as ProxyConfig,
    choice: { plane: 'nftables', reason: 'asked for' },
    network: () => network,
    reopen: async () => {
      await plane?.remove();
      plane = await keeper.open();
      reopened.resolve();
      return true;
    },
  });
  const annotate = async (name: string) => {
    reopened = Promise.withResolvers();
    keeper.sawNode({ metadata: { name: 'a', annotations: { [planeAnnotation]: name } }, spec: {}, status: {} } as Node);
    await reopened.promise;
  };
  plane = await keeper.open();
  assert.equal(readRunRecord()?.plane, 'nftables');
  await annotate('userspace');
  assert.equal(readRunRecord()?.plane, 'userspace');
  await annotate('nftables');
  assert.equal(readRunRecord()?.plane, 'nftables');
  await plane.remove();
  await keeper.stop(true);
  assert.equal(readRunRecord(), undefined);
});

test('however often retiring began, it ends with the keeper, and what is left stays for who comes next', async () => {
  const ranges = { ...network, serviceCidrs: ['10.96.0.0/16'] };
  const options = { network: ranges, logger: silentLogger };
  const before = await openPlane('userspace', options);
  await before.adopt([]);
  const server = createServer().listen(8080, '10.96.0.1');
  await once(server, 'listening');
  const client = connect(8080, '10.96.0.1');
  const [[held]] = (await Promise.all([once(server, 'connection'), once(client, 'connect')])) as [[Socket], unknown];
  const keeper = new PlaneKeeper({
    config: { nodeName: 'a', plane: 'nftables', logger: silentLogger } as ProxyConfig,
    choice: { plane: 'nftables', reason: 'asked for' },
    network: () => ranges,
    reopen: () => assert.fail('opened anew'),
  });
  keeper.retireOthers();
  keeper.retireOthers();
  await keeper.stop(false);
  for (const socket of [client, held]) socket.destroy();
  server.close();
  // A retirement that goes on would see by now that nobody needs the addresses any more.
  await delay(twoLooksMs);
  assert.ok(hasServiceRanges());
  await before.remove();
});

for (const asked of ['nosuch', 'ebpf'] as const) {
  test(`an annotation that asks for ${asked}, which cannot be had, is an event on the Node, and nothing changes`, async () => {
    const { client, objects, put } = createFakeApi();
    const keeper = new PlaneKeeper({
      config: {
        nodeName: 'a',
        plane: 'nftables',
        planeSettings: { cgroup: '/nonexistent' },
        logger: silentLogger,
        client,
      } as unknown as ProxyConfig,
      choice: { plane: 'nftables', reason: 'asked for' },
      network: () => network,
      reopen: () => assert.fail('opened anew'),
    });
    const metadata = { name: 'a', annotations: { [planeAnnotation]: asked } };
    const node = put(Node, { apiVersion: 'v1', kind: 'Node', metadata, spec: {} });
    keeper.sawNode(node);
    keeper.sawNode(node);
    await until(() => objects(Event).length > 0);
    await keeper.stop(false);
    const [event, ...more] = objects(Event);
    assert.equal(more.length, 0);
    assert.equal(event?.metadata.namespace, 'default');
    assert.deepEqual(
      [event.type, event.reason, event.count, event.involvedObject.kind, event.involvedObject.uid],
      ['Warning', 'PlaneUnavailable', 1, 'Node', node.metadata.uid],
    );
    const why =
      asked === 'nosuch' ? 'there is no plane nosuch; there are nftables' : '--cgroup: /nonexistent does not exist';
    const { message = '' } = event;
    assert.ok(message.includes(why), message);
    assert.match(message, /nftables stays in force$/);
    assert.equal(keeper.choice.plane, 'nftables');
  });
}

/** What a keeper that opens its plane twice logs. */
async function logOfStart(): Promise<string> {
  let logged = '';
  const logger = createLogger({
    component: 'proxy',
    level: 'warn',
    format: 'text',
    out: { write: (text) => (logged += String(text)) },
  });
  const keeper = new PlaneKeeper({
    config: { nodeName: 'a', plane: 'userspace', logger } as ProxyConfig,
    choice: { plane: 'userspace', reason: 'asked for' },
    network: () => network,
    reopen: () => assert.fail('opened anew'),
  });
  for (const plane of [await keeper.open(), await keeper.open()]) await plane.remove();
  await keeper.stop(true);
  return logged;
}

test('another proxy in this network namespace is said once at the start, and one that is gone is not', async () => {
  assert.equal(await logOfStart(), '');
  const prefix = `/run/fairlead/proxy-${statSync('/proc/thread-self/ns/net').ino}`;
  const other = spawn('sleep', ['60']);
  await once(other, 'spawn');
  const record = { nodeName: 'b', plane: 'ipvs', reason: '', network, allowExternalIps: false, defaults: {} } as const;
  const recordOther = () => {
    writeRunRecord({ ...record, planeSettings: {} });
    const own = JSON.parse(readFileSync(`${prefix}-${process.pid}.json`, 'utf8')) as object;
    removeRunRecord();
    mkdirSync('/run/fairlead', { recursive: true });
    writeFileSync(`${prefix}-${other.pid}.json`, JSON.stringify({ ...own, pid: other.pid, processStart: start }));
  };
  const start = processStart(other.pid ?? 0);
  recordOther();
  const logged = await logOfStart();
  assert.match(logged, /another proxy of Fairlead runs in this network namespace/);
  assert.ok(logged.includes(`pid=${other.pid} plane=ipvs node=b`), logged);
  assert.equal(logged.trim().split('\n').length, 1);
  recordOther();
  other.kill();
  await once(other, 'exit');
  assert.equal(await logOfStart(), '');
});

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  for (; !condition(); await delay(5)) assert.ok(Date.now() < deadline, 'still not');
}
