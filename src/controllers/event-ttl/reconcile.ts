import type { Event } from '../../api/core/event.ts';

/** How long Events are kept after they last happened, as in Kubernetes. */
const eventLifeMs = 60 * 60_000;

/** When the Event may go, in Unix milliseconds. */
export function expiresAtMs({ lastTimestamp, series, eventTime, metadata }: Event): number {
  const times = [lastTimestamp, series?.lastObservedTime, eventTime, metadata.creationTimestamp];
  const known = times.map((time) => Date.parse(time ?? '')).filter((time) => !Number.isNaN(time));
  return Math.max(0, ...known) + eventLifeMs;
}
