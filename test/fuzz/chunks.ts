import type { Random } from './random.ts';

/**
 * A stream that arrives in pieces, as one input: the number of cuts, one byte; each cut as two bytes, an offset in what
 * follows, in any order; then the stream.
 */
export interface Chunks {
  readonly chunks: readonly Buffer[];
  readonly whole: Buffer;
}

const mostCuts = 24;

/** Puts cuts at random places before a stream: some next to each other, some of nothing. */
export function withCuts(random: Random, stream: Buffer): Buffer {
  const count = random.below(random.oneIn(4) ? mostCuts : 4);
  const head = Buffer.alloc(1 + 2 * count);
  head[0] = count;
  const first = random.below(stream.length + 1);
  for (let cut = 0; cut < count; cut += 1) {
    const at = random.oneIn(2) ? first + cut : random.below(stream.length + 1);
    head.writeUInt16BE(Math.min(at, 0xffff), 1 + 2 * cut);
  }
  return Buffer.concat([head, stream]);
}

export function chunksOf(input: Buffer): Chunks {
  const count = Math.min((input[0] ?? 0) % (mostCuts + 1), (input.length - 1) >> 1);
  const whole = input.subarray(1 + 2 * Math.max(count, 0));
  const cuts: number[] = [];
  for (let cut = 0; cut < count; cut += 1) cuts.push(input.readUInt16BE(1 + 2 * cut) % (whole.length + 1));
  cuts.sort((a, b) => a - b);
  const chunks = [0, ...cuts].map((start, index) => whole.subarray(start, cuts[index] ?? whole.length));
  return { chunks, whole };
}
