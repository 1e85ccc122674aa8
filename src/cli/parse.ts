import { parseArgs } from 'node:util';
import { parseDuration } from '../lib/duration.ts';
import { UsageError } from './command-error.ts';
import type { OptionSpec, OptionTable, OptionValues } from './command.ts';

/** A command line taken apart. */
export interface ParsedArguments {
  readonly help: boolean;
  readonly options: OptionValues<OptionTable>;
  readonly args: readonly string[];
  readonly rest: readonly string[] | undefined;
}

type Values = Record<string, OptionValues<OptionTable>[string]>;

/** Reads `argv` (after the command's name) against the command's flags. Throws `UsageError`. */
export function parseArguments(table: OptionTable, argv: readonly string[]): ParsedArguments {
  const split = splitAtDashes(table, argv);
  const { tokens } = parseArgs({
    args: [...split.before],
    options: parserOptions(table),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const values: Values = {};
  const args: string[] = [];
  let help = false;
  for (const token of tokens) {
    if (token.kind === 'positional') args.push(token.value);
    if (token.kind !== 'option') continue;
    if (token.name === 'help') help = true;
    else setOption(table, values, token.name, token.rawName, token.value);
  }
  return { help, options: withDefaults(table, values), args, rest: split.rest };
}

/** `--` ends our arguments; everything after it belongs to someone else and is not looked at. */
function splitAtDashes(
  table: OptionTable,
  argv: readonly string[],
): { before: readonly string[]; rest?: readonly string[] } {
  for (let i = 0; i < argv.length; i++) {
    if (argv[i] === '--') return { before: argv.slice(0, i), rest: argv.slice(i + 1) };
    if (takesNextArgument(table, argv[i] ?? '')) i++;
  }
  return { before: argv };
}

function takesNextArgument(table: OptionTable, argument: string): boolean {
  if (argument.startsWith('--')) return takesValue(table[argument.slice(2)]);
  if (!/^-[a-zA-Z]$/.test(argument)) return false;
  return takesValue(Object.values(table).find((spec) => spec.short === argument[1]));
}

function takesValue(spec: OptionSpec | undefined): boolean {
  return spec !== undefined && spec.type !== 'boolean';
}

function parserOptions(table: OptionTable): Record<string, { type: 'boolean' | 'string'; short?: string }> {
  const options: Record<string, { type: 'boolean' | 'string'; short?: string }> = {
    help: { type: 'boolean', short: 'h' },
  };
  for (const [name, spec] of Object.entries(table)) {
    const type = spec.type === 'boolean' ? 'boolean' : 'string';
    options[name] = spec.short === undefined ? { type } : { type, short: spec.short };
  }
  return options;
}

function setOption(table: OptionTable, values: Values, name: string, rawName: string, value: string | undefined): void {
  const spec = table[name];
  if (spec?.type === 'boolean') {
    values[name] = readBoolean(rawName, value);
    return;
  }
  if (spec === undefined) {
    const positive = name.startsWith('no-') ? name.slice(3) : '';
    if (table[positive]?.type !== 'boolean' || value !== undefined) throw unknownOption(table, rawName);
    values[positive] = false;
    return;
  }
  if (value === undefined) throw new UsageError(`${rawName} needs a value: ${rawName} ${spec.value}`);
  const text = rawName.startsWith('--') || !value.startsWith('=') ? value : value.slice(1);
  const earlier = values[name];
  if (spec.type === 'strings') values[name] = [...(Array.isArray(earlier) ? earlier : []), text];
  else values[name] = readValue(spec, rawName, text);
}

function readBoolean(rawName: string, value: string | undefined): boolean {
  if (value === undefined || value === 'true') return true;
  if (value === 'false') return false;
  throw new UsageError(`${rawName} is true or false, not "${value}"`);
}

function readValue(
  spec: Exclude<OptionSpec, { type: 'boolean' | 'strings' }>,
  rawName: string,
  text: string,
): string | number {
  if (spec.type === 'number') return readNumber(rawName, text, spec.min ?? 0, spec.max);
  if (spec.type === 'duration') return readDuration(rawName, text);
  if (spec.choices !== undefined && !spec.choices.includes(text)) {
    throw new UsageError(`${rawName} is one of ${spec.choices.join(', ')}, not "${text}"`);
  }
  return text;
}

function readNumber(rawName: string, text: string, min: number, max: number | undefined): number {
  const value = Number(text);
  const fits = /^-?\d+$/.test(text) && value >= min && (max === undefined || value <= max);
  if (fits) return value;
  const range = max === undefined ? `from ${min}` : `from ${min} to ${max}`;
  throw new UsageError(`${rawName} is a whole number ${range}, not "${text}"`);
}

function readDuration(rawName: string, text: string): number {
  const value = parseDuration(text);
  if (value === undefined) throw new UsageError(`${rawName} is a duration such as 30s, 5m or 1h, not "${text}"`);
  return value;
}

function unknownOption(table: OptionTable, rawName: string): UsageError {
  const wanted = rawName.replace(/^-+/, '');
  const close = rawName.startsWith('--') ? nearest(wanted, ['help', ...Object.keys(table)]) : undefined;
  return new UsageError(`unknown flag ${rawName}`, close === undefined ? undefined : `did you mean --${close}?`);
}

function withDefaults(table: OptionTable, values: Values): Values {
  const all: Values = {};
  for (const [name, spec] of Object.entries(table)) {
    all[name] = name in values ? values[name] : fallbackOf(spec);
  }
  return all;
}

function fallbackOf(spec: OptionSpec): Values[string] {
  if (spec.type === 'strings') return [];
  if (spec.type !== 'boolean') return spec.default;
  return spec.default === 'unset' ? undefined : (spec.default ?? false);
}

/** The candidate closest to a mistyped word, at most two edits away; undefined when none is. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: editDistance(word, candidate) }))
    .filter(({ candidate, distance }) => distance <= (candidate.length < 3 ? 1 : 2))
    .sort((a, b) => a.distance - b.distance);
  return ranked[0]?.candidate;
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(replace, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    previous = row;
  }
  return previous[b.length] ?? 0;
}
