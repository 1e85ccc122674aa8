import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Collects all garbage and gives the pages back to the system, which V8 does not do by itself while a process is idle: a
 * start reads everything at once, and would keep twice the memory for good. Stops the process for as long as a full
 * collection takes, so it is for the moment after a start.
 */
export function giveBackMemory(): void {
  setFlagsFromString('--expose-gc');
  const collect: (options: object) => void = runInNewContext('gc');
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
