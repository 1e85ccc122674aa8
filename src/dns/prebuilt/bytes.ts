/** Numbers of 16 and 32 bits in network order, without a view of the bytes. */

export function word16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

export function setWord16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

export function word32(bytes: Uint8Array, at: number): number {
  return ((word16(bytes, at) << 16) | word16(bytes, at + 2)) >>> 0;
}

export function setWord32(bytes: Uint8Array, at: number, value: number): void {
  setWord16(bytes, at, value >>> 16);
  setWord16(bytes, at + 2, value & 0xffff);
}

/** A few dozen bytes: a loop is faster than making views for `set`. */
export function copy(from: Uint8Array, at: number, to: Uint8Array, toAt: number, length: number): void {
  for (let index = 0; index < length; index += 1) to[toAt + index] = from[at + index] ?? 0;
}
