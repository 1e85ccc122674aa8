import { EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import { nameOf, namespaceOf } from '../api/meta/object-meta.ts';
import type { ApiObject } from '../api/meta/object-meta.ts';
import type { Kind } from '../api/schema.ts';
import type { Client } from '../client/client.ts';
import type { EventRecorder } from '../client/event-recorder.ts';
import { unlessGone } from './writes.ts';
import type { SliceChanges } from './slice-packing.ts';

/** Who writes slices, and for which object. */
export interface SliceWriter<T extends ApiObject> {
  readonly client: Client;
  readonly recorder: EventRecorder;
  readonly kind: Kind<T>;
  /** The Service or Endpoints behind the slices: gets the events. */
  readonly source: T;
}

/** Carries out the changes at once; rejects with the first failure after all are tried. */
export async function writeSlices<T extends ApiObject>(writer: SliceWriter<T>, changes: SliceChanges): Promise<void> {
  const { client, recorder, kind, source } = writer;
  const results = await Promise.allSettled([
    ...changes.create.map((slice) => client.create(EndpointSlice, slice)),
    ...changes.update.map((slice) => client.update(EndpointSlice, slice)),
    ...changes.delete.map((slice) => deleteSlice(client, slice)),
  ]);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed === undefined) return;
  const message = `Error updating Endpoint Slices for ${kind.kind} ${namespaceOf(source)}/${nameOf(source)}: ${failed.reason}`;
  recorder.record(kind, source, { type: 'Warning', reason: 'FailedToUpdateEndpointSlices', message });
  throw failed.reason;
}

function deleteSlice(client: Client, slice: EndpointSlice): Promise<void> {
  const { namespace, uid } = slice.metadata;
  return unlessGone(client.delete(EndpointSlice, nameOf(slice), { namespace, preconditions: { uid } }));
}
