import { UsageError } from '../command-error.ts';

/**
 * Reads the value of a simple JSONPath (`.metadata.name`, `{.spec.ports[0].port}`, `.metadata.labels['app']`) from an
 * object. Throws `UsageError` for anything more than names and indexes.
 */
export function fieldReader(path: string): (object: unknown) => unknown {
  const inner = path.replace(/^\{(.*)\}$/s, '$1');
  const steps = [...inner.matchAll(/\.?([A-Za-z_][\w-]*)|\[(\d+)\]|\['([^']+)'\]/g)];
  if (steps.length === 0 || steps.map(([text]) => text).join('') !== inner) {
    throw new UsageError(`"${path}" is not a field path such as .metadata.name or .spec.ports[0].port`);
  }
  const keys = steps.map(([, name, index, quoted]) => name ?? index ?? quoted ?? '');
  return (object) => keys.reduce(readKey, object);
}

function readKey(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.entries(value).find(([name]) => name === key)?.[1];
}

/** Orders field values: numbers by size, everything else as text, absent ones first. */
export function compareValues(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined);
  return String(a).localeCompare(String(b), 'en', { numeric: true });
}
