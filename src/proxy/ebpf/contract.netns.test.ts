import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after } from 'node:test';
import { isolateNetwork } from '../../linux/namespaces.ts';
import { declareContract } from '../contract/contract.ts';
import { declareObjectModel } from '../contract/object-model.ts';
import { openTwoNodes } from '../contract/two-nodes.ts';
import { type NodeName, nodeNames } from '../contract/world.ts';
import { limits } from '../limits.ts';
import { enterCgroup } from './testing.ts';

isolateNetwork();

/** The machines of a node are threads of this process: each node has a threaded cgroup for them. */
const { cgroup, leave } = enterCgroup();
const cgroupOf = (node: NodeName): string => join(cgroup, node);
for (const node of nodeNames) {
  mkdirSync(cgroupOf(node));
  writeFileSync(join(cgroupOf(node), 'cgroup.type'), 'threaded');
}

const open = () =>
  openTwoNodes({ plane: 'ebpf', cgroup: cgroupOf, planeOptions: (node) => ({ cgroup: cgroupOf(node) }) });

declareContract({ title: 'ebpf', limits: limits.ebpf, open });
declareObjectModel({ title: 'ebpf', open, seed: 2, steps: 2000 });

after(() => {
  for (const node of nodeNames) rmdirSync(cgroupOf(node));
  leave();
});
