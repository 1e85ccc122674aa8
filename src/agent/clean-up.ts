import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { listMounts, unmount } from '../linux/mounts.ts';
import { isNetworkNamespace } from '../linux/namespaces.ts';
import { tearDownNodeNetwork } from './network/node-network.ts';
import { openCgroups } from './runtime/cgroups.ts';
import type { Layout } from './runtime/layout.ts';
import { layoutOf } from './runtime/layout.ts';
import { killStrays } from './runtime/strays.ts';

/** What `cleanUp` found and took away. */
export interface CleanedUp {
  readonly pods: number;
}

/**
 * Takes away everything that an agent with this folder made on the machine: processes, control groups, network
 * namespaces, links, the bridge, mounts and files. Needs no API server and no running agent; what is gone already does
 * not matter. The folder itself goes too.
 */
export async function cleanUp(dataDir: string): Promise<CleanedUp> {
  const layout = layoutOf(dataDir);
  const uids = podsIn(layout);
  for (const uid of uids) endPod(layout, uid);
  await openCgroups(layout.hash).remove();
  tearDownNodeNetwork(dataDir, uids);
  unmountBelow(dataDir);
  rmSync(dataDir, { recursive: true, force: true });
  return { pods: uids.length };
}

/** The Pods that have a folder. */
export function podsIn(layout: Layout): readonly string[] {
  return existsSync(layout.pods) ? readdirSync(layout.pods) : [];
}

function endPod(layout: Layout, uid: string): void {
  const path = layout.network(uid);
  const network = isNetworkNamespace(path) ? `net:[${statSync(path).ino}]` : undefined;
  killStrays({ network, environment: `FAIRLEAD_POD=${uid}` });
}

/** Mounts below a folder, deepest first. */
function unmountBelow(folder: string): void {
  if (process.platform !== 'linux') return;
  const points = listMounts()
    .map(({ point }) => point)
    .filter((point) => point.startsWith(`${folder}/`));
  for (const point of points.toReversed()) unmount(point);
}
