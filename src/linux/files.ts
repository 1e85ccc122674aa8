import { isErrno } from './errno.ts';
import { libc } from './libc.ts';

const FALLOC_FL_KEEP_SIZE = 1;
const FALLOC_FL_PUNCH_HOLE = 2;
const blockBytes = 4096;

/** Makes a named pipe. Throws `SystemError` (EEXIST when the name is taken). */
export function makeFifo(path: string, mode = 0o600): void {
  libc().makeFifo(path, mode);
}

/**
 * Gives the disk space of the first `length` bytes of a file back; they read as zeros, and the file keeps its length, so
 * writers that append notice nothing. Returns false where the file system cannot do it.
 */
export function releaseStart(fd: number, length: number): boolean {
  const whole = length - (length % blockBytes);
  if (whole === 0) return true;
  try {
    libc().fallocate(fd, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, 0, whole);
    return true;
  } catch (error) {
    if (isErrno(error, 'EOPNOTSUPP') || isErrno(error, 'ENOSYS')) return false;
    throw error;
  }
}
