import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Frontend } from '../routing/frontend.ts';
import { type NodeFacts, noFacts } from './node-facts.ts';

/**
 * The last known state on disk, so that a proxy that starts while the API is away carries on. One JSON value a line: a
 * header with the version, the frontends, and a last line that counts them and tells what was known of the node.
 */
const header = { fairlead: 'frontends', version: 3 } as const;
const fileName = 'frontends.ndjson';
const linesAtOnce = 64;

/** What is kept. */
export interface SavedState {
  readonly frontends: readonly Frontend[];
  readonly node: NodeFacts;
}

/** Writes it into a folder: another file first, then renamed, so that there is always a whole one. */
export async function saveState(folder: string, { frontends, node }: SavedState): Promise<void> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, fileName);
  const file = await open(`${path}.new`, 'w', 0o600);
  try {
    await file.writeFile(linesOf(frontends, node));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
}

/** The text in pieces: the whole of it would be the largest thing that an idle proxy has in memory. */
function* linesOf(frontends: readonly Frontend[], node: NodeFacts): Generator<string> {
  yield `${JSON.stringify(header)}\n`;
  for (let at = 0; at < frontends.length; at += linesAtOnce) {
    const lines = frontends.slice(at, at + linesAtOnce).map((frontend) => `${JSON.stringify(frontend)}\n`);
    yield lines.join('');
  }
  yield `${JSON.stringify({ end: frontends.length, node })}\n`;
}

/** The state of a folder; undefined when there is none, or none that this version can read whole. */
export async function loadState(folder: string): Promise<SavedState | undefined> {
  const text = await readFile(join(folder, fileName), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const [first, ...rest] = text.trimEnd().split('\n');
    const last = JSON.parse(rest.pop() ?? '') as { readonly end?: unknown; readonly node?: NodeFacts };
    const isWhole = first === JSON.stringify(header) && last.end === rest.length;
    return isWhole ? { frontends: rest.map(parseFrontend), node: last.node ?? noFacts } : undefined;
  } catch {
    return undefined;
  }
}

export async function removeState(folder: string): Promise<void> {
  await rm(join(folder, fileName), { force: true });
}

/** The header has the version of this very type, so what is under it is one. JSON has no undefined: they come back. */
function parseFrontend(line: string): Frontend {
  const frontend = JSON.parse(line) as Frontend;
  const { address, affinity, lastPort, scheduler, resetAfterSeconds, sourceRanges } = frontend;
  return { ...frontend, address, affinity, lastPort, scheduler, resetAfterSeconds, sourceRanges };
}
