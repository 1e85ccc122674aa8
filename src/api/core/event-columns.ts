import { ageOf } from '../duration.ts';
import type { Column } from '../schema.ts';
import type { Event } from './event.ts';

function firstSeen({ firstTimestamp, eventTime }: Event): string | undefined {
  return firstTimestamp ?? eventTime;
}

function lastSeen(event: Event): string | undefined {
  return event.series?.lastObservedTime ?? event.lastTimestamp ?? firstSeen(event);
}

function formatObject({ involvedObject }: Event): string {
  const { kind = '', name = '' } = involvedObject;
  return name === '' ? kind.toLowerCase() : `${kind.toLowerCase()}/${name}`;
}

function formatSource({ source, reportingComponent = '', reportingInstance = '' }: Event): string {
  const component = source?.component ?? reportingComponent;
  const host = source?.host ?? (source?.component === undefined ? reportingInstance : '');
  return host === '' ? component : `${component}, ${host}`;
}

/** How `kubectl get events` shows an Event. */
export const eventColumns: readonly Column<Event>[] = [
  {
    name: 'Last Seen',
    type: 'string',
    doc: 'Time since it happened last.',
    cell: (event, now) => ageOf(lastSeen(event), now),
  },
  { name: 'Type', type: 'string', doc: 'Normal or Warning.', cell: (event) => event.type ?? '' },
  { name: 'Reason', type: 'string', doc: 'One word for programs.', cell: (event) => event.reason ?? '' },
  { name: 'Object', type: 'string', doc: 'What it is about.', cell: formatObject },
  {
    name: 'Subobject',
    type: 'string',
    priority: 1,
    doc: 'The part of the object.',
    cell: (event) => event.involvedObject.fieldPath ?? '',
  },
  { name: 'Source', type: 'string', priority: 1, doc: 'Who reports it.', cell: formatSource },
  { name: 'Message', type: 'string', doc: 'A sentence for people.', cell: (event) => (event.message ?? '').trim() },
  {
    name: 'First Seen',
    type: 'string',
    priority: 1,
    doc: 'Time since it happened first.',
    cell: (event, now) => ageOf(firstSeen(event), now),
  },
  {
    name: 'Count',
    type: 'string',
    priority: 1,
    doc: 'How often it happened.',
    cell: (event) => String(event.series?.count ?? event.count ?? 1),
  },
  { name: 'Name', type: 'string', priority: 1, format: 'name', cell: (event) => event.metadata.name ?? '' },
];
