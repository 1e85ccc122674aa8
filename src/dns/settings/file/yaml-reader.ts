import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Node } from 'yaml';
import { SettingsError } from '../settings-error.ts';
import { wrong, type Word } from '../values.ts';

/** A value of a YAML file and where it stands. */
export class YamlValue {
  readonly #node: Node | null;
  readonly #source: Source;
  /** What it is called in errors: `servers[0].cache`. */
  readonly path: string;

  constructor(node: Node | null, source: Source, path: string) {
    this.#node = node;
    this.#source = source;
    this.path = path;
  }

  get line(): number {
    return this.#source.lines.linePos(this.#node?.range?.[0] ?? 0).line || 1;
  }

  error(what: string): SettingsError {
    return new SettingsError(this.#source.file, this.line, this.path === '' ? what : `${this.path}: ${what}`);
  }

  /** The fields of a mapping; each must be in `known`. An empty value has none. */
  fields<K extends string>(known: readonly K[]): Partial<Record<K, YamlValue>> {
    const found: Partial<Record<K, YamlValue>> = {};
    if (this.#node === null || (isScalar(this.#node) && this.#node.value === null)) return found;
    if (!isMap(this.#node)) throw this.error('is no mapping of fields');
    for (const { key, value } of this.#node.items) {
      const name = isScalar(key) ? String(key.value) : '';
      const at = new YamlValue(isNodeOrNull(value), this.#source, this.path === '' ? name : `${this.path}.${name}`);
      const field = known.find((each) => each === name);
      if (field === undefined) {
        const where = new YamlValue(isNodeOrNull(key), this.#source, at.path);
        throw where.error(`there is no such field (there are ${known.join(', ')})`);
      }
      found[field] = at;
    }
    return found;
  }

  items(): YamlValue[] {
    if (!isSeq(this.#node)) throw this.error('is no list');
    return this.#node.items.map((item, at) => new YamlValue(isNodeOrNull(item), this.#source, `${this.path}[${at}]`));
  }

  /** A scalar as a word. */
  word(): Word {
    if (!isScalar(this.#node) || this.#node.value === null || typeof this.#node.value === 'object') {
      throw this.error('is no single value');
    }
    return { text: String(this.#node.value), file: this.#source.file, line: this.line };
  }

  /** Reads the scalar; what is wrong with it is said with its path. */
  read<T>(reader: (word: Word) => T): T {
    const word = this.word();
    try {
      return reader(word);
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error;
      throw this.error(error.what);
    }
  }

  /** Reads every item of a list of scalars. */
  list<T>(reader: (word: Word) => T): T[] {
    return this.items().map((item) => item.read(reader));
  }

  boolean(): boolean {
    return this.read((word) => {
      if (word.text !== 'true' && word.text !== 'false') throw wrong(word, `"${word.text}" is neither true nor false`);
      return word.text === 'true';
    });
  }
}

interface Source {
  readonly file: string;
  readonly lines: LineCounter;
}

/** Reads a YAML text. Throws SettingsError with the line for what is no YAML; anchors and aliases are not taken. */
export function readYaml(text: string, file: string): YamlValue {
  const lines = new LineCounter();
  const document = parse(text, file, lines);
  const [error] = document.errors;
  if (error?.message.includes('call stack')) throw nestedTooDeeply(file);
  if (error !== undefined) throw new SettingsError(file, lines.linePos(error.pos[0]).line, error.message);
  return new YamlValue(document.contents, { file, lines }, '');
}

function parse(text: string, file: string, lineCounter: LineCounter) {
  try {
    return parseDocument(text, { lineCounter, prettyErrors: false });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw nestedTooDeeply(file);
  }
}

/** The parser takes a place on the stack for each level; where it has no more, it throws or tells it as an error of the text. */
function nestedTooDeeply(file: string): SettingsError {
  return new SettingsError(file, 1, 'lists and mappings are nested too deeply');
}

function isNodeOrNull(value: unknown): Node | null {
  const isNode = isMap(value) || isSeq(value) || isScalar(value) || isAlias(value);
  return isNode ? value : null;
}
