/** Compares two keys: negative, zero or positive. */
export type Compare = (left: string, right: string) => number;

const surrogate = /[\uD800-\uDFFF]/;

/** Whether a key has characters beyond U+FFFF, which JavaScript orders differently from UTF-8. */
export function hasSurrogates(key: string): boolean {
  return surrogate.test(key);
}

/** The order of JavaScript's strings: that of their UTF-8 bytes as long as neither has surrogates. */
export function compareUnits(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/** The order of the keys' UTF-8 bytes, whatever is in them: surrogates (0xD800-0xDFFF) sort after all other units. */
export function compareBytes(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const difference = rank(left.charCodeAt(index)) - rank(right.charCodeAt(index));
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

function rank(unit: number): number {
  const isSurrogate = unit >= 0xd800 && unit <= 0xdfff;
  return isSurrogate ? unit + 0x10000 : unit;
}
