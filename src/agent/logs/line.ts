/** Where a line was written. */
export type Stream = 'stdout' | 'stderr';

/** One line of a container's log. */
export interface LogLine {
  /** RFC 3339 with nanoseconds. */
  readonly time: string;
  readonly stream: Stream;
  /** False for the last part of a line that came in parts. */
  readonly isPartial: boolean;
  /** Without line end. */
  readonly content: string;
}

/** Lines longer than this are cut into parts, as container runtimes do. */
export const longestPart = 16 * 1024;

/** RFC 3339 with nine digits, from Unix milliseconds (with fraction). */
export function formatNanoTime(ms: number): string {
  const seconds = new Date(ms).toISOString().slice(0, 19);
  const nanos = Math.floor((ms % 1000) * 1e6);
  return `${seconds}.${String(nanos).padStart(9, '0')}Z`;
}

/** One part in the format of the container runtime interface (CRI): `TIME STREAM F|P CONTENT`. */
export function encodeLine(time: string, stream: Stream, isPartial: boolean, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${time} ${stream} ${isPartial ? 'P' : 'F'} `), content, newline]);
}

const newline = Buffer.from('\n');

/** Reads a line of that format; undefined for anything else. */
export function parseLine(line: string): LogLine | undefined {
  const match = /^(\S+) (stdout|stderr) ([PF]) (.*)$/s.exec(line);
  if (match === null) return undefined;
  const [, time = '', stream, tag, content = ''] = match;
  return { time, stream: stream === 'stderr' ? 'stderr' : 'stdout', isPartial: tag === 'P', content };
}
