import { Event } from '../../api/core/event.ts';
import { keyOf, nameOf } from '../../api/meta/object-meta.ts';
import { createShell, splitKey } from '../context.ts';
import type { ControllerContext } from '../context.ts';
import { unlessGone } from '../writes.ts';
import { expiresAtMs } from './reconcile.ts';

/** Deletes Events an hour after they last happened. */
export async function startEventTtl(context: ControllerContext): Promise<AsyncDisposable> {
  const { caches, client, now } = context;
  const events = caches.of(Event, { view: 'times', transform: keepTimes });
  const shell = createShell(context, 'event-ttl');

  const queue = shell.queue(async (key) => {
    const { namespace, name } = splitKey(key);
    const event = events.get(name, namespace);
    if (event === undefined) return undefined;
    const leftMs = expiresAtMs(event) - now();
    // It happened again meanwhile.
    if (leftMs > 0) return { againAfterMs: leftMs };
    const { uid, resourceVersion } = event.metadata;
    await unlessGone(client.delete(Event, nameOf(event), { namespace, preconditions: { uid, resourceVersion } }));
    return undefined;
  });

  if (!(await shell.ready(events))) return shell;
  shell.keep(
    events.subscribe((changes) => {
      for (const { old, current } of changes) {
        if (old === undefined && current !== undefined) queue.addAfter(keyOf(current), expiresAtMs(current) - now());
      }
    }),
  );
  return shell;
}

/** Nothing else of an Event is read here. */
function keepTimes({ metadata, lastTimestamp, series, eventTime, involvedObject }: Event): Event {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadata;
  const { kind } = involvedObject;
  const kept = { name, namespace, uid, resourceVersion, creationTimestamp };
  return { metadata: kept, lastTimestamp, series, eventTime, involvedObject: { kind } };
}
