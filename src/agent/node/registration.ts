import { isConflict, isNotFound } from '../../api/errors.ts';
import { formatMicroTime } from '../../api/times.ts';
import { Lease } from '../../api/coordination/lease.ts';
import { Node } from '../../api/core/node.ts';
import { sleep } from '../../client/back-off.ts';
import type { Client } from '../../client/client.ts';
import { sameJson } from '../../lib/json.ts';
import type { Logger } from '../../observe/log.ts';
import type { NodeFacts } from './node-object.ts';
import { nodeObject, nodeStatus } from './node-object.ts';

const leaseNamespace = 'kube-node-lease';
const renewMs = 10_000;
const leaseSeconds = 40;
const reportMs = 5 * 60_000;
const firstRetryMs = 50;
const longestRetryMs = 5000;

export interface RegistrationOptions {
  readonly client: Client;
  readonly facts: NodeFacts;
  readonly signal: AbortSignal;
  readonly logger: Logger;
  readonly now: () => number;
}

/**
 * Keeps the Node object and its Lease: made at once, the lease renewed every 10 s, the status every 5 min. Resolves when
 * the node is registered for the first time; goes on until the signal aborts.
 */
export async function registerNode(options: RegistrationOptions): Promise<{ readonly done: Promise<void> }> {
  const { signal } = options;
  await untilDone(options, async () => {
    await writeNode(options);
    await writeLease(options);
  });
  const loops = [
    every(renewMs, signal, () => untilDone(options, () => writeLease(options))),
    every(reportMs, signal, () => untilDone(options, () => writeNode(options))),
  ];
  return { done: Promise.all(loops).then(() => undefined) };
}

async function every(periodMs: number, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  for (;;) {
    await sleep(periodMs, signal);
    if (signal.aborted) return;
    await work();
  }
}

/** Tries until it works or the agent ends; a conflict is tried again at once. */
async function untilDone({ signal, logger }: RegistrationOptions, work: () => Promise<void>): Promise<void> {
  for (let waitMs = firstRetryMs; !signal.aborted; waitMs = Math.min(waitMs * 2, longestRetryMs)) {
    try {
      return await work();
    } catch (error) {
      if (signal.aborted) return;
      if (!isConflict(error)) logger.warn('the node could not be reported', { error });
      await sleep(isConflict(error) ? 0 : waitMs, signal);
    }
  }
}

async function writeNode({ client, facts, now }: RegistrationOptions): Promise<void> {
  const current = await unlessMissing(client.get(Node, facts.name));
  const wanted = nodeObject(facts, current);
  let node = current;
  if (node === undefined) node = await client.create(Node, wanted);
  else if (!sameJson(node.metadata.labels, wanted.metadata.labels) || !sameJson(node.spec, wanted.spec)) {
    node = await client.update(Node, wanted);
  }
  const status = nodeStatus(facts, node, true, now());
  await client.update(Node, { ...node, status }, { subresource: 'status' });
}

async function writeLease({ client, facts, now }: RegistrationOptions): Promise<void> {
  const current = await unlessMissing(client.get(Lease, facts.name, { namespace: leaseNamespace }));
  const spec = {
    holderIdentity: facts.name,
    leaseDurationSeconds: leaseSeconds,
    renewTime: formatMicroTime(now()),
  };
  if (current !== undefined) {
    const lease = { ...current, spec: { ...current.spec, ...spec } };
    await client.update(Lease, lease, { namespace: leaseNamespace });
    return;
  }
  const metadata = { name: facts.name, namespace: leaseNamespace };
  await client.create(
    Lease,
    { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec },
    { namespace: leaseNamespace },
  );
}

async function unlessMissing<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
