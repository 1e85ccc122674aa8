import { Worker } from 'node:worker_threads';
import type { Frontend } from '../../routing/frontend.ts';
import type { RouterChanges } from '../../routing/router.ts';
import type { Applied, NodeNetwork, PlaneName } from '../dataplane.ts';
import type { PlaneOptions } from '../open-plane.ts';
import type { ContractNode } from './node.ts';
import type { NodeName } from './world.ts';

/** Where a node's thread lives and what it runs. */
export interface NodePlace {
  readonly name: NodeName;
  readonly namespace: string;
  readonly plane: PlaneName;
  /** What the plane is opened with beside the node's network. It is copied into the thread. */
  readonly options: Partial<PlaneOptions>;
}

export type NodeTask =
  | { readonly kind: 'open'; readonly network: NodeNetwork }
  | { readonly kind: 'apply'; readonly changes: RouterChanges }
  | { readonly kind: 'dump' }
  | { readonly kind: 'close' };

export interface NodeRequest {
  readonly id: number;
  readonly task: NodeTask;
}

export interface NodeReply {
  readonly id: number;
  readonly value?: unknown;
  readonly failure?: string;
}

/** Starts a node in a thread of its own: all its sockets, timers and system settings are those of its namespace. */
export function startNode(place: NodePlace): ContractNode {
  const worker = new Worker(new URL('./node-worker.ts', import.meta.url), {
    workerData: place,
    trackUnmanagedFds: false,
  });
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  let id = 0;
  worker.on('message', (reply: NodeReply) => {
    const asker = waiting.get(reply.id);
    waiting.delete(reply.id);
    if (reply.failure === undefined) asker?.resolve(reply.value);
    else asker?.reject(new Error(`node ${place.name}: ${reply.failure}`));
  });
  worker.on('error', (error) => {
    for (const each of waiting.values()) each.reject(error instanceof Error ? error : new Error(String(error)));
  });
  const perform = (task: NodeTask): Promise<unknown> =>
    new Promise((resolve, reject) => {
      id += 1;
      waiting.set(id, { resolve, reject });
      const request: NodeRequest = { id, task };
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker, not a window
      worker.postMessage(request);
    });
  return {
    async open(network) {
      await perform({ kind: 'open', network });
    },
    apply: async (changes) => (await perform({ kind: 'apply', changes })) as Applied,
    dump: async () => (await perform({ kind: 'dump' })) as readonly Frontend[],
    async [Symbol.asyncDispose]() {
      await perform({ kind: 'close' });
      await worker.terminate();
    },
  };
}
