import { exitCodes } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';

/** What a `CommandError` says beside its message. */
export interface CommandErrorOptions {
  /** Default: `exitCodes.failure`. */
  readonly code?: ExitCode;
  /** What the user can do about it, as one sentence or command. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/** An expected failure of a command. The message says what went wrong and where; it is printed without a stack. */
export class CommandError extends Error {
  override readonly name: string = 'CommandError';
  readonly code: ExitCode;
  readonly hint: string | undefined;
  constructor(message: string, options: CommandErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.code = options.code ?? exitCodes.failure;
    this.hint = options.hint;
  }
}

/** The command line is wrong. Exit code 2; `program.ts` adds where to find help. */
export class UsageError extends CommandError {
  override readonly name = 'UsageError';
  constructor(message: string, hint?: string) {
    super(message, hint === undefined ? { code: exitCodes.usage } : { code: exitCodes.usage, hint });
  }
}
