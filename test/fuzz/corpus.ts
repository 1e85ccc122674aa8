import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Target } from './target.ts';

/** An input that is kept, and why. */
export interface CorpusEntry {
  /** Kind of outcome, or `failure: …` for one that once showed a defect. */
  readonly kind: string;
  readonly input: Buffer;
}

/** Longer inputs are not kept for their outcome alone. */
const longestKept = 400;
const mostKept = 150;

function fileOf({ name }: Target): string {
  return join(import.meta.dirname, 'corpus', `${name}.txt`);
}

/** The inputs kept of a target: a line each, `kind TAB input`. */
export function readCorpus(target: Target): CorpusEntry[] {
  const file = fileOf(target);
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => readEntry(target, line));
}

function readEntry({ form }: Target, line: string): CorpusEntry {
  const [kind = '', text = ''] = line.split('\t');
  return { kind, input: form === 'bytes' ? Buffer.from(text, 'hex') : Buffer.from(String(JSON.parse(text)), 'utf8') };
}

/** Keeps more inputs: failures always, of other kinds the shortest, as far as they are short. */
export function addToCorpus(target: Target, entries: readonly CorpusEntry[]): void {
  const all = [...readCorpus(target), ...entries];
  const isFailure = ({ kind }: CorpusEntry): boolean => kind.startsWith('failure');
  const failures = new Map(all.filter(isFailure).map((entry) => [entry.input.toString('hex'), entry]));
  const shortest = new Map<string, CorpusEntry>();
  for (const entry of all.filter((each) => !isFailure(each) && each.input.length <= longestKept)) {
    const known = shortest.get(entry.kind);
    if (known === undefined || entry.input.length < known.input.length) shortest.set(entry.kind, entry);
  }
  const kept = [...shortest.values()].sort((a, b) => a.input.length - b.input.length).slice(0, mostKept);
  const lines = [...failures.values(), ...kept].map((entry) => lineOf(target, entry));
  writeFileSync(fileOf(target), `${lines.sort().join('\n')}\n`);
}

function lineOf({ form }: Target, { kind, input }: CorpusEntry): string {
  const text = form === 'bytes' ? input.toString('hex') : JSON.stringify(input.toString('utf8'));
  return `${kind.replaceAll(/\s+/g, ' ')}\t${text}`;
}
