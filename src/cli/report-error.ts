import { ApiError } from '../api/errors.ts';
import { TransportError } from '../client/client.ts';
import { plainLine } from '../lib/plain-line.ts';
import { isErrno } from '../linux/errno.ts';
import { PlaneUnavailableError } from '../proxy/dataplane.ts';
import { StoreCorruptError, StoreLockedError, StoreOpenError, StoreWriteError } from '../store/errors.ts';
import { CommandError } from './command-error.ts';
import type { CommandIo } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';
import { palette } from './palette.ts';

/** What is printed for a failure, and the code that the process ends with. */
export interface FailureReport {
  readonly message: string;
  /** The message has lines of its own. */
  readonly isStack?: boolean;
  readonly hint?: string;
  readonly code: ExitCode;
}

/** Kubernetes `Status` reasons that have an exit code of their own. */
const codeOfReason: Readonly<Record<string, ExitCode>> = {
  NotFound: exitCodes.notFound,
  AlreadyExists: exitCodes.conflict,
  Conflict: exitCodes.conflict,
  Forbidden: exitCodes.forbidden,
  Unauthorized: exitCodes.forbidden,
  Timeout: exitCodes.timeout,
};

/** What users can mend in a data folder: the message says how. */
const storeFailures = [StoreOpenError, StoreCorruptError, StoreWriteError] as const;

/** Turns whatever a command threw into a message and an exit code. A defect of ours keeps its stack. */
export function describeFailure(error: unknown): FailureReport {
  if (error instanceof CommandError) return { message: error.message, hint: error.hint, code: error.code };
  if (!(error instanceof Error)) return { message: String(error), code: exitCodes.failure };
  if (error.name === 'AbortError') return { message: 'interrupted', code: exitCodes.interrupted };
  if (error instanceof ApiError)
    return { message: error.message, code: codeOfReason[error.reason] ?? exitCodes.failure };
  if (error instanceof TransportError) return unreachable(error);
  if (error instanceof PlaneUnavailableError) {
    const hint = 'fairlead doctor looks at this machine; --plane auto takes the best plane that runs here';
    return { message: error.message, hint, code: exitCodes.unsupported };
  }
  if (error instanceof StoreLockedError) return { message: error.message, code: exitCodes.conflict };
  if (storeFailures.some((kind) => error instanceof kind)) return { message: error.message, code: exitCodes.failure };
  if (isErrno(error, 'EADDRINUSE')) {
    return {
      message: error.message,
      hint: 'another program has it; choose another address or port',
      code: exitCodes.failure,
    };
  }
  if (isErrno(error, 'EPERM')) return { message: error.message, hint: 'it needs root', code: exitCodes.unsupported };
  if ('syscall' in error) return { message: error.message, code: exitCodes.failure };
  return {
    message: error.stack ?? error.message,
    isStack: true,
    hint: 'this is a defect of Fairlead; please report it with the lines above',
    code: exitCodes.failure,
  };
}

function unreachable(error: TransportError): FailureReport {
  if (error.aborted) return { message: 'interrupted', code: exitCodes.interrupted };
  const refused = /ECONNREFUSED/.test(`${error.message} ${String(error.cause)}`);
  return {
    message: error.message,
    hint: refused ? 'is it running? start it with: fairlead up' : 'fairlead doctor looks for what is in the way',
    code: exitCodes.notReachable,
  };
}

/** Prints a failure to stderr and returns its exit code. */
export function reportFailure(error: unknown, io: Pick<CommandIo, 'stderr' | 'env'>): ExitCode {
  const report = describeFailure(error);
  const paint = palette(io.stderr, io.env);
  const message =
    report.isStack === true ? report.message.split('\n').map(plainLine).join('\n') : plainLine(report.message);
  io.stderr.write(`${paint.red('error:')} ${message}\n`);
  if (report.hint !== undefined) io.stderr.write(`  ${report.hint}\n`);
  return report.code;
}
