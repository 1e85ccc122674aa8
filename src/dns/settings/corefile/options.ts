import { wrong } from '../values.ts';
import type { Directive } from './blocks.ts';
import type { Token } from './tokens.ts';

/** The one argument of a directive. */
export function onlyArgument({ name, args }: Directive): Token {
  const [only, more] = args;
  if (only === undefined || more !== undefined) throw wrong(name, `${name.text} takes one value`);
  return only;
}

/** The options of a directive's block, each handled by the reader of its name. */
export function readOptions(
  directive: Directive,
  readers: Readonly<Record<string, (option: Directive) => void>>,
): void {
  for (const option of directive.block) {
    const read = Object.hasOwn(readers, option.name.text) ? readers[option.name.text] : undefined;
    if (read === undefined) {
      const known = Object.keys(readers).join(', ') || 'none';
      throw wrong(
        option.name,
        `${directive.name.text}: the option "${option.name.text}" is not supported (supported: ${known})`,
      );
    }
    read(option);
  }
}
