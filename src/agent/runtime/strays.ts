import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** What the processes to end have in common. */
export interface StrayMark {
  /** Session id (`setsid`). */
  readonly session?: number;
  /** Identity of a network namespace as `/proc/PID/ns/net` shows it: `net:[4026532247]`. */
  readonly network?: string;
  /** Start of a command line or environment entry: `FAIRLEAD_POD=…`. */
  readonly environment?: string;
}

/** Sends SIGKILL to every process that carries one of the marks, this one excepted; how many there were. */
export function killStrays(mark: StrayMark): number {
  const found = processIds().filter((pid) => pid !== process.pid && carries(pid, mark));
  for (const pid of found) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Ended meanwhile.
    }
  }
  return found.length;
}

function processIds(): readonly number[] {
  return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));
}

function carries(pid: number, { session, network, environment }: StrayMark): boolean {
  try {
    if (session !== undefined && sessionOf(pid) === session) return true;
    if (network !== undefined && readlinkSync(`/proc/${pid}/ns/net`) === network) return true;
    if (environment === undefined) return false;
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(environment);
  } catch {
    return false;
  }
}

/** Field 6 of /proc/PID/stat; the name before it may hold blanks and brackets. */
function sessionOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[3]);
}
