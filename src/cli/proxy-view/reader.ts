import type { Connection } from '../connection.ts';
import { listObjects, readObject } from '../objects/read.ts';
import { findResourceType, loadResourceTypes } from '../objects/resource-types.ts';
import type { AnyObject } from '../objects/rest.ts';

/** Reads objects of the cluster. */
export interface Reader {
  get<T extends AnyObject>(word: string, name: string, namespace: string): Promise<T>;
  /** Of every namespace. */
  list<T extends AnyObject>(word: string): Promise<readonly T[]>;
}

export async function readerOf({ transport }: Connection, signal: AbortSignal): Promise<Reader> {
  const types = await loadResourceTypes(transport, signal);
  return {
    get: (word, name, namespace) => readObject(transport, findResourceType(types, word), name, namespace, signal),
    list: async <T extends AnyObject>(word: string) =>
      (await listObjects<T>(transport, { type: findResourceType(types, word), namespace: undefined }, signal)).items,
  };
}
