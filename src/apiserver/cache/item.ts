import type { ApiObject } from '../../api/meta/object-meta.ts';
import type { Kind } from '../../api/schema.ts';
import type { Entry } from '../../store/store.ts';

const metadataStart = Buffer.from('"metadata":{');
const nothing = new Uint8Array();

/**
 * One stored object as the watch cache holds it. The bytes are the store's own (not copied); the resource version, which
 * the stored form leaves out, is spliced in on the way out:
 *
 *     {"kind":"Pod","apiVersion":"v1","metadata":{ "resourceVersion":"812", "name":"a",…
 *     └──────────────── head ────────────────────┘└───── version ─────────┘└── tail …
 */
export class Item {
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  /** Shown as `metadata.resourceVersion`; for a deleted object the revision of its deletion; 0 (a dry run) is not shown. */
  readonly revision: number;
  readonly #value: Uint8Array;
  readonly #split: number;
  #parsed: WeakRef<ApiObject> | undefined;

  constructor(key: string, value: Uint8Array, revision: number) {
    const [name = '', namespace = ''] = key.split('/').toReversed();
    const parts = key.split('/').length;
    this.key = key;
    this.name = name;
    this.namespace = parts > 4 ? namespace : '';
    this.revision = revision;
    this.#value = value;
    const at = Buffer.from(value.buffer, value.byteOffset, value.byteLength).indexOf(metadataStart);
    if (at < 0) throw new Error(`stored value of ${key} has no metadata`);
    this.#split = at + metadataStart.length;
  }

  static of(entry: Entry): Item {
    return new Item(entry.key, entry.value, entry.modRevision);
  }

  /** The same object at another revision: a deletion shows the last state at the revision of the delete. */
  at(revision: number): Item {
    return new Item(this.key, this.#value, revision);
  }

  /** The three parts of the JSON form, in order. Concatenate them once, together with what surrounds them. */
  parts(): readonly Uint8Array[] {
    const version = this.revision === 0 ? nothing : Buffer.from(`"resourceVersion":"${this.revision}",`, 'latin1');
    return [this.#value.subarray(0, this.#split), version, this.#value.subarray(this.#split)];
  }

  /** The JSON form with its resource version. */
  bytes(): Buffer {
    return Buffer.concat(this.parts());
  }

  /** The object, parsed when first asked for and shared until memory is short. Never change it. */
  get object(): ApiObject {
    const shared = this.#parsed?.deref();
    if (shared !== undefined) return shared;
    const parsed = parseObject(this.bytes());
    this.#parsed = new WeakRef(parsed);
    return parsed;
  }
}

function parseObject(bytes: Buffer): ApiObject {
  return JSON.parse(bytes.toString('utf8')) as ApiObject;
}

/** The stored form: JSON that starts with kind, apiVersion and metadata, without the resource version. */
export function encodeStored(object: ApiObject): Buffer {
  const { kind, apiVersion, metadata, ...rest } = object;
  const { resourceVersion: _, ...stored } = metadata;
  return Buffer.from(JSON.stringify({ kind, apiVersion, metadata: stored, ...rest }));
}

/** The object as its kind. Everything stored under a kind's key was decoded as that kind. */
export function objectAs<T extends ApiObject>(kind: Kind<T>, item: Pick<Item, 'key' | 'object'>): T {
  const object = item.object;
  if (object.kind !== kind.kind) throw new Error(`${item.key} is a ${object.kind}, not a ${kind.kind}`);
  return object as T;
}

/** The form in which clients of `kind` see a stored object; the stored one unless the kind is kept as another. */
export function presented(kind: Pick<Kind, 'fromStored'>, stored: ApiObject): ApiObject {
  return kind.fromStored?.(stored) ?? stored;
}

/** The form in which an object of `kind` is kept. */
export function kept(kind: Pick<Kind, 'toStored'>, object: ApiObject): ApiObject {
  return kind.toStored?.(object) ?? object;
}
