import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node } from '../api/core/node.ts';
import { planeAnnotation } from '../api/fairlead-annotations.ts';
import { isolateNetwork } from '../linux/namespaces.ts';
import { silentLogger } from '../observe/log.ts';
import type { ProxyConfig } from './config.ts';
import { network } from './contract/worlds.ts';
import type { Dataplane } from './dataplane.ts';
import { PlaneKeeper } from './plane-keeper.ts';
import { readRunRecord } from './run-record.ts';

isolateNetwork();

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
