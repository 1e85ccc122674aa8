/**
 * Keys are ordered as their UTF-8 bytes are. JavaScript compares UTF-16 units, which differs for characters beyond
 * U+FFFF: surrogates (0xD800-0xDFFF) have to sort after the rest of the basic plane.
 */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const left = a.charCodeAt(index);
    const right = b.charCodeAt(index);
    if (left !== right) return rank(left) - rank(right);
  }
  return a.length - b.length;
}

function rank(unit: number): number {
  const isSurrogate = unit >= 0xd800 && unit <= 0xdfff;
  return isSurrogate ? unit + 0x10000 : unit;
}
