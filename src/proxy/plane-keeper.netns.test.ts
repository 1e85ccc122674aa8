import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Node } from '../api/core/node.ts';
import { planeAnnotation } from '../api/fairlead-annotations.ts';
import { isolateNetwork } from '../linux/namespaces.ts';
import { silentLogger } from '../observe/log.ts';
import type { ProxyConfig } from './config.ts';
import { network } from './contract/worlds.ts';
import type { Dataplane } from './dataplane.ts';
import { openPlane } from './open-plane.ts';
import { PlaneKeeper } from './plane-keeper.ts';
import { readRunRecord } from './run-record.ts';
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
