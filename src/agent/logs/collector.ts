import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  watch,
  writeSync,
} from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { join } from 'node:path';
import { releaseStart } from '../../linux/files.ts';
import type { Stream } from './line.ts';
import { encodeLine, formatNanoTime, longestPart } from './line.ts';

/** Bounds of a log on disk. */
export interface LogLimits {
  /** A file that has grown past this is put aside. */
  readonly fileBytes: number;
  /** Files kept, the current one included. */
  readonly files: number;
}

export const defaultLimits: LogLimits = { fileBytes: 10 << 20, files: 5 };

/**
 * Turns what a container writes (files `out` and `err` of its folder, to which the process appends) into its log (`log`,
 * `log.1` …). What has been read is given back to the disk, so a process may write for ever. How far it has read is
 * noted after every step together with the log's length: a later collector goes on exactly there, and no line is lost or
 * doubled.
 */
export interface LogCollector {
  /** Reads what is there now; `isFinal` when the process has ended: a last line without line end is written too. */
  drain(isFinal: boolean): void;
  /** Called after every step that wrote lines; returns what ends it. */
  onLines(listener: () => void): () => void;
  /** Called with everything read from now on, as the container wrote it; returns what ends it. */
  onOutput(listener: (stream: Stream, bytes: Buffer) => void): () => void;
  close(): void;
}

interface Source {
  readonly stream: Stream;
  readonly fd: number;
  offset: number;
  released: number;
  /** The beginning of a line whose end has not come. */
  rest: Buffer;
}

const chunkBytes = 64 * 1024;
const releaseEveryBytes = 1 << 20;

export function createCollector(folder: string, now: () => number, limits = defaultLimits): LogCollector {
  const listeners = new Set<() => void>();
  const watchers = new Set<(stream: Stream, bytes: Buffer) => void>();
  const noted = readNote(folder);
  const sources = [openSource(folder, 'stdout', noted.out), openSource(folder, 'stderr', noted.err)];
  const chunk = Buffer.allocUnsafe(chunkBytes);
  let log = openLog(folder, noted.log);
  const note = openSync(join(folder, 'log.read'), 'w');
  let watcher: FSWatcher | undefined = watch(folder, (_event, name) => {
    if (name === 'out' || name === 'err') drain(false);
  });
  watcher.on('error', () => {});
  // What another collector had read is kept until the first own step.
  writeNote();

  function drain(isFinal: boolean): void {
    if (watcher === undefined) return;
    let wrote = false;
    for (const source of sources) wrote = drainSource(source, isFinal) || wrote;
    if (wrote) for (const listener of listeners) listener();
  }

  function drainSource(source: Source, isFinal: boolean): boolean {
    let wrote = false;
    for (;;) {
      const length = readSync(source.fd, chunk, 0, chunkBytes, source.offset);
      if (length === 0) break;
      source.offset += length;
      for (const each of watchers) each(source.stream, Buffer.from(chunk.subarray(0, length)));
      const lines = takeLines(source, chunk.subarray(0, length));
      wrote = append(lines) || wrote;
      giveBack(source);
    }
    if (isFinal && source.rest.length > 0) {
      wrote = append([encodeLine(stamp(), source.stream, false, source.rest)]) || wrote;
      source.rest = Buffer.alloc(0);
      writeNote();
    }
    return wrote;
  }

  function takeLines(source: Source, bytes: Buffer): Buffer[] {
    const time = stamp();
    const data = source.rest.length === 0 ? bytes : Buffer.concat([source.rest, bytes]);
    const lines: Buffer[] = [];
    let start = 0;
    for (let end = data.indexOf(10); end >= 0; end = data.indexOf(10, start)) {
      lines.push(encodeLine(time, source.stream, false, data.subarray(start, end)));
      start = end + 1;
    }
    for (; data.length - start > longestPart; start += longestPart) {
      lines.push(encodeLine(time, source.stream, true, data.subarray(start, start + longestPart)));
    }
    source.rest = Buffer.from(data.subarray(start));
    return lines;
  }

  function append(lines: readonly Buffer[]): boolean {
    if (lines.length > 0) {
      const bytes = Buffer.concat(lines);
      writeSync(log.fd, bytes);
      log.length += bytes.length;
      if (log.length > limits.fileBytes) log = rotate(folder, log.fd, limits.files);
    }
    writeNote();
    return lines.length > 0;
  }

  function giveBack(source: Source): void {
    const done = source.offset - source.rest.length;
    if (done - source.released < releaseEveryBytes) return;
    releaseStart(source.fd, done);
    source.released = done;
  }

  function writeNote(): void {
    const [out, err] = sources;
    const text = JSON.stringify({ out: doneOf(out), err: doneOf(err), log: log.length });
    writeSync(note, text.padEnd(80), 0);
  }

  function stamp(): string {
    return formatNanoTime(now());
  }

  drain(false);
  return {
    drain,
    onLines(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    onOutput(listener) {
      watchers.add(listener);
      return () => void watchers.delete(listener);
    },
    close() {
      watcher?.close();
      watcher = undefined;
      for (const fd of [log.fd, note, ...sources.map((source) => source.fd)]) closeSync(fd);
    },
  };
}

function doneOf(source: Source | undefined): number {
  return source === undefined ? 0 : source.offset - source.rest.length;
}

interface Note {
  readonly out: number;
  readonly err: number;
  readonly log: number;
}

function readNote(folder: string): Note {
  const path = join(folder, 'log.read');
  if (!existsSync(path)) return { out: 0, err: 0, log: 0 };
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Note;
  } catch {
    return { out: 0, err: 0, log: 0 };
  }
}

function openSource(folder: string, stream: Stream, offset: number): Source {
  const fd = openSync(join(folder, stream === 'stdout' ? 'out' : 'err'), 'r+');
  return { stream, fd, offset, released: offset, rest: Buffer.alloc(0) };
}

/** Opens the log and cuts off what was written after the note: it will be read again. */
function openLog(folder: string, notedLength: number): { readonly fd: number; length: number } {
  const fd = openSync(join(folder, 'log'), 'a');
  const { size } = fstatSync(fd);
  // A shorter file was begun after the note; then nothing can be said, and it stays.
  if (size > notedLength) ftruncateSync(fd, notedLength);
  return { fd, length: Math.min(size, notedLength) };
}

function rotate(folder: string, fd: number, files: number): { readonly fd: number; length: number } {
  closeSync(fd);
  const path = (index: number) => join(folder, index === 0 ? 'log' : `log.${index}`);
  rmSync(path(files - 1), { force: true });
  for (let index = files - 2; index >= 0; index--) {
    if (statSync(path(index), { throwIfNoEntry: false })) renameSync(path(index), path(index + 1));
  }
  return { fd: openSync(path(0), 'a'), length: 0 };
}
