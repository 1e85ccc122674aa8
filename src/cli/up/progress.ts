import type { Output } from '../command.ts';
import type { Palette } from '../palette.ts';

/** Says which part is starting, and how long each took. */
export interface Progress {
  /** Runs a step and prints its line; the step's result becomes the text behind its name. */
  step<T>(name: string, task: () => Promise<T>, describe: (value: T) => string): Promise<T>;
}

/** Lines like `  ✓ API server   https://127.0.0.1:6443   120 ms`; a terminal shows the running step, too. */
export function createProgress(output: Output, colours: Palette, now: () => number): Progress {
  return {
    async step(name, task, describe) {
      const startedAt = now();
      const label = name.padEnd(14);
      if (output.isTTY === true) output.write(`  … ${label}\r`);
      try {
        const value = await task();
        const took = colours.dim(`${Math.round(now() - startedAt)} ms`);
        output.write(`  ${colours.green('✓')} ${label} ${describe(value)}   ${took}\n`);
        return value;
      } catch (error) {
        output.write(`  ${colours.red('✗')} ${label}\n`);
        throw error;
      }
    },
  };
}
