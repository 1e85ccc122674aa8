import { plainLine } from '../lib/plain-line.ts';

/** From chatty to grave; a logger prints its own level and everything graver. */
const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

/** Facts beside the message. An `Error` is printed with its causes; `undefined` is left out. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Where lines go: `process.stderr`, a file stream, or an array's `push` in a test. Each call is one whole line. */
export interface LogOutput {
  write(line: string): unknown;
}

export interface LoggerOptions {
  /** Part of the program that speaks, e.g. `proxy`; printed with every line. */
  readonly component: string;
  readonly level?: LogLevel;
  /** `text` for people (default), `json` for collectors: one object a line. */
  readonly format?: 'text' | 'json';
  readonly out: LogOutput;
  /** Unix milliseconds; only the time stamp of lines. */
  readonly now?: () => number;
}

/** A levelled, structured logger. Children share the output and add fields of their own. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds `fields` to every line; a `component` field replaces the component. */
  child(fields: LogFields): Logger;
  /** Whether lines of this level are printed: guards costly fields. */
  enabled(level: LogLevel): boolean;
}

/** One line before it is encoded. */
export interface LogLine {
  readonly timeMs: number;
  readonly level: LogLevel;
  readonly component: string;
  readonly message: string;
  readonly fields: LogFields;
}

/** A logger that writes one line a call to `options.out`, whatever is in what it is given. */
export function createLogger(options: LoggerOptions): Logger {
  const encode = options.format === 'json' ? encodeJson : encodeText;
  const now = options.now ?? Date.now;
  const threshold = logLevels.indexOf(options.level ?? 'info');
  const enabled = (level: LogLevel) => logLevels.indexOf(level) >= threshold;

  function make(component: string, base: LogFields): Logger {
    const at = (level: LogLevel) => (message: string, fields?: LogFields) => {
      if (!enabled(level)) return;
      const line = encode({ timeMs: now(), level, component, message, fields: { ...base, ...fields } });
      options.out.write(`${plainLine(line)}\n`);
    };
    return {
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      enabled,
      child: ({ component: name, ...fields }) =>
        make(typeof name === 'string' ? name : component, { ...base, ...fields }),
    };
  }
  return make(options.component, {});
}

/** A logger that says nothing: the default of parts that may run without one, and of tests. */
export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLogger,
  enabled: () => false,
};

/** `12:03:04.567 warn  proxy: message key=value`: UTC time, for reading on a terminal. */
function encodeText(line: LogLine): string {
  const time = new Date(line.timeMs).toISOString().slice(11, 23);
  const fields = Object.entries(line.fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}=${textValue(value)}`);
  return `${time} ${line.level.padEnd(5)} ${line.component}: ${line.message}${fields.join('')}`;
}

/** One JSON object: `time` (RFC 3339), `level`, `component`, `message`, then the fields. */
function encodeJson(line: LogLine): string {
  const { timeMs, fields, ...rest } = line;
  const values = Object.entries(fields).map(([key, value]) => [key, value instanceof Error ? errorText(value) : value]);
  return JSON.stringify({ time: new Date(timeMs).toISOString(), ...rest, ...Object.fromEntries(values) });
}

/** The message of an error and of every cause behind it: `no answer: connect ECONNREFUSED`. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : errorText(error.cause);
  return cause === '' || error.message.includes(cause) ? error.message : `${error.message}: ${cause}`;
}

function textValue(value: unknown): string {
  if (value instanceof Error) return JSON.stringify(errorText(value));
  if (typeof value === 'string') return /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
  return JSON.stringify(value) ?? String(value);
}
