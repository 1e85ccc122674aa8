import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { isErrno } from './errno.ts';
import { libc } from './libc.ts';
import { bindMount, listMounts, mount, mountFlags, unmount } from './mounts.ts';
import { openRoute } from './route.ts';

const CLONE_NEWNET = 0x40000000;
const CLONE_NEWNS = 0x20000;
const threadNet = '/proc/thread-self/ns/net';
const threadMounts = '/proc/thread-self/ns/mnt';

/**
 * Moves the calling thread into a new, empty network namespace for good, and turns `lo` up. For tests: everything the
 * thread opens or starts from now on lives there, and the machine's own network stays untouched.
 */
export function isolateNetwork(): void {
  libc().unshare(CLONE_NEWNET);
  turnLoopbackUp();
}

/**
 * Makes a network namespace with `lo` up that lives until `removeNetworkNamespace`, also without a process in it: a
 * bind mount on the file `path`, which is made with its folder. An existing mount there is left as it is.
 */
export function createNetworkNamespace(path: string): void {
  if (isNetworkNamespace(path)) return;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, '', { flag: 'a' });
  stepIntoAndBack(threadNet, CLONE_NEWNET, () => {
    libc().unshare(CLONE_NEWNET);
    turnLoopbackUp();
    bindMount(threadNet, path);
  });
}

/** Whether a namespace is mounted at `path`. */
export function isNetworkNamespace(path: string): boolean {
  if (!existsSync(path)) return false;
  return listMounts().some(({ root, point }) => point === path && root.startsWith('net:['));
}

/** Takes the mount and its file away; the kernel ends the namespace when its last process and socket are gone. */
export function removeNetworkNamespace(path: string): void {
  try {
    unmount(path);
  } catch (error) {
    if (!isErrno(error, 'EINVAL') && !isErrno(error, 'ENOENT')) throw error;
  }
  rmSync(path, { force: true });
}

/**
 * Runs `work` with the thread inside the network namespace at `path` (a mount, or `/proc/PID/ns/net`), then comes back.
 * Sockets opened and processes started inside stay there. `work` must be synchronous: the whole thread has moved. Note
 * that `node:net` opens its sockets later than the call; give it descriptors opened here, or start a process.
 */
export function inNetworkNamespace<T>(path: string, work: () => T): T {
  return stepIntoAndBack(threadNet, CLONE_NEWNET, () => {
    enterNetworkNamespace(path);
    return work();
  });
}

/** Moves the calling thread into the network namespace at `path` for good: for a worker that lives there. */
export function enterNetworkNamespace(path: string): void {
  const target = openSync(path, 'r');
  try {
    libc().setns(target, CLONE_NEWNET);
  } finally {
    closeSync(target);
  }
}

/**
 * Runs `work` with the thread in a new mount namespace whose mounts nobody else sees, then comes back. Processes started
 * inside keep it. The first call gives the thread a working directory and umask of its own (`CLONE_FS` ends).
 */
export function inNewMountNamespace<T>(work: () => T): T {
  return stepIntoAndBack(threadMounts, CLONE_NEWNS, () => {
    libc().unshare(CLONE_NEWNS);
    mount({ source: 'none', target: '/', flags: mountFlags.recursive | mountFlags.private });
    return work();
  });
}

/** Whether this process may make network namespaces and change networks (CAP_SYS_ADMIN and CAP_NET_ADMIN). */
export function mayAdministerNetwork(): boolean {
  if (process.platform !== 'linux') return false;
  const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  const capabilities = BigInt(`0x${effective}`);
  const needed = (1n << 12n) | (1n << 21n);
  return (capabilities & needed) === needed;
}

function stepIntoAndBack<T>(own: string, type: number, work: () => T): T {
  const home = openSync(own, 'r');
  const directory = process.cwd();
  try {
    return work();
  } finally {
    libc().setns(home, type);
    closeSync(home);
    // Entering a mount namespace moves the thread to its root directory.
    if (type === CLONE_NEWNS) process.chdir(directory);
  }
}

function turnLoopbackUp(): void {
  using route = openRoute();
  route.setLink('lo', { up: true });
}
