import type { HostTask } from './hosts.ts';
import type { ContractNode } from './node.ts';
import type { HostName, NodeName, World } from './world.ts';

/** A plane under test with the world around it. */
export interface Subject extends AsyncDisposable {
  readonly world: World;
  /** Node B is left out where the plane serves one machine only. */
  readonly nodes: { readonly A: ContractNode } & { readonly [node in NodeName]?: ContractNode };
  /** Lets a machine call; `nobody` where the world has no such machine. */
  perform(from: HostName, task: HostTask): Promise<readonly string[]>;
}
