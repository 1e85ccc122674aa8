import type { Transport } from '../../client/client.ts';
import { CommandError } from '../command-error.ts';
import { exitCodes } from '../exit-codes.ts';
import { objectLabel } from './print.ts';
import { listObjects, watchChanges } from './read.ts';
import type { ResourceType } from './resource-types.ts';
import type { AnyObject } from './rest.ts';

/** One object, in this incarnation: another object of the same name does not count. */
export interface Incarnation {
  readonly type: ResourceType;
  readonly name: string;
  readonly namespace: string;
  readonly uid: string | undefined;
}

/** Resolves when the object is gone. Throws `CommandError` (exit code 7) when the time is over. */
export async function waitUntilGone(
  transport: Transport,
  item: Incarnation,
  options: { readonly timeoutMs: number | undefined; readonly signal: AbortSignal },
): Promise<void> {
  const { timeoutMs, signal } = options;
  const expired = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs);
  const either = expired === undefined ? signal : AbortSignal.any([signal, expired]);
  while (!either.aborted && (await isThere(transport, item, either))) {
    // A watch ends after some minutes; then look again.
  }
  if (expired?.aborted) {
    const label = objectLabel(item.type, item.name);
    throw new CommandError(`${label} is still there`, {
      code: exitCodes.timeout,
      hint: `see what holds it: fairlead get ${label} -n ${item.namespace} -o yaml   (metadata.finalizers)`,
    });
  }
}

/** Whether the object was still there when the watch on it ended. */
async function isThere(transport: Transport, item: Incarnation, signal: AbortSignal): Promise<boolean> {
  const { type, name, namespace, uid } = item;
  const selection = { type, namespace, fieldSelector: `metadata.name=${name}` };
  try {
    const { items, resourceVersion } = await listObjects<AnyObject>(transport, selection, signal);
    if (!items.some((object) => object.metadata.uid === uid)) return false;
    for await (const change of watchChanges(transport, selection, {
      resourceVersion,
      accept: 'application/json',
      signal,
    })) {
      if (change.type === 'DELETED') return false;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return true;
}
