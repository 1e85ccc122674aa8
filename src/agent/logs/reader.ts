import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { LogLine } from './line.ts';
import { parseLine } from './line.ts';

const chunkBytes = 64 * 1024;

/** What a reader of a log asks for. */
export interface LogQuery {
  readonly follow: boolean;
  readonly timestamps: boolean;
  /** Only the last so many lines. */
  readonly tailLines: number | undefined;
  readonly limitBytes: number | undefined;
  /** Only lines from then on, Unix milliseconds. */
  readonly sinceMs: number | undefined;
}

/** Told when there may be more to read, and when there will be no more. */
export interface LogGrowth {
  /** Resolves at the next change. */
  changed(): Promise<void>;
  readonly isOver: boolean;
}

/**
 * The text of a container's log, in pieces of at most 64 KiB or so: the files of `folder` from the oldest, then, when
 * following, what is added until `growth.isOver`.
 */
export async function* readLog(folder: string, query: LogQuery, growth: LogGrowth | undefined): AsyncGenerator<Buffer> {
  let left = query.limitBytes ?? Number.POSITIVE_INFINITY;
  const cut = (bytes: Buffer) => {
    const part = bytes.subarray(0, Math.min(left, bytes.length));
    left -= part.length;
    return part;
  };
  const files = filesOf(folder);
  const start = query.tailLines === undefined ? undefined : tailStart(files, query.tailLines, query);
  for (const [index, file] of files.entries()) {
    if (start !== undefined && index < start.file) continue;
    for (const text of readFile(file, start?.file === index ? start.offset : 0, query)) {
      const part = cut(text);
      if (part.length > 0) yield part;
      if (left <= 0) return;
    }
  }
  if (!query.follow || growth === undefined) return;
  for await (const text of follow(folder, files, query, growth)) {
    const part = cut(text);
    if (part.length > 0) yield part;
    if (left <= 0) return;
  }
}

/** An open log file and how far it has been read. */
interface OpenFile {
  readonly path: string;
  readonly inode: number;
  offset: number;
}

/** The files of a log, oldest first. */
function filesOf(folder: string): OpenFile[] {
  const names = [4, 3, 2, 1].map((index) => `log.${index}`);
  const paths = [...names, 'log'].map((name) => join(folder, name)).filter((path) => existsSync(path));
  return paths.map((path) => ({ path, inode: statSync(path).ino, offset: 0 }));
}

function* readFile(file: OpenFile, from: number, query: LogQuery): Generator<Buffer> {
  file.offset = Math.max(file.offset, from);
  for (const { lines, end } of readLines(file.path, file.offset)) {
    file.offset = end;
    const text = lines.map((line) => render(line, query)).join('');
    if (text !== '') yield Buffer.from(text, 'latin1');
  }
}

/** Whole lines of a file from an offset, in chunks. Bytes are kept as Latin-1 characters. */
function* readLines(path: string, from: number): Generator<{ readonly lines: string[]; readonly end: number }> {
  const fd = openSync(path, 'r');
  const chunk = Buffer.allocUnsafe(chunkBytes);
  let position = from;
  let rest = '';
  try {
    for (;;) {
      const length = readSync(fd, chunk, 0, chunkBytes, position);
      if (length === 0) return;
      position += length;
      const lines = (rest + chunk.toString('latin1', 0, length)).split('\n');
      rest = lines.pop() ?? '';
      yield { lines, end: position - rest.length };
    }
  } finally {
    closeSync(fd);
  }
}

/** As the client sees it; '' for a line that it did not ask for. */
function render(text: string, query: LogQuery): string {
  const line = parseLine(text);
  if (line === undefined || !isWanted(line, query)) return '';
  const end = line.isPartial ? '' : '\n';
  return query.timestamps ? `${line.time} ${line.content}${end}` : `${line.content}${end}`;
}

function isWanted(line: LogLine, { sinceMs }: LogQuery): boolean {
  return sinceMs === undefined || Date.parse(line.time) >= sinceMs;
}

/** Where the last `count` wanted lines begin. Reads the files once, keeping only offsets. */
function tailStart(files: readonly OpenFile[], count: number, query: LogQuery) {
  const starts: { readonly file: number; readonly offset: number }[] = [];
  let isContinued = false;
  for (const [file, { path }] of files.entries()) {
    let offset = 0;
    for (const { lines } of readLines(path, 0)) {
      for (const text of lines) {
        const line = parseLine(text);
        if (line !== undefined && isWanted(line, query)) {
          if (!isContinued) starts.push({ file, offset });
          isContinued = line.isPartial;
          if (starts.length > 2 * count + 64) starts.splice(0, starts.length - count);
        }
        offset += text.length + 1;
      }
    }
  }
  const end = { file: files.length - 1, offset: Number(statSizeOf(files.at(-1)?.path)) };
  return count === 0 ? end : (starts.at(-count) ?? starts[0] ?? end);
}

function statSizeOf(path: string | undefined): number {
  return path === undefined ? 0 : (statSync(path, { throwIfNoEntry: false })?.size ?? 0);
}

/** What is added to the log, across rotations, until it is over. */
async function* follow(folder: string, read: OpenFile[], query: LogQuery, growth: LogGrowth): AsyncGenerator<Buffer> {
  for (;;) {
    const { isOver } = growth;
    const next = growth.changed();
    const files = filesOf(folder);
    for (const file of files) {
      const before = read.find(({ inode }) => inode === file.inode);
      yield* readFile(file, before?.offset ?? 0, query);
    }
    read = files;
    if (isOver) return;
    await next;
  }
}

/** The end of a log as a termination message: at most 2,048 bytes and 80 lines. */
export function lastText(folder: string): string {
  const file = filesOf(folder).at(-1);
  if (file === undefined) return '';
  const from = Math.max(0, statSizeOf(file.path) - 8192);
  const lines = [...readLines(file.path, from)].flatMap((each) => each.lines).flatMap((text) => parseLine(text) ?? []);
  const text = lines.slice(-80).map(({ content }) => Buffer.from(content, 'latin1').toString());
  return text.join('\n').slice(-2048);
}
