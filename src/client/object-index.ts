/** A lookup from index keys to objects, told of every change. */
export interface MutableIndex<T> {
  /** The object under `objectKey` went from `old` to `current`; undefined means absent. */
  change(objectKey: string, old: T | undefined, current: T | undefined): void;
  readonly get: (indexKey: string) => readonly T[];
}

/** An empty index; `keysOf` must be pure. */
export function createIndex<T>(keysOf: (object: T) => readonly string[]): MutableIndex<T> {
  const entries = new Map<string, Map<string, T>>();

  function drop(indexKey: string, objectKey: string): void {
    const entry = entries.get(indexKey);
    entry?.delete(objectKey);
    if (entry?.size === 0) entries.delete(indexKey);
  }

  function add(indexKey: string, objectKey: string, object: T): void {
    const entry = entries.get(indexKey);
    if (entry === undefined) entries.set(indexKey, new Map([[objectKey, object]]));
    else entry.set(objectKey, object);
  }

  return {
    change(objectKey, old, current) {
      const next = current === undefined ? [] : keysOf(current);
      for (const key of old === undefined ? [] : keysOf(old)) if (!next.includes(key)) drop(key, objectKey);
      if (current !== undefined) for (const key of next) add(key, objectKey, current);
    },
    get: (indexKey) => [...(entries.get(indexKey)?.values() ?? [])],
  };
}
