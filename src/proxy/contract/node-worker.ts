import { parentPort, workerData } from 'node:worker_threads';
import { enterNetworkNamespace } from '../../linux/namespaces.ts';
import { silentLogger } from '../../observe/log.ts';
import { openPlane } from '../open-plane.ts';
import { createNode } from './node.ts';
import type { NodePlace, NodeReply, NodeRequest, NodeTask } from './node-thread.ts';

/** A node of the contract's network: a thread in a network namespace with a plane of its own. */

const { plane, options, namespace } = workerData as NodePlace;
enterNetworkNamespace(namespace);
const node = createNode((network) => openPlane(plane, { ...options, network, logger: silentLogger }));

parentPort?.on('message', ({ id, task }: NodeRequest) => {
  const answer = (reply: NodeReply): void => {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker, not a window
    parentPort?.postMessage(reply);
  };
  perform(task).then(
    (value) => answer({ id, value }),
    (error: unknown) =>
      answer({ id, failure: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});

async function perform(task: NodeTask): Promise<unknown> {
  if (task.kind === 'open') return node.open(task.network);
  if (task.kind === 'apply') return node.apply(task.changes);
  if (task.kind === 'dump') return node.dump();
  return node[Symbol.asyncDispose]();
}
