import type { Random } from './random.ts';

/** Numbers at which lengths and counts go wrong. */
const edges = [0, 1, 2, 3, 4, 7, 8, 15, 16, 63, 64, 127, 128, 191, 192, 255];
const wideEdges = [0, 1, 2, 11, 12, 255, 256, 511, 512, 1232, 0x3fff, 0x7fff, 0x8000, 0xc000, 0xc00c, 0xfffe, 0xffff];

type Mutation = (random: Random, input: Buffer, other: Buffer) => Buffer;

/** Changes of bytes that fit any format: a few bytes, a piece too much, a piece gone, a piece of another. */
const mutations: readonly Mutation[] = [flip, setByte, setWord, setWord, insert, remove, duplicate, truncate, splice];

/** One of them. */
export function mutateBytes(random: Random, input: Buffer, other: Buffer): Buffer {
  return input.length === 0 ? random.bytes(1 + random.below(16)) : random.pick(mutations)(random, input, other);
}

function flip(random: Random, input: Buffer): Buffer {
  const copy = Buffer.from(input);
  const at = random.below(copy.length);
  copy[at] = (copy[at] ?? 0) ^ (1 << random.below(8));
  return copy;
}

function setByte(random: Random, input: Buffer): Buffer {
  const copy = Buffer.from(input);
  copy[random.below(copy.length)] = random.oneIn(2) ? random.pick(edges) : random.next();
  return copy;
}

function setWord(random: Random, input: Buffer): Buffer {
  if (input.length < 2) return flip(random, input);
  const copy = Buffer.from(input);
  const at = random.below(copy.length - 1);
  const value = random.oneIn(2) ? random.pick(wideEdges) : copy.readUInt16BE(at) + random.below(5) - 2;
  copy.writeUInt16BE(value & 0xffff, at);
  return copy;
}

function insert(random: Random, input: Buffer): Buffer {
  const at = random.below(input.length + 1);
  const piece = random.oneIn(2) ? random.bytes(1 + random.below(8)) : Buffer.alloc(1 + random.below(8));
  return Buffer.concat([input.subarray(0, at), piece, input.subarray(at)]);
}

function remove(random: Random, input: Buffer): Buffer {
  const at = random.below(input.length);
  return Buffer.concat([input.subarray(0, at), input.subarray(at + 1 + random.below(8))]);
}

function duplicate(random: Random, input: Buffer): Buffer {
  const at = random.below(input.length);
  const end = at + 1 + random.below(Math.min(64, input.length - at));
  const times = random.oneIn(32) ? 200 : 1;
  return Buffer.concat([
    input.subarray(0, end),
    ...Array<Buffer>(times).fill(input.subarray(at, end)),
    input.subarray(end),
  ]);
}

function truncate(random: Random, input: Buffer): Buffer {
  return Buffer.from(input.subarray(0, random.below(input.length)));
}

function splice(random: Random, input: Buffer, other: Buffer): Buffer {
  const at = random.below(input.length);
  return Buffer.concat([input.subarray(0, at), other.subarray(random.oneIn(2) ? at : random.below(other.length + 1))]);
}
