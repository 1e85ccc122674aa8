import type { ObjectChange } from './known-objects.ts';

/** Written by the EndpointSlice controller: when the Pod or Service change happened that made it write (RFC 3339). */
export const lastChangeTriggerTime = 'endpoints.kubernetes.io/last-change-trigger-time';

/** Unix milliseconds of the oldest cause among slice changes; undefined when none of them tells. */
export function triggerTimeOf(changes: readonly ObjectChange[]): number | undefined {
  let oldest: number | undefined;
  for (const change of changes) {
    if (change.type !== 'slice') continue;
    const text = change.new?.metadata.annotations?.[lastChangeTriggerTime];
    // An unchanged annotation tells of an earlier change (kube-proxy's rule for the same metric).
    if (text === undefined || text === change.old?.metadata.annotations?.[lastChangeTriggerTime]) continue;
    const time = Date.parse(text);
    if (!Number.isNaN(time) && (oldest === undefined || time < oldest)) oldest = time;
  }
  return oldest;
}
