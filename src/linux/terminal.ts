import { libc } from './libc.ts';

/** A pseudo-terminal: `fd` is the side of whoever plays the screen, `path` the side of the programs. */
export interface Terminal {
  readonly fd: number;
  readonly path: string;
}

/** Opens a new pseudo-terminal. The caller closes `fd`. */
export function openTerminal(): Terminal {
  return libc().openTerminal();
}

/** Sets the window size of a terminal, from either side; its foreground programs get SIGWINCH. */
export function resizeTerminal(fd: number, columns: number, rows: number): void {
  const size = Buffer.alloc(8);
  size.writeUInt16LE(rows, 0);
  size.writeUInt16LE(columns, 2);
  libc().setWindowSize(fd, size);
}
