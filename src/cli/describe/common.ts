import type { Event } from '../../api/core/event.ts';
import type { LabelSelector } from '../../api/meta/label-selector.ts';
import type { AnyObject } from '../objects/rest.ts';
import { formatAge } from '../durations.ts';
import type { Fields, Table } from './fields.ts';

/** `a=1` lines in order, or nothing. */
export function pairs(map: Readonly<Record<string, string>> | undefined, separator = '='): readonly string[] {
  return Object.entries(map ?? {})
    .map(([name, value]) => `${name}${separator}${value}`)
    .sort();
}

/** The first lines of every description. */
export function identity({ metadata }: AnyObject): Fields {
  const annotations = Object.entries(metadata.annotations ?? {}).filter(([name]) => !name.includes('last-applied'));
  const owner = metadata.ownerReferences?.find(({ controller }) => controller);
  return [
    ['Name', metadata.name ?? ''],
    ['Namespace', metadata.namespace],
    ['Labels', pairs(metadata.labels)],
    [
      'Annotations',
      annotations.length === 0 ? undefined : annotations.map(([name, value]) => `${name}: ${value}`).sort(),
    ],
    ['Created', metadata.creationTimestamp],
    ['Deleted', metadata.deletionTimestamp],
    ['Controlled by', owner && `${owner.kind}/${owner.name}`],
  ];
}

/** A status condition of any kind. */
export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
}

/** Conditions as a table with their ages. */
export function conditionTable(conditions: readonly Condition[] | undefined, nowMs: number): Table {
  return {
    heading: ['Type', 'Status', 'Age', 'Reason', 'Message'],
    rows: (conditions ?? []).map(({ type, status, reason = '', message = '', lastTransitionTime }) => [
      type,
      status,
      ageOf(lastTransitionTime, nowMs),
      reason,
      message,
    ]),
  };
}

/** `3m` since a time; `<unknown>` without one. */
export function ageOf(time: string | undefined, nowMs: number): string {
  return time === undefined ? '<unknown>' : formatAge(nowMs - Date.parse(time));
}

/** Events about one object, the oldest first. */
export function eventTable(events: readonly Event[], nowMs: number): Table {
  const rows = events
    .toSorted((a, b) => lastSeen(a).localeCompare(lastSeen(b)))
    .map((event) => [
      event.type ?? '',
      event.reason ?? '',
      eventAge(event, nowMs),
      event.source?.component || event.reportingComponent || '',
      (event.message ?? '').trim(),
    ]);
  return { heading: ['Type', 'Reason', 'Age', 'From', 'Message'], rows };
}

function lastSeen(event: Event): string {
  return (
    event.series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp ?? ''
  );
}

function eventAge(event: Event, nowMs: number): string {
  const count = event.series?.count ?? event.count ?? 1;
  const last = ageOf(lastSeen(event), nowMs);
  const first = event.firstTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp;
  return count > 1 ? `${last} (x${count} over ${ageOf(first, nowMs)})` : last;
}

/** A label selector as the command line writes it. */
export function selectorText(selector: LabelSelector | undefined): string {
  const expressions = (selector?.matchExpressions ?? []).map(({ key, operator, values }) =>
    operator === 'Exists'
      ? key
      : operator === 'DoesNotExist'
        ? `!${key}`
        : `${key} ${operator} (${(values ?? []).join(',')})`,
  );
  return [...pairs(selector?.matchLabels), ...expressions].join(',') || '<none>';
}
