import { ApiError } from '../../api/errors.ts';
import type { Status } from '../../api/meta/status.ts';
import type { ExecExit } from './backend.ts';

/** What the error stream says of an ended command (remotecommand protocol v4 and later). */
export function statusOfExit({ exitCode }: ExecExit): Status {
  if (exitCode === 0) return { metadata: {}, status: 'Success' };
  return {
    metadata: {},
    status: 'Failure',
    reason: 'NonZeroExitCode',
    message: `command terminated with non-zero exit code: ${exitCode}`,
    details: { causes: [{ reason: 'ExitCode', message: String(exitCode) }] },
  };
}

/** What the error stream says of a command that could not be run. */
export function statusOfFailure(error: unknown): Status {
  if (error instanceof ApiError) return error.status;
  const message = error instanceof Error ? error.message : String(error);
  return { metadata: {}, status: 'Failure', reason: 'InternalError', code: 500, message };
}
