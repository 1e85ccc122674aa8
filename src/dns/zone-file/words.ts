import { SettingsError } from '../settings/settings-error.ts';

/** One word of a zone file. */
export interface Word {
  /** Latin1 text, one character a byte; escapes are still in it when it was not in quotes. */
  readonly text: string;
  readonly isQuoted: boolean;
}

/** A record or directive: the words of one line, or of several held together by parentheses. */
export interface Entry {
  readonly words: readonly Word[];
  /** The line began with white space: the owner is that of the record before. */
  readonly hasNoOwner: boolean;
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

/** Splits a zone file into entries (RFC 1035 5.1). Throws SettingsError for quotes and parentheses without their other half. */
export function* entriesOf(text: string, file: string): Generator<Entry> {
  const bytes = Buffer.from(text, 'utf8').toString('latin1');
  let line = 1;
  let at = 0;
  while (at < bytes.length) {
    const started = line;
    const read = readEntry(bytes, at, file, line);
    if (read.words.length > 0)
      yield { words: read.words, hasNoOwner: /[ \t]/.test(bytes[at] ?? ''), file, line: started };
    at = read.end;
    line = read.line;
  }
}

interface ReadEntry {
  readonly words: Word[];
  readonly end: number;
  readonly line: number;
}

function readEntry(text: string, start: number, file: string, firstLine: number): ReadEntry {
  const words: Word[] = [];
  let line = firstLine;
  let depth = 0;
  let at = start;
  for (;;) {
    const char = text[at];
    if (char === undefined) {
      if (depth > 0) throw new SettingsError(file, firstLine, 'a parenthesis is opened and never closed');
      return { words, end: at, line };
    }
    if (char === '\n') {
      line += 1;
      if (depth === 0) return { words, end: at + 1, line };
    }
    if (char === ';') at = endOfComment(text, at);
    else if (char === '(') depth += 1;
    else if (char === ')') depth -= 1;
    else if (!isSpace(char)) {
      const word = char === '"' ? readQuoted(text, at + 1, file, line) : readPlain(text, at);
      words.push(word);
      at = word.end - 1;
    }
    if (depth < 0) throw new SettingsError(file, line, 'a parenthesis is closed and was never opened');
    if (char !== ';') at += 1;
  }
}

/** Of ASCII: the bytes of other characters are not white space, whatever they are in Latin 1. */
function isSpace(char: string): boolean {
  return /[ \t\r\n\f\v]/.test(char);
}

function endOfComment(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end;
}

function readPlain(text: string, start: number): Word & { readonly end: number } {
  let at = start;
  while (at < text.length && !/[ \t\r\n\f\v;()"]/.test(text[at] ?? '')) at += text[at] === '\\' ? 2 : 1;
  return { text: text.slice(start, at), isQuoted: false, end: at };
}

function readQuoted(text: string, start: number, file: string, line: number): Word & { readonly end: number } {
  let at = start;
  while (text[at] !== '"') {
    if (at >= text.length || text[at] === '\n')
      throw new SettingsError(file, line, 'a quote is opened and never closed');
    at += text[at] === '\\' ? 2 : 1;
  }
  return { text: text.slice(start, at), isQuoted: true, end: at + 1 };
}

/** Takes `\X` and `\DDD` escapes away; undefined when one is malformed. */
export function unescape(text: string): string | undefined {
  let isWrong = false;
  const plain = text.replaceAll(/\\(\d{3}|[^\d]|.?)/gs, (_, escaped: string) => {
    if (/^\d{3}$/.test(escaped) && Number(escaped) < 256) return String.fromCharCode(Number(escaped));
    if (escaped.length === 1 && !/\d/.test(escaped)) return escaped;
    isWrong = true;
    return '';
  });
  return isWrong ? undefined : plain;
}
