import { SettingsError } from '../settings-error.ts';
import type { Word } from '../values.ts';

/** One word of a Corefile. */
export interface Token extends Word {
  /** In quotes: never a brace of the syntax. */
  readonly isQuoted: boolean;
}

/**
 * Splits a Corefile into words by the rules of the Caddyfile: white space ends a word, `#` at the start of one begins a
 * comment, double quotes hold anything with `\"` for a quote, and `{$NAME}` or `{%NAME%}` stands for a variable of the
 * environment. Throws SettingsError for a quote without end.
 */
export function tokensOf(
  text: string,
  file: string,
  environment: Readonly<Record<string, string | undefined>>,
): Token[] {
  const tokens: Token[] = [];
  let line = 1;
  let at = 0;
  const isSpace = (char: string | undefined): boolean => char === undefined || /\s/.test(char);
  while (at < text.length) {
    const char = text[at];
    if (char === '\n') line += 1;
    if (isSpace(char)) at += 1;
    else if (char === '#') while (at < text.length && text[at] !== '\n') at += 1;
    else if (char === '"') {
      const quoted = readQuoted(text, at + 1);
      if (quoted === undefined) throw new SettingsError(file, line, 'a quote is opened and never closed');
      tokens.push({ text: expand(quoted.text, environment), file, line, isQuoted: true });
      line += quoted.lines;
      at = quoted.end;
    } else {
      const start = at;
      while (!isSpace(text[at])) at += 1;
      tokens.push({ text: expand(text.slice(start, at), environment), file, line, isQuoted: false });
    }
  }
  return tokens;
}

function readQuoted(text: string, from: number): { text: string; end: number; lines: number } | undefined {
  let read = '';
  let lines = 0;
  for (let at = from; at < text.length; at += 1) {
    const char = text[at] ?? '';
    if (char === '"') return { text: read, end: at + 1, lines };
    if (char === '\n') lines += 1;
    const isEscape = char === '\\' && text[at + 1] === '"';
    read += isEscape ? '"' : char;
    if (isEscape) at += 1;
  }
  return undefined;
}

function expand(word: string, environment: Readonly<Record<string, string | undefined>>): string {
  return word.replaceAll(/\{\$(\w+)\}|\{%(\w+)%\}/g, (_, unix, windows) => environment[unix ?? windows] ?? '');
}
