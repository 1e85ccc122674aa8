import type { Random } from './random.ts';

/** Something that reads what others wrote, and what must hold whatever it reads. */
export interface Target {
  readonly name: string;
  /** How inputs are kept in the corpus: bytes as hex, text as a JSON string. */
  readonly form: 'bytes' | 'text';
  /** A valid input, or one that nearly is. */
  generate(random: Random): Buffer;
  /** Damages the structure of an input; `other` is one to take pieces from. Neither is changed. */
  mutate(random: Random, input: Buffer, other: Buffer): Buffer;
  /**
   * Gives an input to what is tested. Throws when something does not hold; else says in a word or two what became of it: the
   * fuzzer keeps an input of each kind to build others from. There must not be many thousand kinds.
   */
  check(input: Buffer): string | Promise<string>;
}

/** A target whose inputs are text. */
export function textTarget(target: {
  readonly name: string;
  generate(random: Random): string;
  mutate(random: Random, text: string, other: string): string;
  check(text: string): string | Promise<string>;
}): Target {
  return {
    name: target.name,
    form: 'text',
    generate: (random) => Buffer.from(target.generate(random), 'utf8'),
    mutate: (random, input, other) =>
      Buffer.from(target.mutate(random, input.toString('utf8'), other.toString('utf8')), 'utf8'),
    check: (input) => target.check(input.toString('utf8')),
  };
}

/** An error's words without what came from the input: a kind of outcome. */
export function kindOfMessage(message: string): string {
  return message
    .replaceAll(/"[^]*"/g, '""')
    .replaceAll(/\d+/g, '#')
    .slice(0, 80);
}
