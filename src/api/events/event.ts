import { eventColumns } from '../core/event-columns.ts';
import type { Event as CoreEvent } from '../core/event.ts';
import { EventSource } from '../core/event.ts';
import { ObjectReference } from '../core/references.ts';
import { int32, kind, message, microTime, object, string, time } from '../declare.ts';
import { Issues } from '../issues.ts';
import { metadata, typeMeta } from '../meta/object-meta.ts';
import { qualifiedName } from '../names.ts';
import { compact, omit } from '../objects.ts';
import type { Checked, Infer } from '../schema.ts';

/** Events of the `events.k8s.io` group: other names for what is stored as core events. */

export const EventSeries = message(
  'events.v1.EventSeries',
  {
    count: int32(1, { required: true }),
    lastObservedTime: microTime(2),
  },
  { doc: 'How often an event happened, and when last.' },
);
export type EventSeries = Infer<typeof EventSeries>;

export const EventMessage = message(
  'events.v1.Event',
  {
    ...typeMeta,
    metadata,
    eventTime: microTime(2, { doc: 'When it happened first.' }),
    series: object(3, EventSeries, { doc: 'How often it happened since.' }),
    reportingController: string(4, { doc: 'Who reports it.' }),
    reportingInstance: string(5, { doc: 'Which instance reports it.' }),
    action: string(6, { doc: 'What was done.' }),
    reason: string(7, { doc: 'One word for programs: why.' }),
    regarding: object(8, ObjectReference, { doc: 'What it is about.', pointer: false }),
    related: object(9, ObjectReference, { doc: 'Another object that plays a part.' }),
    note: string(10, { doc: 'A sentence for people.' }),
    type: string(11, { doc: '`Normal` or `Warning`.' }),
    deprecatedSource: object(12, EventSource, { doc: 'Who reports it; older form.', pointer: false }),
    deprecatedFirstTimestamp: time(13, { doc: 'When it happened first; older form.' }),
    deprecatedLastTimestamp: time(14, { doc: 'When it happened last; older form.' }),
    deprecatedCount: int32(15, { doc: 'How often it happened; older form.' }),
  },
  { doc: 'Something that happened to an object. Goes away after a while.' },
);
export type Event = Infer<typeof EventMessage>;

/** The same event in the form of the core group, which is the one that is stored. */
export function coreEventOf(event: Event): CoreEvent {
  const common = omit(
    event,
    'regarding',
    'note',
    'reportingController',
    'deprecatedSource',
    'deprecatedFirstTimestamp',
    'deprecatedLastTimestamp',
    'deprecatedCount',
  );
  return compact({
    ...common,
    kind: 'Event',
    apiVersion: 'v1',
    involvedObject: event.regarding ?? {},
    message: event.note,
    reportingComponent: event.reportingController,
    source: event.deprecatedSource,
    firstTimestamp: event.deprecatedFirstTimestamp,
    lastTimestamp: event.deprecatedLastTimestamp,
    count: event.deprecatedCount,
  });
}

/** A stored event in the form of the `events.k8s.io` group. */
export function eventOf(stored: CoreEvent): Event {
  const common = omit(
    stored,
    'involvedObject',
    'message',
    'reportingComponent',
    'source',
    'firstTimestamp',
    'lastTimestamp',
    'count',
    'series',
  );
  return compact({
    ...common,
    kind: 'Event',
    apiVersion: 'events.k8s.io/v1',
    regarding: stored.involvedObject,
    note: stored.message,
    reportingController: stored.reportingComponent,
    series: stored.series && { ...stored.series, count: stored.series.count ?? 0 },
    deprecatedSource: stored.source,
    deprecatedFirstTimestamp: stored.firstTimestamp,
    deprecatedLastTimestamp: stored.lastTimestamp,
    deprecatedCount: stored.count,
  });
}

const longestText = 128;
const longestNoteBytes = 1024;

function checkText(issues: Issues, field: string, value: string | undefined): void {
  if ((value ?? '') === '') issues.required(field);
  else if ((value ?? '').length > longestText) issues.tooLong(field, longestText);
}

function validateEvent(event: Event): Checked {
  const issues = new Issues();
  if ((event.eventTime ?? '') === '') issues.required('eventTime');
  const { reportingController = '', type } = event;
  if (reportingController === '') issues.required('reportingController');
  else issues.invalidAll('reportingController', reportingController, qualifiedName(reportingController));
  checkText(issues, 'reportingInstance', event.reportingInstance);
  checkText(issues, 'action', event.action);
  checkText(issues, 'reason', event.reason);
  if (type !== 'Normal' && type !== 'Warning') issues.invalid('type', type ?? '', 'must be Normal or Warning');
  if (Buffer.byteLength(event.note ?? '') > longestNoteBytes) issues.tooLong('note', longestNoteBytes);
  return issues.result();
}

export const Event = kind(EventMessage, {
  group: 'events.k8s.io',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  namespaced: true,
  shortNames: ['ev'],
  createOnUpdate: true,
  storedAs: { group: '', version: 'v1', kind: 'Event' },
  columns: eventColumns.map((column) => ({ ...column, cell: (event, now) => column.cell(coreEventOf(event), now) })),
  selectableFields: {
    'regarding.kind': (event) => event.regarding?.kind ?? '',
    'regarding.namespace': (event) => event.regarding?.namespace ?? '',
    'regarding.name': (event) => event.regarding?.name ?? '',
    'regarding.uid': (event) => event.regarding?.uid ?? '',
    'regarding.apiVersion': (event) => event.regarding?.apiVersion ?? '',
    'regarding.resourceVersion': (event) => event.regarding?.resourceVersion ?? '',
    'regarding.fieldPath': (event) => event.regarding?.fieldPath ?? '',
    reason: (event) => event.reason ?? '',
    reportingController: (event) => event.reportingController ?? '',
    type: (event) => event.type ?? '',
  },
  validate: validateEvent,
  toStored: coreEventOf,
  fromStored: (stored) => eventOf(stored as CoreEvent),
});
