import { isDeepStrictEqual } from 'node:util';
import { Issues } from '../issues.ts';
import { dataKey } from '../names.ts';
import type { Checked } from '../schema.ts';

/** Rules that ConfigMaps and Secrets share. */

const limitBytes = 1024 * 1024;

interface DataHolder {
  readonly data?: Readonly<Record<string, string>>;
  readonly binaryData?: Readonly<Record<string, string>>;
  readonly immutable?: boolean;
}

/** How many entries some maps have together. */
export function countEntries(...maps: readonly (Readonly<Record<string, string>> | undefined)[]): number {
  return maps.reduce((sum, map) => sum + Object.keys(map ?? {}).length, 0);
}

/** Keys are fit to be file names, and all values together are at most 1 MiB. */
export function checkData({ data = {}, binaryData = {} }: DataHolder): Checked {
  const issues = new Issues();
  let total = 0;
  for (const [field, entries] of Object.entries({ data, binaryData })) {
    for (const [key, value] of Object.entries(entries)) {
      issues.invalidAll(`${field}[${key}]`, key, dataKey(key));
      total += value.length;
    }
  }
  for (const key of Object.keys(data)) {
    if (Object.hasOwn(binaryData, key)) issues.invalid(`data[${key}]`, key, 'duplicate of key present in binaryData');
  }
  if (total > limitBytes) issues.tooLong('', limitBytes);
  return issues.result();
}

/** An immutable holder stays as it is, and immutable. */
export function checkDataChange(now: DataHolder, old: DataHolder): Checked {
  const issues = new Issues();
  if (old.immutable !== true) return issues.result();
  const message = 'field is immutable when `immutable` is set';
  if (now.immutable !== true) issues.forbidden('immutable', message);
  if (!isDeepStrictEqual(now.data, old.data)) issues.forbidden('data', message);
  if (!isDeepStrictEqual(now.binaryData, old.binaryData)) issues.forbidden('binaryData', message);
  return issues.result();
}
