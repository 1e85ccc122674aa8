import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { openSqliteStore } from '../sqlite.ts';
import type { Store } from '../store.ts';

/** What a writer was told before it was killed. */
interface Acknowledged {
  /** Of its last acknowledged commit. */
  revision: number;
  /** The newest acknowledged revision that put the key; for a deleted key, -revision. */
  readonly keys: Map<string, number>;
}

/**
 * Lets a process write to the store at `path`, kills it after `delayMs` of writing, opens the store and checks that
 * what it acknowledged is there: every revision, every key, all of each commit. Answers the number of commits.
 */
export async function killRound(path: string, round: number, delayMs: number): Promise<number> {
  const { lines, pid } = await writeAndKill(path, round, delayMs);
  const acknowledged = parse(lines);
  await using store = openSqliteStore(path);
  assert.ok(store.revision >= acknowledged.revision, `revision ${store.revision} < ${acknowledged.revision} (${pid})`);
  for (const [key, revision] of acknowledged.keys) await checkKey(store, key, revision, acknowledged.revision);
  await checkWholeCommits(store);
  await checkHistory(store);
  return acknowledged.keys.size;
}

async function writeAndKill(path: string, round: number, delayMs: number): Promise<{ lines: string[]; pid: number }> {
  const script = fileURLToPath(new URL('write-forever.ts', import.meta.url));
  const child = spawn(process.execPath, [script, path, `${round}`], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  await once(child.stdout, 'data');
  setTimeout(() => child.kill('SIGKILL'), delayMs);
  await once(child, 'close');
  assert.equal(child.signalCode, 'SIGKILL');
  return { lines: output.slice(0, output.lastIndexOf('\n')).split('\n'), pid: child.pid ?? 0 };
}

function parse(lines: readonly string[]): Acknowledged {
  const acknowledged: Acknowledged = { revision: 0, keys: new Map() };
  for (const line of lines) {
    const [head = '', ...keys] = line.split(' ');
    if (head === 'open') continue;
    const revision = Number(head);
    acknowledged.revision = Math.max(acknowledged.revision, revision);
    for (const key of keys) acknowledged.keys.set(key.replace(/^-/, ''), key.startsWith('-') ? -revision : revision);
  }
  return acknowledged;
}

/** What came after the last acknowledged commit may be there or not, so that a newer change is no loss. */
async function checkKey(store: Store, key: string, revision: number, last: number): Promise<void> {
  const entry = await store.get(key);
  if (revision < 0) assert.ok(entry === undefined || entry.modRevision > last, `${key} came back`);
  else if (entry === undefined) assert.ok(store.revision > last, `${key} of ${revision} is lost`);
  else assert.ok(entry.modRevision === revision || entry.modRevision > last, `${key} of ${revision} is lost`);
}

/** Keys that were put by one commit hold the same text. */
async function checkWholeCommits(store: Store): Promise<void> {
  const texts = new Map<number, string>();
  for (const { modRevision, value } of (await store.list('/')).entries) {
    const text = Buffer.from(value).toString();
    assert.equal(texts.get(modRevision) ?? text, text, `revision ${modRevision} is half there`);
    texts.set(modRevision, text);
  }
}

/** The kept history has no hole: one revision after the other, each finding what the one before left. */
async function checkHistory(store: Store): Promise<void> {
  // A store begins at revision 1 without an event: there is nothing to wait for when it was killed before its first.
  const from = Math.max(store.compactedRevision, 1);
  if (from === store.revision) return;
  const signal = new AbortController().signal;
  let expected = from + 1;
  for await (const events of store.watch('/', { from, signal })) {
    for (const { revision } of events) {
      assert.ok(revision === expected || revision === expected - 1, `${revision} after ${expected}`);
      expected = revision + 1;
    }
    break;
  }
  assert.equal(expected, store.revision + 1);
}
