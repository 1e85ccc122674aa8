/**
 * The exit codes of every command, the same everywhere so that scripts can rely on them. `docs/reference/exit-codes.md`
 * shows this table. `exec` and `fairlead exec -- CMD` instead pass on the code of the command they ran.
 */
export const exitCodes = {
  ok: 0,
  /** Something went wrong that has no code of its own. */
  failure: 1,
  /** The command line itself is wrong: an unknown flag, a missing argument. */
  usage: 2,
  /** A named object, file or resource type does not exist. */
  notFound: 3,
  /** No API server (or DNS server) answered. */
  notReachable: 4,
  /** The object exists already, was changed meanwhile, or another manager owns the field. */
  conflict: 5,
  /** The server knows who asks and refuses, or does not know who asks. */
  forbidden: 6,
  /** A wait ran out of time. */
  timeout: 7,
  /** This machine or user cannot do it: a missing kernel feature, privilege or program. */
  unsupported: 8,
  /** `exec`: the program was found but could not be started. */
  cannotExecute: 126,
  /** `exec`: the program was not found. */
  commandNotFound: 127,
  /** Ended by Ctrl-C. */
  interrupted: 130,
} as const;

/** A process exit code, 0 to 255. Commands return one of `exitCodes`, or the code of a program they ran. */
export type ExitCode = number;
