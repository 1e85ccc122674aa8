import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isolateNetwork } from '../../linux/namespaces.ts';
import { cleanUp } from '../clean-up.ts';
import type { Cgroups } from './cgroups.ts';
import { openCgroups } from './cgroups.ts';
import { runtimeContract } from './contract.ts';
import { layoutOf } from './layout.ts';
import { createPlainRuntime } from './plain.ts';

isolateNetwork();

const without: Cgroups = {
  isAvailable: false,
  create: () => undefined,
  add() {},
  kill: () => false,
  remove: async () => {},
};

for (const [name, cgroupsOf] of [
  ['plain', openCgroups],
  ['plain without control groups', () => without],
] as const) {
  runtimeContract(name, () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'fairlead-plain-'));
    const layout = layoutOf(dataDir);
    return {
      layout,
      podIp: '127.0.0.1',
      open: () => createPlainRuntime(layout, cgroupsOf(layout.hash)),
      async [Symbol.asyncDispose]() {
        await cleanUp(dataDir);
      },
    };
  });
}
