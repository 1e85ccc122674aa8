import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { isErrno } from './errno.ts';
import { listMounts } from './mounts.ts';
import { enterNetworkNamespace, inNetworkNamespace } from './namespaces.ts';

/** A network namespace of this machine. */
export interface NetworkNamespace {
  /** Its number in nsfs, by which the kernel tells namespaces apart while they live. */
  readonly inode: number;
  /** A path to enter it by: `/proc/PID/ns/net` of a process inside, or where it is mounted. */
  readonly path: string;
}

const own = '/proc/thread-self/ns/net';

/**
 * Every network namespace that this process may see, each once, the thread's own first: those of processes (by their
 * first thread) and those mounted anywhere in this mount namespace (`/run/netns` and the like). Takes about 5 µs a
 * process. Nothing is held open, so no namespace lives longer for it, and a path may be stale when it is used.
 */
export function listNetworkNamespaces(): readonly NetworkNamespace[] {
  const found = new Map<number, string>([[statSync(own).ino, own]]);
  for (const name of readdirSync('/proc')) {
    if (!/^\d/.test(name)) continue;
    const path = `/proc/${name}/ns/net`;
    note(found, path, () => inodeOf(readlinkSync(path)));
  }
  for (const { root, point } of listMounts()) note(found, point, () => inodeOf(root));
  return [...found].map(([inode, path]) => ({ inode, path }));
}

/**
 * Runs `work` with the thread in each network namespace of this machine, one after the other, then comes back. Those that
 * end meanwhile or may not be entered are left out. What `work` opens it has to close: an open socket keeps a namespace
 * alive. `work` must be synchronous.
 */
export function inEachNetworkNamespace(work: (namespace: NetworkNamespace) => void): void {
  const [home, ...others] = listNetworkNamespaces();
  if (home === undefined) return;
  work(home);
  inNetworkNamespace(own, () => {
    for (const namespace of others) if (entered(namespace)) work(namespace);
  });
}

/** Enters a namespace, unless it is gone, is another by now, or is not ours to enter. */
function entered({ inode, path }: NetworkNamespace): boolean {
  try {
    enterNetworkNamespace(path);
    return statSync(own).ino === inode;
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}

function note(found: Map<number, string>, path: string, read: () => number | undefined): void {
  try {
    const inode = read();
    if (inode !== undefined && !found.has(inode)) found.set(inode, path);
  } catch (error) {
    // Processes end while they are looked at, and others' may be hidden.
    if (!isGone(error)) throw error;
  }
}

function isGone(error: unknown): boolean {
  return ['ENOENT', 'ESRCH', 'EACCES', 'EPERM', 'EINVAL'].some((code) => isErrno(error, code));
}

/** `net:[4026531840]` → 4026531840. */
function inodeOf(link: string): number | undefined {
  const digits = /^net:\[(\d+)\]$/.exec(link)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
