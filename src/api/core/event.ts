import { int32, kind, message, microTime, object, string, time } from '../declare.ts';
import { Issues } from '../issues.ts';
import { metadata, typeMeta } from '../meta/object-meta.ts';
import type { Checked, Infer } from '../schema.ts';
import { eventColumns } from './event-columns.ts';
import { ObjectReference } from './references.ts';

/** Events of the core group; the form in which all events are stored. */

export const EventSource = message(
  'core.v1.EventSource',
  {
    component: string(1),
    host: string(2),
  },
  { doc: 'Who reports an event.' },
);
export type EventSource = Infer<typeof EventSource>;

export const EventSeries = message(
  'core.v1.EventSeries',
  {
    count: int32(1),
    lastObservedTime: microTime(2),
  },
  { doc: 'How often an event happened, and when last.' },
);
export type EventSeries = Infer<typeof EventSeries>;

export const EventMessage = message(
  'core.v1.Event',
  {
    ...typeMeta,
    metadata,
    involvedObject: object(2, ObjectReference, {
      doc: 'What it is about.',
      required: true,
      present: true,
      pointer: false,
    }),
    reason: string(3, { doc: 'One word for programs: why.' }),
    message: string(4, { doc: 'A sentence for people.' }),
    source: object(5, EventSource, { doc: 'Who reports it; older form.', pointer: false }),
    firstTimestamp: time(6, { doc: 'When it happened first; older form.' }),
    lastTimestamp: time(7, { doc: 'When it happened last; older form.' }),
    count: int32(8, { doc: 'How often it happened; older form.' }),
    type: string(9, { doc: '`Normal` or `Warning`.' }),
    eventTime: microTime(10, { doc: 'When it happened first.' }),
    series: object(11, EventSeries, { doc: 'How often it happened since.' }),
    action: string(12, { doc: 'What was done.' }),
    related: object(13, ObjectReference, { doc: 'Another object that plays a part.' }),
    reportingComponent: string(14, { doc: 'Who reports it.' }),
    reportingInstance: string(15, { doc: 'Which instance reports it.' }),
  },
  { doc: 'Something that happened to an object. Goes away after a while.' },
);
export type Event = Infer<typeof EventMessage>;

/** An event lives beside what it is about; events about objects without namespace live in `default`. */
function validateEvent({ metadata, involvedObject }: Event): Checked {
  const issues = new Issues();
  const about = involvedObject.namespace ?? '';
  const home = metadata.namespace ?? '';
  if (about === '' ? home !== 'default' && home !== 'kube-system' : about !== home) {
    issues.invalid('involvedObject.namespace', about, 'does not match event.namespace');
  }
  return issues.result();
}

export const Event = kind(EventMessage, {
  group: '',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  namespaced: true,
  shortNames: ['ev'],
  createOnUpdate: true,
  columns: eventColumns,
  selectableFields: {
    'involvedObject.kind': (event) => event.involvedObject.kind ?? '',
    'involvedObject.namespace': (event) => event.involvedObject.namespace ?? '',
    'involvedObject.name': (event) => event.involvedObject.name ?? '',
    'involvedObject.uid': (event) => event.involvedObject.uid ?? '',
    'involvedObject.apiVersion': (event) => event.involvedObject.apiVersion ?? '',
    'involvedObject.resourceVersion': (event) => event.involvedObject.resourceVersion ?? '',
    'involvedObject.fieldPath': (event) => event.involvedObject.fieldPath ?? '',
    reason: (event) => event.reason ?? '',
    reportingComponent: (event) => event.reportingComponent ?? '',
    source: (event) => event.source?.component ?? event.reportingComponent ?? '',
    type: (event) => event.type ?? '',
  },
  validate: validateEvent,
});
