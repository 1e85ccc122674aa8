/**
 * SipHash-2-4 with 64 bits (Aumasson and Bernstein): what server cookies are made with (RFC 9018 4.4). Words of 64 bits are
 * pairs of 32: [low, high].
 */
export function sipHash24(key: Uint8Array, message: Uint8Array): Uint8Array {
  const k = new DataView(key.buffer, key.byteOffset, 16);
  const [k0l, k0h, k1l, k1h] = [0, 4, 8, 12].map((at) => k.getUint32(at, true)) as [number, number, number, number];
  // "somepseudorandomlygeneratedbytes", as the algorithm has it.
  const v = Uint32Array.of(
    k0l ^ 0x70736575,
    k0h ^ 0x736f6d65,
    k1l ^ 0x6e646f6d,
    k1h ^ 0x646f7261,
    k0l ^ 0x6e657261,
    k0h ^ 0x6c796765,
    k1l ^ 0x79746573,
    k1h ^ 0x74656462,
  );
  const blocks = padded(message);
  for (let at = 0; at < blocks.byteLength; at += 8) {
    const low = blocks.getUint32(at, true);
    const high = blocks.getUint32(at + 4, true);
    xor(v, 6, low, high);
    round(v);
    round(v);
    xor(v, 0, low, high);
  }
  xor(v, 4, 0xff, 0);
  for (let count = 0; count < 4; count += 1) round(v);
  const hash = new DataView(new ArrayBuffer(8));
  hash.setUint32(0, at(v, 0) ^ at(v, 2) ^ at(v, 4) ^ at(v, 6), true);
  hash.setUint32(4, at(v, 1) ^ at(v, 3) ^ at(v, 5) ^ at(v, 7), true);
  return new Uint8Array(hash.buffer);
}

/** The message in whole blocks of 8 bytes; the last byte is its length. */
function padded(message: Uint8Array): DataView {
  const bytes = new Uint8Array((Math.floor(message.length / 8) + 1) * 8);
  bytes.set(message);
  bytes[bytes.length - 1] = message.length;
  return new DataView(bytes.buffer);
}

function at(v: Uint32Array, index: number): number {
  return v[index] ?? 0;
}

function xor(v: Uint32Array, index: number, low: number, high: number): void {
  v[index] = at(v, index) ^ low;
  v[index + 1] = at(v, index + 1) ^ high;
}

function add(v: Uint32Array, to: number, from: number): void {
  const low = at(v, to) + at(v, from);
  v[to] = low;
  v[to + 1] = at(v, to + 1) + at(v, from + 1) + (low > 0xffffffff ? 1 : 0);
}

/** Turns a word left by fewer than 32 bits. */
function turn(v: Uint32Array, index: number, bits: number): void {
  const low = at(v, index);
  const high = at(v, index + 1);
  v[index] = (low << bits) | (high >>> (32 - bits));
  v[index + 1] = (high << bits) | (low >>> (32 - bits));
}

function swap(v: Uint32Array, index: number): void {
  const low = at(v, index);
  v[index] = at(v, index + 1);
  v[index + 1] = low;
}

function mix(v: Uint32Array, a: number, b: number, bits: number): void {
  add(v, a, b);
  turn(v, b, bits);
  xor(v, b, at(v, a), at(v, a + 1));
}

function round(v: Uint32Array): void {
  mix(v, 0, 2, 13);
  swap(v, 0);
  mix(v, 4, 6, 16);
  mix(v, 0, 6, 21);
  mix(v, 4, 2, 17);
  swap(v, 4);
}
