import { readFileSync } from 'node:fs';

/**
 * Start time of a process in clock ticks since boot (field 22 of `/proc/PID/stat`, proc(5)); undefined when there is no
 * such process. With the pid it names a process for good, however often pids are used again.
 */
export function processStart(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
