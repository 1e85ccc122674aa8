import { closeSync, openSync } from 'node:fs';
import { libc } from './libc.ts';
import { mount, mountFlags } from './mounts.ts';

const kinds = { mnt: 0x20000, uts: 0x4000000, net: 0x40000000 } as const;
type NamespaceName = keyof typeof kinds;

/** `CLONE_FS`: root and working directory of the thread become its own. */
const ownDirectories = 0x200;

/** Which surroundings the thread gets for the time of a call. */
export interface PodNamespaces {
  /** Path of a network namespace to enter; undefined stays. */
  readonly network: string | undefined;
  /** Host name of a new UTS namespace; undefined keeps the host's. */
  readonly hostname: string | undefined;
}

/**
 * Runs `work` with the thread in a new mount namespace (whose mounts nobody else sees, while the host's unmounts reach
 * it) and in the given network, then comes back. Processes started inside keep all of it. `work` must be synchronous.
 */
export function inNewPodNamespaces<T>(namespaces: PodNamespaces, work: () => T): T {
  return comingBack(['mnt', 'net', 'uts'], () => {
    if (namespaces.network !== undefined) enter(namespaces.network, 'net');
    libc().unshare(kinds.mnt | (namespaces.hostname === undefined ? 0 : kinds.uts));
    if (namespaces.hostname !== undefined) libc().setHostName(namespaces.hostname);
    mount({ source: 'none', target: '/', flags: mountFlags.recursive | mountFlags.slave });
    return work();
  });
}

/** Runs `work` with the thread in the network, host name and mounts of a process, then comes back. Synchronous. */
export function inNamespacesOfProcess<T>(pid: number, work: () => T): T {
  return comingBack(['mnt', 'net', 'uts'], () => {
    const targets = (['net', 'uts', 'mnt'] as const).map((name) => {
      return { name, fd: openSync(`/proc/${pid}/ns/${name}`, 'r') };
    });
    try {
      for (const { name, fd } of targets) libc().setns(fd, kinds[name]);
    } finally {
      for (const { fd } of targets) closeSync(fd);
    }
    return work();
  });
}

/** Makes `root` (a mount of its own) the root of the thread's mount namespace; what was there before is out of reach. */
export function changeRoot(root: string): void {
  process.chdir(root);
  libc().pivotRoot('.', '.');
  libc().umount2('.', 2);
  process.chdir('/');
}

function enter(path: string, name: NamespaceName): void {
  const fd = openSync(path, 'r');
  try {
    libc().setns(fd, kinds[name]);
  } finally {
    closeSync(fd);
  }
}

function comingBack<T>(names: readonly NamespaceName[], work: () => T): T {
  const directory = process.cwd();
  // A thread that shares its directories with others may not enter a mount namespace: EINVAL (setns(2)).
  libc().unshare(ownDirectories);
  const homes = names.map((name) => ({ name, fd: openSync(`/proc/thread-self/ns/${name}`, 'r') }));
  try {
    return work();
  } finally {
    for (const { name, fd } of homes) {
      libc().setns(fd, kinds[name]);
      closeSync(fd);
    }
    // Entering a mount namespace moves the thread to its root directory.
    process.chdir(directory);
  }
}
