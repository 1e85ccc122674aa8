import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createCollector } from './collector.ts';
import { parseLine } from './line.ts';
import { readLog } from './reader.ts';
import type { LogQuery } from './reader.ts';

const all: LogQuery = {
  follow: false,
  timestamps: false,
  tailLines: undefined,
  limitBytes: undefined,
  sinceMs: undefined,
};

/** A container's folder with empty outputs. */
function folderOf(): Disposable & { toString(): string } {
  const path = mkdtempSync(join(tmpdir(), 'fairlead-log-'));
  for (const name of ['out', 'err']) writeFileSync(join(path, name), '');
  return { toString: () => path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}

async function textOf(folder: string, query: Partial<LogQuery> = {}): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of readLog(String(folder), { ...all, ...query }, undefined)) parts.push(part);
  return Buffer.concat(parts).toString();
}

test('what a container writes becomes lines with time and stream', async () => {
  using folder = folderOf();
  const path = String(folder);
  const collector = createCollector(path, () => 1_000_000_000_123.25);
  appendFileSync(join(path, 'out'), 'one\ntwo ünïcode\n');
  appendFileSync(join(path, 'err'), 'oops\n');
  collector.drain(false);
  const lines = readFileSync(join(path, 'log'), 'utf8').trimEnd().split('\n');
  assert.equal(lines[0], '2001-09-09T01:46:40.123250000Z stdout F one');
  assert.deepEqual(
    lines.map((line) => parseLine(line)?.stream),
    ['stdout', 'stdout', 'stderr'],
  );
  assert.equal(await textOf(path), 'one\ntwo ünïcode\noops\n');
  assert.equal(await textOf(path, { timestamps: true, tailLines: 1 }), '2001-09-09T01:46:40.123250000Z oops\n');
  collector.close();
});

test('a line without end waits for it, and is written when the container has ended', async () => {
  using folder = folderOf();
  const path = String(folder);
  const collector = createCollector(path, Date.now);
  appendFileSync(join(path, 'out'), 'begun ');
  collector.drain(false);
  assert.equal(await textOf(path), '');
  appendFileSync(join(path, 'out'), 'and done\nlast');
  collector.drain(true);
  assert.equal(await textOf(path), 'begun and done\nlast\n');
  collector.close();
});

test('a very long line comes in parts and is read as one', async () => {
  using folder = folderOf();
  const path = String(folder);
  const collector = createCollector(path, Date.now);
  const long = 'x'.repeat(40_000);
  appendFileSync(join(path, 'out'), `${long}\nshort\n`);
  collector.drain(true);
  assert.equal(await textOf(path), `${long}\nshort\n`);
  assert.equal(await textOf(path, { tailLines: 2 }), `${long}\nshort\n`);
  collector.close();
});

test('another collector goes on where the last one stopped, without loss or repetition', async () => {
  using folder = folderOf();
  const path = String(folder);
  const first = createCollector(path, Date.now);
  appendFileSync(join(path, 'out'), '1\n2\nhal');
  first.drain(false);
  first.close();
  // As after a crash between the log and the note of it.
  appendFileSync(join(path, 'log'), '2001-09-09T01:46:40.123250000Z stdout F twice\n');
  appendFileSync(join(path, 'out'), 'f\n4\n');
  const second = createCollector(path, Date.now);
  appendFileSync(join(path, 'out'), '5\n');
  second.drain(true);
  assert.equal(await textOf(path), '1\n2\nhalf\n4\n5\n');
  second.close();
});

test('files are put aside when they are full, and no more than the limit are kept', async () => {
  using folder = folderOf();
  const path = String(folder);
  const collector = createCollector(path, Date.now, { fileBytes: 4096, files: 3 });
  for (let index = 0; index < 600; index++) {
    appendFileSync(join(path, 'out'), `line ${index} ${'-'.repeat(20)}\n`);
    collector.drain(false);
  }
  assert.deepEqual(
    ['log', 'log.1', 'log.2', 'log.3'].map((name) => existsSync(join(path, name))),
    [true, true, true, false],
  );
  const lines = (await textOf(path)).trimEnd().split('\n');
  assert.match(lines.at(-1) ?? '', /^line 599 /);
  const numbers = lines.map((line) => Number(line.split(' ')[1]));
  assert.deepEqual(
    numbers,
    numbers.map((_, index) => (numbers[0] ?? 0) + index),
  );
  collector.close();
});

const lines = ['a', 'b', 'c', 'd'];
const queries: readonly [string, Partial<LogQuery>, string][] = [
  ['the last lines', { tailLines: 2 }, 'c\nd\n'],
  ['no line', { tailLines: 0 }, ''],
  ['more lines than there are', { tailLines: 10 }, 'a\nb\nc\nd\n'],
  ['a number of bytes', { limitBytes: 3 }, 'a\nb'],
  ['lines since a time', { sinceMs: 3000 }, 'c\nd\n'],
  ['the last lines since a time', { sinceMs: 2000, tailLines: 1 }, 'd\n'],
];

for (const [what, query, expected] of queries) {
  test(`a reader gets ${what}`, async () => {
    using folder = folderOf();
    const path = String(folder);
    let nowMs = 0;
    const collector = createCollector(path, () => nowMs);
    for (const line of lines) {
      nowMs += 1000;
      appendFileSync(join(path, 'out'), `${line}\n`);
      collector.drain(false);
    }
    assert.equal(await textOf(path, query), expected);
    collector.close();
  });
}

test('a follower gets what is added until the container ends', async () => {
  using folder = folderOf();
  const path = String(folder);
  const collector = createCollector(path, Date.now);
  let isOver = false;
  let more = Promise.withResolvers<void>();
  const growth = {
    changed: () => more.promise,
    get isOver() {
      return isOver;
    },
  };
  const write = (text: string, last: boolean) => {
    appendFileSync(join(path, 'out'), text);
    collector.drain(last);
    isOver = last;
    more.resolve();
    more = Promise.withResolvers();
  };
  write('first\n', false);
  const parts: string[] = [];
  for await (const part of readLog(path, { ...all, follow: true }, growth)) {
    parts.push(part.toString());
    if (parts.length === 1) setImmediate(() => write('second\n', false));
    if (parts.length === 2) setImmediate(() => write('third', true));
  }
  assert.deepEqual(parts, ['first\n', 'second\n', 'third\n']);
  collector.close();
});
