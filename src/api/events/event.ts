import type { Infer } from '../schema.ts';
import { int32, kind, message, microTime, object, string, time } from '../schema.ts';
import { EventSource } from '../core/event.ts';
import { ObjectReference } from '../core/references.ts';
import { metadata, typeMeta } from '../meta/object-meta.ts';

export const EventSeries = message('events.v1.EventSeries', {
  count: int32(1, { required: true }),
  lastObservedTime: microTime(2, { required: true }),
});
export type EventSeries = Infer<typeof EventSeries>;

export const EventMessage = message('events.v1.Event', {
  ...typeMeta,
  metadata,
  eventTime: microTime(2, { required: true }),
  series: object(3, EventSeries),
  reportingController: string(4),
  reportingInstance: string(5),
  action: string(6),
  reason: string(7),
  regarding: object(8, ObjectReference, { pointer: false }),
  related: object(9, ObjectReference),
  note: string(10),
  type: string(11),
  deprecatedSource: object(12, EventSource, { pointer: false }),
  deprecatedFirstTimestamp: time(13),
  deprecatedLastTimestamp: time(14),
  deprecatedCount: int32(15),
});
export type Event = Infer<typeof EventMessage>;

export const Event = kind(EventMessage, {
  group: 'events.k8s.io',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  namespaced: true,
  shortNames: ['ev'],
  createOnUpdate: true,
  storedAs: { group: '', version: 'v1', kind: 'Event' },
});
