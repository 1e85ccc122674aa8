import { CoreStore, type StoreOptions } from './core-store.ts';
import type { Store } from './store.ts';

/** A store that keeps nothing: for tests, and for trying things out. */
export function createMemoryStore(options: StoreOptions = {}): Store {
  const persistence = { write: async (): Promise<void> => {}, close: (): void => {} };
  return new CoreStore(persistence, { revision: 1, compactedRevision: 0, entries: [], events: [] }, options);
}
