import type { ApiObject } from '../../api/meta/object-meta.ts';
import type { Kind } from '../../api/schema.ts';
import { formatTime } from '../../api/times.ts';
import { sameJson } from '../../lib/json.ts';
import { trackUpdate } from '../apply/update.ts';

/** Who writes, through what, and when. */
export interface FieldWriter {
  readonly manager: string;
  readonly subresource: string | undefined;
  readonly nowMs: number;
}

/**
 * The object with `metadata.managedFields` after an ordinary write. A write that changes nothing but times changes nothing:
 * the old entries stay.
 */
export function withOwnedFields(
  kind: Kind,
  old: ApiObject | undefined,
  object: ApiObject,
  writer: FieldWriter,
): ApiObject {
  const { manager, subresource, nowMs } = writer;
  const tracked = trackUpdate(kind, old, object, { manager, time: formatTime(nowMs), subresource });
  const before = old?.metadata.managedFields ?? [];
  const managedFields = sameJson(withoutTimes(tracked), withoutTimes(before)) ? before : tracked;
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata: { ...metadata, ...(managedFields.length > 0 && { managedFields }) } };
}

function withoutTimes(entries: NonNullable<ApiObject['metadata']['managedFields']>): readonly unknown[] {
  return entries.map((entry) => ({ ...entry, time: undefined }));
}
