import type { Connect } from './connection.ts';
import type { ExitCode } from './exit-codes.ts';
import type { SignalListener } from './signals.ts';

/** One flag of a command. Every flag can be written `--name value`, `--name=value`, `-x value` or `-xvalue`. */
export type OptionSpec = BooleanOption | StringOption | StringsOption | NumberOption | DurationOption;

interface OptionBase {
  /** One letter: `n` for `-n`. */
  readonly short?: string;
  /** One line for `--help`, without a full stop. */
  readonly summary: string;
}

/** On or off: `--watch`, `--watch=false`, `--no-watch`. Off unless `default` says otherwise; `unset` is undefined. */
export interface BooleanOption extends OptionBase {
  readonly type: 'boolean';
  readonly default?: boolean | 'unset';
}

/** One text; the last one given counts. */
export interface StringOption extends OptionBase {
  readonly type: 'string';
  /** Placeholder for `--help`: `NAME`. */
  readonly value: string;
  readonly choices?: readonly string[];
  readonly default?: string;
}

/** A text that may be given several times. */
export interface StringsOption extends OptionBase {
  readonly type: 'strings';
  readonly value: string;
}

/** A whole number, zero or more, unless `min` says otherwise. */
export interface NumberOption extends OptionBase {
  readonly type: 'number';
  readonly value: string;
  readonly min?: number;
  readonly max?: number;
  readonly default?: number;
}

/** A duration as Kubernetes writes it (`90s`, `5m`, `1h30m`, `0`), handed to the command in milliseconds. */
export interface DurationOption extends OptionBase {
  readonly type: 'duration';
  readonly value: string;
  /** Milliseconds. */
  readonly default?: number;
}

/** The flags of a command by their long name. */
export type OptionTable = Readonly<Record<string, OptionSpec>>;

/** One of the choices, where there are any. */
type TextOf<S extends OptionSpec> = S extends { choices: readonly (infer C extends string)[] } ? C : string;

type OptionValue<S extends OptionSpec> = S extends { type: 'boolean' }
  ? S extends { default: 'unset' }
    ? boolean | undefined
    : boolean
  : S extends { type: 'strings' }
    ? readonly string[]
    : S extends { type: 'number' | 'duration' }
      ? S extends { default: number }
        ? number
        : number | undefined
      : S extends { default: string }
        ? TextOf<S>
        : TextOf<S> | undefined;

/** What a command gets for its flags: a boolean, text, list or number for each long name. */
export type OptionValues<O extends OptionTable> = { readonly [K in keyof O]: OptionValue<O[K]> };

/** Where a command writes: a process stream, or a buffer in tests. */
export interface Output {
  write(text: string | Uint8Array): unknown;
  readonly isTTY?: boolean;
  /** Size of a terminal, in characters. */
  readonly columns?: number;
  readonly rows?: number;
  /** A terminal only: tells when its size changes. */
  on?(event: 'resize', listener: () => void): unknown;
  off?(event: 'resize', listener: () => void): unknown;
}

/** Where a command reads. */
export interface Input extends AsyncIterable<Uint8Array | string> {
  readonly isTTY?: boolean;
  /** A terminal only: hand over every key as it is typed, Ctrl-C too. */
  setRawMode?(raw: boolean): unknown;
}

/** The world around a command. Commands use nothing of `process`, so tests can run them without one. */
export interface CommandIo {
  /** Opened when it is first asked for. */
  readonly stdin: () => Input;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Effective user id; 0 is root. */
  readonly uid: number;
  /** Aborts at the first Ctrl-C or SIGTERM; a second one ends the process. */
  readonly signal: AbortSignal;
  /** Gives every signal to a listener (for programs run on the user's behalf) until the result is disposed. */
  readonly takeSignals: (listener: SignalListener) => Disposable;
  /** How to reach an API server; commands use `connect` of `connection.ts`, which also reads their flags. */
  readonly connect: Connect;
}

/** What `run` gets: its flags and arguments, and the world. */
export interface CommandContext<O extends OptionTable = OptionTable> extends CommandIo {
  readonly options: OptionValues<O>;
  /** Arguments before `--`. */
  readonly args: readonly string[];
  /** Arguments after `--`; undefined when there was no `--`. */
  readonly rest: readonly string[] | undefined;
}

/** A line of `--help`: what one would type, and what it does. */
export interface Example {
  readonly command: string;
  readonly does: string;
}

/** One command of `fairlead`: everything its `--help` shows, and what it does. */
export interface Command<O extends OptionTable = OptionTable> {
  readonly name: string;
  /** One line for the list of commands, without a full stop. */
  readonly summary: string;
  /** Without the program's name: `get TYPE [NAME…] [flags]`. */
  readonly usage: readonly string[];
  /** More to read, wrapped by hand at 100 characters. */
  readonly description?: string;
  readonly options: O;
  readonly examples: readonly Example[];
  /** Expected failures are thrown: `CommandError`, `UsageError`, `ApiError`, `TransportError`. */
  run(context: CommandContext<O>): Promise<ExitCode>;
}

/** Checks a command's parts against each other; at run time it is the identity. */
export function defineCommand<const O extends OptionTable>(command: Command<O>): Command<O> {
  return command;
}

/** One line of the list in `bin/fairlead.ts`. The module is loaded only when its command, or its help, is asked for. */
export interface CommandEntry {
  readonly group: string;
  readonly name: string;
  readonly load: () => Promise<{ readonly command: Command }>;
}
