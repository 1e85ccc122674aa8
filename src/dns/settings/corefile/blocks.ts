import { SettingsError } from '../settings-error.ts';
import type { Token } from './tokens.ts';

/** A line of a Corefile: its words, and the lines in braces after it. */
export interface Directive {
  readonly name: Token;
  readonly args: readonly Token[];
  readonly block: readonly Directive[];
}

/** A server block: what stands before its brace, and its directives. */
export interface Block {
  readonly keys: readonly Token[];
  readonly directives: readonly Directive[];
}

/** Finds what `import NAME` stands for when it is no snippet: the words of a file. */
export type ReadImport = (name: string, from: Token) => readonly Token[];

/** Puts the words of a Corefile together. Throws SettingsError where a brace is missing or an import leads nowhere. */
export function blocksOf(tokens: readonly Token[], readImport: ReadImport): Block[] {
  const snippets = new Map<string, readonly Token[]>();
  const blocks: Block[] = [];
  const reader = new Reader(tokens, snippets, readImport);
  for (let keys = reader.keys(); keys !== undefined; keys = reader.keys()) {
    const snippet = /^\((.+)\)$/.exec(keys[0]?.text ?? '')?.[1];
    if (snippet === undefined) blocks.push({ keys, directives: reader.directives() });
    else snippets.set(snippet, reader.rawBlock());
  }
  return blocks;
}

/** Blocks in blocks: CoreDNS has none deeper than three. */
const deepestBlock = 16;

/** Words that imports may stand for, all together: snippets that import others twice each would grow without end. */
const mostImported = 100_000;

/** Words that are being read, and what they were imported by; undefined for the file itself. */
interface Source {
  readonly name: string | undefined;
  readonly words: readonly Token[];
  at: number;
}

class Reader {
  /** The file, and in it the imports that are open, the innermost last. */
  readonly #sources: Source[];
  #taken: Token | undefined;
  #imported = 0;
  #depth = 0;
  readonly #snippets: ReadonlyMap<string, readonly Token[]>;
  readonly #readImport: ReadImport;

  constructor(tokens: readonly Token[], snippets: ReadonlyMap<string, readonly Token[]>, readImport: ReadImport) {
    this.#sources = [{ name: undefined, words: tokens, at: 0 }];
    this.#snippets = snippets;
    this.#readImport = readImport;
  }

  /** The words up to an opening brace, which is taken too; undefined at the end. */
  keys(): Token[] | undefined {
    const keys: Token[] = [];
    for (;;) {
      const token = this.#take();
      if (token === undefined) {
        const [first] = keys;
        if (first === undefined) return undefined;
        throw new SettingsError(first.file, first.line, `"${first.text}" has no block: an opening brace is missing`);
      }
      if (isBrace(token, '{')) return keys;
      if (token.text === 'import' && keys.length === 0) this.#import(token);
      else keys.push(...token.text.split(',').flatMap((text) => (text === '' ? [] : [{ ...token, text }])));
    }
  }

  /** The directives up to the closing brace of the block, which is taken too. */
  directives(): Directive[] {
    const directives: Directive[] = [];
    const opened = this.#last();
    for (;;) {
      const name = this.#take();
      if (name === undefined) throw new SettingsError(opened.file, opened.line, 'a block is opened and never closed');
      if (isBrace(name, '}')) return directives;
      if (name.text === 'import') this.#import(name);
      else directives.push(this.#directive(name));
    }
  }

  /** The words of a block as they are. */
  rawBlock(): Token[] {
    const words: Token[] = [];
    const opened = this.#last();
    for (let depth = 1; ;) {
      const token = this.#take();
      if (token === undefined)
        throw new SettingsError(opened.file, opened.line, 'a snippet is opened and never closed');
      if (isBrace(token, '{')) depth += 1;
      if (isBrace(token, '}')) depth -= 1;
      if (depth === 0) return words;
      words.push(token);
    }
  }

  /** The rest of the line, and the block when the line ends with a brace. The end of an import ends a line too. */
  #directive(name: Token): Directive {
    const args: Token[] = [];
    const source = this.#source();
    for (let next = source.words[source.at]; next && isSameLine(next, name); next = source.words[source.at]) {
      this.#take();
      if (isBrace(next, '{')) return { name, args, block: this.#inner(next) };
      args.push(next);
    }
    return { name, args, block: [] };
  }

  #inner(brace: Token): Directive[] {
    if (this.#depth >= deepestBlock)
      throw new SettingsError(brace.file, brace.line, 'blocks are too deep in each other');
    this.#depth += 1;
    const directives = this.directives();
    this.#depth -= 1;
    return directives;
  }

  /** Puts the words of a snippet or file in the place of an import. */
  #import(at: Token): void {
    const name = this.#take();
    if (name === undefined || !isSameLine(name, at)) throw new SettingsError(at.file, at.line, 'import needs a name');
    // A source that is read to its end stays until the next word: it is what this import stands in.
    if (this.#sources.some((open) => open.name === name.text))
      throw new SettingsError(at.file, at.line, `imports lead in a circle: "${name.text}" imports itself`);
    const words = this.#snippets.get(name.text) ?? this.#readImport(name.text, name);
    this.#imported += words.length + 1;
    if (this.#imported > mostImported)
      throw new SettingsError(at.file, at.line, `imports stand for more than ${mostImported} words`);
    this.#sources.push({ name: name.text, words, at: 0 });
  }

  /** The innermost. */
  #source(): Source {
    const source = this.#sources.at(-1);
    if (source === undefined) throw new RangeError('the file itself is always open');
    return source;
  }

  #take(): Token | undefined {
    while (this.#sources.length > 1 && this.#source().at >= this.#source().words.length) this.#sources.pop();
    const source = this.#source();
    const token = source.words[source.at];
    source.at += 1;
    this.#taken = token ?? this.#taken;
    return token;
  }

  #last(): Token {
    if (this.#taken === undefined) throw new RangeError('nothing was read yet');
    return this.#taken;
  }
}

function isSameLine(a: Token, b: Token): boolean {
  return a.line === b.line && a.file === b.file;
}

function isBrace(token: Token, brace: '{' | '}'): boolean {
  return token.text === brace && !token.isQuoted;
}
