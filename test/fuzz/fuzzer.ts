import { setImmediate } from 'node:timers/promises';
import { Random } from './random.ts';
import type { Target } from './target.ts';

export interface FuzzOptions {
  readonly seed: number;
  readonly inputs: number;
  /** Inputs to begin with, beside generated ones. */
  readonly corpus: readonly Buffer[];
  /** Told of each input before it is used. */
  readonly onInput?: (input: Buffer, count: number, kinds: number) => void;
}

export interface FuzzResult {
  /** The shortest input of every kind of outcome. */
  readonly kinds: ReadonlyMap<string, Buffer>;
  /** Milliseconds that the slowest input took. */
  readonly slowestMs: number;
}

/** What does not hold, with the input that shows it. */
export class FuzzFailure extends Error {
  readonly input: Buffer;

  constructor(target: Target, input: Buffer, options: { readonly seed?: number; readonly cause: unknown }) {
    const { cause, seed } = options;
    const what = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
    super(`${target.name}${seed === undefined ? '' : `, seed ${seed}`}: ${what}\ninput: ${input.toString('hex')}`, {
      cause,
    });
    this.name = 'FuzzFailure';
    this.input = Buffer.from(input);
  }
}

/** Longest input that mutations are applied to again: else they would only grow. */
const longest = 1024;
/** Most kinds of outcome that are remembered. */
const mostKinds = 4096;
const recentInputs = 64;
/** An input that takes this long, three times in a row, hangs. */
const limitMs = 250;

/**
 * Gives a target `inputs` inputs: new ones from its grammar, and damaged ones of each kind of outcome seen. The same seed and
 * corpus make the same inputs. Throws FuzzFailure for the first input for which something does not hold.
 */
export async function fuzz(target: Target, options: FuzzOptions): Promise<FuzzResult> {
  const { seed, inputs, corpus, onInput } = options;
  const random = new Random(seed);
  const pool = new Pool(corpus.length === 0 ? [target.generate(random)] : corpus);
  let slowestMs = 0;
  for (let count = 0; count < inputs; count += 1) {
    const input = nextInput(target, random, pool);
    onInput?.(input, count, pool.kinds.size);
    const startedMs = performance.now();
    try {
      const outcome = target.check(input);
      pool.add(typeof outcome === 'string' ? outcome : await outcome, input, random);
      // Only a turn of the event loop lets go of what weak references and abort signals hold.
      if (typeof outcome !== 'string' && count % 64 === 0) await setImmediate();
      const tookMs = performance.now() - startedMs;
      if (tookMs > limitMs) await checkTime(target, input);
      else if (tookMs > slowestMs) slowestMs = tookMs;
    } catch (cause) {
      throw new FuzzFailure(target, input, { seed, cause });
    }
  }
  return { kinds: pool.kinds, slowestMs };
}

/** Gives a target one input, as a corpus has them. Throws FuzzFailure. */
export async function replay(target: Target, input: Buffer): Promise<string> {
  try {
    return await target.check(input);
  } catch (cause) {
    throw new FuzzFailure(target, input, { cause });
  }
}

function nextInput(target: Target, random: Random, pool: Pool): Buffer {
  if (random.oneIn(4)) return target.generate(random);
  let input = pool.pick(random);
  for (let more = 1 + random.below(3); more > 0; more -= 1) {
    const mutated = target.mutate(random, input, pool.pick(random));
    if (mutated.length > longest && input.length > 0) return mutated;
    input = mutated;
  }
  return input;
}

/** The machine may have been busy with something else: only an input that is slow again is. */
async function checkTime(target: Target, input: Buffer): Promise<void> {
  for (let times = 0; times < 3; times += 1) {
    const before = process.threadCpuUsage();
    await target.check(input);
    const { user, system } = process.threadCpuUsage(before);
    if ((user + system) / 1000 < limitMs) return;
  }
  throw new Error(`takes longer than ${limitMs} ms`);
}

/** Inputs to build others from. */
class Pool {
  readonly kinds = new Map<string, Buffer>();
  readonly #recent: Buffer[];
  readonly #interesting: Buffer[] = [];
  /** Where the inputs of `kinds` are in `#interesting`. */
  readonly #places = new Map<string, number>();

  constructor(first: readonly Buffer[]) {
    this.#recent = [...first];
  }

  /** Keeps what is the first or shortest of its kind, and now and then anything. */
  add(kind: string, input: Buffer, random: Random): void {
    const known = this.kinds.get(kind);
    if (known === undefined ? this.kinds.size < mostKinds : input.length < known.length) {
      const place = this.#places.get(kind) ?? this.#interesting.length;
      this.#places.set(kind, place);
      const copy = own(input);
      this.#interesting[place] = copy;
      this.kinds.set(kind, copy);
    } else if (input.length <= longest && random.oneIn(16)) {
      if (this.#recent.length < recentInputs) this.#recent.push(own(input));
      else this.#recent[random.below(this.#recent.length)] = own(input);
    }
  }

  pick(random: Random): Buffer {
    const list = this.#interesting.length > 0 && random.oneIn(2) ? this.#interesting : this.#recent;
    return random.pick(list);
  }
}

/** A copy with memory of its own: a small buffer may be a view of a large one that it would hold. */
function own(input: Buffer): Buffer {
  const copy = Buffer.alloc(input.length);
  input.copy(copy);
  return copy;
}
