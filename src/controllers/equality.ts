import { isDeepStrictEqual } from 'node:util';

/** Do both say the same in JSON: key order and undefined fields aside? Compared before every write. */
export function sameJson(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(asJson(a), asJson(b));
}

function asJson(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}
