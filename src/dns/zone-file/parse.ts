import { SettingsError } from '../settings/settings-error.ts';
import type { ResourceRecord } from '../wire/message.ts';
import { nameKey } from '../wire/names.ts';
import type { Name } from '../wire/names.ts';
import { soaNumbers } from '../wire/rdata.ts';
import { typeNumber, typeNumbers } from '../wire/types.ts';
import { generatedEntries } from './generate.ts';
import { nameFromText, rdataFromText, secondsFromText } from './rdata-text.ts';
import { entriesOf } from './words.ts';
import type { Entry, Word } from './words.ts';

/** Gives the text of an included file, or undefined when it cannot be read. */
export type ReadIncluded = (path: string) => string | undefined;

/** Includes inside includes end here. */
const deepestInclude = 8;

interface State {
  origin: Name;
  /** `$TTL`; undefined until it is said. */
  defaultTtl: number | undefined;
  /** Of the record before, for one without its own (RFC 1035 5.1). */
  lastTtl: number | undefined;
  owner: Name | undefined;
  readonly readIncluded: ReadIncluded;
  readonly depth: number;
}

/**
 * Reads a zone file (RFC 1035 5, RFC 2308 4): `$ORIGIN`, `$TTL`, `$INCLUDE`, `$GENERATE`, parentheses, relative names. Names
 * are given in lower case. Throws SettingsError with file and line.
 */
export function parseZoneFile(text: string, file: string, origin: Name, readIncluded: ReadIncluded): ResourceRecord[] {
  return read(text, file, {
    origin,
    defaultTtl: undefined,
    lastTtl: undefined,
    owner: undefined,
    readIncluded,
    depth: 0,
  });
}

/** One record, as templates have it. Throws SettingsError. */
export function parseRecord(text: string, file: string, line: number): ResourceRecord {
  const state: State = {
    origin: '\0',
    defaultTtl: 0,
    lastTtl: 0,
    owner: undefined,
    readIncluded: () => undefined,
    depth: 0,
  };
  const [record] = read(text, file, state);
  if (record === undefined) throw new SettingsError(file, line, `"${text}" is no record`);
  return record;
}

function read(text: string, file: string, state: State): ResourceRecord[] {
  const records: ResourceRecord[] = [];
  for (const entry of entriesOf(text, file)) {
    if (entry.words[0]?.text.startsWith('$') === true) records.push(...readDirective(entry, state));
    else records.push(readRecord(entry, state));
  }
  return records;
}

function wrong(entry: Entry, what: string): SettingsError {
  return new SettingsError(entry.file, entry.line, what);
}

function readDirective(entry: Entry, state: State): ResourceRecord[] {
  const [directive, first, second] = entry.words.map(({ text }) => text);
  switch (directive?.toUpperCase()) {
    case '$ORIGIN':
      state.origin = readName(entry, first, state);
      return [];
    case '$TTL':
      state.defaultTtl = secondsFromText(first ?? '');
      if (state.defaultTtl === undefined) throw wrong(entry, `"${first ?? ''}" is no time in seconds`);
      return [];
    case '$INCLUDE': {
      const included = first === undefined ? undefined : state.readIncluded(first);
      if (first === undefined || included === undefined) throw wrong(entry, `"${first ?? ''}" cannot be read`);
      if (state.depth >= deepestInclude) throw wrong(entry, 'includes lead in a circle');
      const origin = second === undefined ? state.origin : readName(entry, second, state);
      return read(included, first, { ...state, origin, depth: state.depth + 1 });
    }
    case '$GENERATE': {
      const entries = generatedEntries(entry);
      if (typeof entries === 'string') throw wrong(entry, entries);
      return entries.map((each) => readRecord(each, state));
    }
    default:
      throw wrong(entry, `"${directive ?? ''}" is not supported (supported: $ORIGIN, $TTL, $INCLUDE, $GENERATE)`);
  }
}

function readName(entry: Entry, text: string | undefined, { origin }: State): Name {
  const name = text === undefined ? undefined : nameFromText(text, origin);
  if (name === undefined) throw wrong(entry, `"${text ?? ''}" is no name`);
  return nameKey(name);
}

/** `[owner] [ttl] [class] type rdata`, with ttl and class in either order. */
function readRecord(entry: Entry, state: State): ResourceRecord {
  const words = [...entry.words];
  if (!entry.hasNoOwner) state.owner = readName(entry, words.shift()?.text, state);
  if (state.owner === undefined) throw wrong(entry, 'the first record has no owner');
  const { ttl, type } = readMiddle(entry, words);
  const rdata = rdataFromText(type, words, state.origin);
  if ('mistake' in rdata) throw wrong(entry, rdata.mistake);
  const minimum = type === typeNumbers.SOA ? Math.min(soaNumbers(rdata).minimum, 0x7fffffff) : undefined;
  const seconds = ttl ?? state.defaultTtl ?? state.lastTtl ?? minimum;
  if (seconds === undefined) throw wrong(entry, 'there is no time to live: say one, or $TTL before');
  state.lastTtl = seconds;
  return { name: state.owner, type, class: 1, ttl: seconds, rdata };
}

/** Takes the words up to the type. */
function readMiddle(entry: Entry, words: Word[]): { readonly ttl: number | undefined; readonly type: number } {
  let ttl: number | undefined;
  for (;;) {
    const word = words.shift();
    if (word === undefined) throw wrong(entry, 'the type is missing');
    const text = word.text.toUpperCase();
    const seconds = secondsFromText(word.text);
    if (text === 'IN') continue;
    if (text === 'CH' || text === 'HS' || text === 'CS') throw wrong(entry, `class ${text} is not supported`);
    if (seconds !== undefined && ttl === undefined) {
      ttl = seconds;
      continue;
    }
    const type = typeNumber(text);
    if (type === undefined) throw wrong(entry, `"${word.text}" is no record type`);
    return { ttl, type };
  }
}
