/** Times as the API writes them: RFC 3339 in UTC, with seconds (`Time`) or microseconds (`MicroTime`). */

const rfc3339 = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?(Z|[+-]\d{2}:\d{2})$/;
const canonicalTime = /^\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-6]\dZ$/;

/** What RFC 3339 can say: years of four digits. */
const firstMs = Date.parse('0000-01-01T00:00:00Z');
const lastMs = Date.parse('9999-12-31T23:59:59.999Z');

/** Can a time be written, with a year of four digits? NaN cannot. */
export function isWritable(ms: number): boolean {
  return ms >= firstMs && ms <= lastMs;
}

/** `2026-01-02T03:04:05Z` from milliseconds since the epoch. */
export function formatTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** `2026-01-02T03:04:05.000000Z` from milliseconds since the epoch; fractions of a millisecond are kept. */
export function formatMicroTime(ms: number): string {
  const micros = Math.floor((ms - Math.floor(ms)) * 1000);
  return `${new Date(Math.floor(ms)).toISOString().slice(0, 23)}${String(micros).padStart(3, '0')}Z`;
}

/** Milliseconds since the epoch; undefined when the text is no RFC 3339 time, or none that can be written in UTC. */
export function parseTime(text: string): number | undefined {
  if (!rfc3339.test(text) || !isDay(text.slice(0, 10)) || text.slice(11, 13) === '24') return undefined;
  const ms = Date.parse(text);
  return isWritable(ms) ? ms : undefined;
}

/** `Date.parse` takes the 31st of any month. */
function isDay(date: string): boolean {
  const ms = Date.parse(`${date}T00:00:00Z`);
  return isWritable(ms) && new Date(ms).getUTCDate() === Number(date.slice(8));
}

/** The canonical text with seconds; undefined when the text is no time. */
export function canonicalSeconds(text: string): string | undefined {
  const ms = parseTime(text);
  if (ms !== undefined && canonicalTime.test(text)) return text;
  return ms === undefined ? undefined : formatTime(Math.floor(ms / 1000) * 1000);
}

/** The canonical text with microseconds; undefined when the text is no time. */
export function canonicalMicros(text: string): string | undefined {
  const match = rfc3339.exec(text);
  const ms = parseTime(text);
  if (match === null || ms === undefined) return undefined;
  const micros = (match[7] ?? '').padEnd(6, '0').slice(0, 6);
  return `${formatTime(Math.floor(ms / 1000) * 1000).slice(0, 19)}.${micros}Z`;
}
