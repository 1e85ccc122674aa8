import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BpfObject, readBpfObject } from './elf.ts';

/** The socket load balancing programs (`socket.bpf.c`), as `build.sh` built them. */
export function socketObject(): BpfObject {
  return readBpfObject(readFileSync(join(import.meta.dirname, 'socket.bpf.o')));
}
