import type { Kind } from '../../api/schema.ts';
import { encodeStored, Item, presented } from './item.ts';

/** What a list says about itself besides its items. */
export interface ListMeta {
  readonly resourceVersion: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
}

/**
 * The shape in which a client wants objects: whole, as `PartialObjectMetadata`, or as rows of a `Table`. Two forms with
 * the same `id` encode the same, so an event is encoded once per id for all its watchers.
 */
export interface Form {
  readonly id: string;
  /** `Content-Type` of the answer. */
  readonly mediaType: string;
  /** One object, for get and for answers to writes. */
  one(item: Item): Buffer;
  /** One object in a watch event; `isFirst` in its stream (only the first Table carries column definitions). */
  event(item: Item, isFirst: boolean): Buffer;
  list(items: readonly Item[], meta: ListMeta): Buffer;
  /** The object of a BOOKMARK. */
  bookmark(revision: number, annotations: Readonly<Record<string, string>> | undefined): Buffer;
}

const comma = Buffer.from(',');

/** Objects as they are stored. */
export function plainForm(kind: { readonly kind: string; readonly apiVersion: string }): Form {
  return {
    id: 'object',
    mediaType: 'application/json',
    one: (item) => item.bytes(),
    event: (item) => item.bytes(),
    list: (items, meta) =>
      joinList(
        { kind: `${kind.kind}List`, apiVersion: kind.apiVersion },
        meta,
        items.map((item) => item.parts()),
      ),
    bookmark: (revision, annotations) => encodeBookmark(kind, revision, annotations),
  };
}

/** A list from the encoded parts of its items. */
export function joinList(
  head: { readonly kind: string; readonly apiVersion: string },
  metadata: ListMeta,
  items: readonly (readonly Uint8Array[])[],
): Buffer {
  const open = JSON.stringify({ ...head, metadata }).slice(0, -1);
  const chunks: Uint8Array[] = [Buffer.from(`${open},"items":[`)];
  for (const [index, parts] of items.entries()) {
    if (index > 0) chunks.push(comma);
    chunks.push(...parts);
  }
  chunks.push(Buffer.from(']}'));
  return Buffer.concat(chunks);
}

/** An object of the kind that says nothing but how far the stream has come. */
export function encodeBookmark(
  kind: { readonly kind: string; readonly apiVersion: string },
  revision: number,
  annotations: Readonly<Record<string, string>> | undefined,
): Buffer {
  const metadata = { resourceVersion: `${revision}`, creationTimestamp: null, annotations };
  return Buffer.from(JSON.stringify({ kind: kind.kind, apiVersion: kind.apiVersion, metadata }));
}

/** The form for a kind that is stored as another one: objects are converted on their way out. */
export function convertingForm(kind: Pick<Kind, 'apiVersion' | 'fromStored'>, form: Form): Form {
  if (kind.fromStored === undefined) return form;
  const convert = (item: Item) => new Item(item.key, encodeStored(presented(kind, item.object)), item.revision);
  return {
    ...form,
    id: `${kind.apiVersion} ${form.id}`,
    one: (item) => form.one(convert(item)),
    event: (item, isFirst) => form.event(convert(item), isFirst),
    list: (items, meta) => form.list(items.map(convert), meta),
  };
}
