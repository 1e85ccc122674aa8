import type { Container } from '../../api/core/pod/container.ts';
import { expandReferences } from './expand.ts';

/** The program and arguments of a container; `error` when it does not say what to run. */
export type Command = { readonly argv: readonly [string, ...string[]] } | { readonly error: string };

/**
 * What a container runs: `command` and `args`, with `$(NAME)` replaced. Images are not pulled, so there is no entry
 * point to fall back on: without `command`, `args` alone are the command, and a container with neither cannot run.
 */
export function containerCommand(container: Container, env: ReadonlyMap<string, string>): Command {
  const words = [...(container.command ?? []), ...(container.args ?? [])].map((word) => expandReferences(word, env));
  const [program, ...rest] = words;
  if (program === undefined || program === '') {
    const image = container.image ?? '';
    return {
      error: `no command specified: image "${image}" is recorded but not pulled, so its entry point is unknown; set command in the container`,
    };
  }
  return { argv: [program, ...rest] };
}
