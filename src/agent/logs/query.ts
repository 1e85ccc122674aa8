/** What a reader of logs asks for (`PodLogOptions`). */
export interface LogQuery {
  readonly follow: boolean;
  readonly previous: boolean;
  readonly timestamps: boolean;
  /** Only the last so many lines. */
  readonly tailLines?: number;
  /** Only lines from then on, Unix milliseconds. */
  readonly sinceMs?: number;
  readonly limitBytes?: number;
  readonly stream: 'All' | 'Stdout' | 'Stderr';
}

/** A query that cannot be answered; the message is for the client. */
export class LogQueryError extends Error {
  override readonly name = 'LogQueryError';
}

/** Reads the query of a log URL. Throws `LogQueryError`. */
export function parseLogQuery(search: URLSearchParams, nowMs: number): LogQuery {
  const sinceSeconds = wholeNumber(search, 'sinceSeconds');
  const sinceTime = search.get('sinceTime');
  if (sinceSeconds !== undefined && sinceTime !== null) {
    throw new LogQueryError('at most one of `sinceTime` or `sinceSeconds` may be specified');
  }
  const timeMs = sinceTime === null ? undefined : Date.parse(sinceTime);
  if (Number.isNaN(timeMs)) throw new LogQueryError(`invalid sinceTime: ${sinceTime}`);
  const stream = search.get('stream') ?? 'All';
  return {
    follow: isTrue(search, 'follow'),
    previous: isTrue(search, 'previous'),
    timestamps: isTrue(search, 'timestamps'),
    tailLines: wholeNumber(search, 'tailLines'),
    sinceMs: sinceSeconds === undefined ? timeMs : nowMs - sinceSeconds * 1000,
    limitBytes: wholeNumber(search, 'limitBytes'),
    stream: stream === 'Stdout' || stream === 'Stderr' ? stream : 'All',
  };
}

/** A flag of a query string: `?follow`, `?follow=true`, `?follow=1`. */
export function isTrue(search: URLSearchParams, name: string): boolean {
  const value = search.get(name);
  return value !== null && !['false', '0'].includes(value);
}

function wholeNumber(search: URLSearchParams, name: string): number | undefined {
  const text = search.get(name);
  if (text === null || text === '') return undefined;
  if (!/^\d+$/.test(text)) throw new LogQueryError(`invalid ${name}: ${text}`);
  return Number(text);
}
