import { constants } from 'node:os';

// Two numbers have two names each: EAGAIN and EOPNOTSUPP are the ones the kernel's documents use.
const aliases = new Set(['EWOULDBLOCK', 'ENOTSUP']);
const names = new Map<number, string>(
  Object.entries(constants.errno)
    .filter(([name]) => !aliases.has(name))
    .map(([name, number]) => [number, name]),
);

/** `EPERM` for 1; `errno 524` for a number without a name in Node's table. */
export function errnoName(errno: number): string {
  return names.get(errno) ?? `errno ${errno}`;
}

/** A system call or netlink request that the kernel refused. `code` is the errno name, as in Node's own errors. */
export class SystemError extends Error {
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;
  readonly detail: string;

  /** `detail` is what the kernel or the caller adds: a path, an extended acknowledgement text. */
  constructor(syscall: string, errno: number, detail = '') {
    super(`${syscall}: ${errnoName(errno)}${detail === '' ? '' : ` (${detail})`}`);
    this.name = 'SystemError';
    this.code = errnoName(errno);
    this.errno = errno;
    this.syscall = syscall;
    this.detail = detail;
  }
}

/** Whether an error is a refused system call with this errno name. */
export function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
