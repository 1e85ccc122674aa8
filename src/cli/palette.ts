import { styleText } from 'node:util';
import type { CommandIo, Output } from './command.ts';

/** Text in a colour, or as it is when the output is no terminal. */
export interface Palette {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
}

/** Colours only on a terminal, and not when NO_COLOR (no-color.org) is set or the terminal is dumb. */
export function palette(output: Output, env: CommandIo['env']): Palette {
  const coloured = output.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
  const paint = (style: 'bold' | 'dim' | 'red' | 'green' | 'yellow') => (text: string) =>
    coloured ? styleText(style, text, { validateStream: false }) : text;
  return { bold: paint('bold'), dim: paint('dim'), red: paint('red'), green: paint('green'), yellow: paint('yellow') };
}
