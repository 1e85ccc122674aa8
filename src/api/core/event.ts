import type { Infer } from '../schema.ts';
import { int32, kind, message, microTime, object, string, time } from '../schema.ts';
import { ObjectReference } from './references.ts';
import { metadata, typeMeta } from '../meta/object-meta.ts';

export const EventSource = message('core.v1.EventSource', {
  component: string(1),
  host: string(2),
});
export type EventSource = Infer<typeof EventSource>;

export const EventSeries = message('core.v1.EventSeries', {
  count: int32(1),
  lastObservedTime: microTime(2),
});
export type EventSeries = Infer<typeof EventSeries>;

export const EventMessage = message('core.v1.Event', {
  ...typeMeta,
  metadata,
  involvedObject: object(2, ObjectReference, { required: true, pointer: false }),
  reason: string(3),
  message: string(4),
  source: object(5, EventSource, { pointer: false }),
  firstTimestamp: time(6),
  lastTimestamp: time(7),
  count: int32(8),
  type: string(9),
  eventTime: microTime(10),
  series: object(11, EventSeries),
  action: string(12),
  related: object(13, ObjectReference),
  reportingComponent: string(14),
  reportingInstance: string(15),
});
export type Event = Infer<typeof EventMessage>;

export const Event = kind(EventMessage, {
  group: '',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  namespaced: true,
  shortNames: ['ev'],
  createOnUpdate: true,
});
