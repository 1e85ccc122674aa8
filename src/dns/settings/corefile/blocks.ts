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

/** Imports may hold imports; a file that imports itself ends here. */
const deepestImport = 32;

class Reader {
  #tokens: readonly Token[];
  #at = 0;
  #imports = 0;
  #depth = 0;
  readonly #snippets: ReadonlyMap<string, readonly Token[]>;
  readonly #readImport: ReadImport;

  constructor(tokens: readonly Token[], snippets: ReadonlyMap<string, readonly Token[]>, readImport: ReadImport) {
    this.#tokens = tokens;
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

  /** The rest of the line, and the block when the line ends with a brace. */
  #directive(name: Token): Directive {
    const args: Token[] = [];
    for (
      let next = this.#tokens[this.#at];
      next !== undefined && isSameLine(next, name);
      next = this.#tokens[this.#at]
    ) {
      this.#at += 1;
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
    this.#imports += 1;
    if (this.#imports > deepestImport) throw new SettingsError(at.file, at.line, 'imports lead in a circle');
    const words = this.#snippets.get(name.text) ?? this.#readImport(name.text, name);
    this.#tokens = [...words, ...this.#tokens.slice(this.#at)];
    this.#at = 0;
  }

  #take(): Token | undefined {
    const token = this.#tokens[this.#at];
    this.#at += 1;
    return token;
  }

  #last(): Token {
    const token = this.#tokens[this.#at - 1];
    if (token === undefined) throw new RangeError('nothing was read yet');
    return token;
  }
}

function isSameLine(a: Token, b: Token): boolean {
  return a.line === b.line && a.file === b.file;
}

function isBrace(token: Token, brace: '{' | '}'): boolean {
  return token.text === brace && !token.isQuoted;
}
