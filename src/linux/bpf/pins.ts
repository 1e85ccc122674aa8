import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  statfsSync,
  unlinkSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { isErrno } from '../errno.ts';
import { listMounts, mount, type MountPoint, unmount } from '../mounts.ts';
import { mayAdministerNetwork } from '../namespaces.ts';
import { bpfCall } from './syscall.ts';

/*
 * Pins: names in a bpf file system that keep maps and links in force without a process.
 */

const BPF_FS_MAGIC = 0xcafe4a11;
const usualMount = '/sys/fs/bpf';
/** The source of mounts that are ours to take away. */
const ownMark = 'fairlead';
const noMount: MountPoint = { root: '/', point: '/', source: '' };

/**
 * Makes a folder for pins. Where no bpf file system is, one is mounted (in the thread's mount namespace): at
 * `/sys/fs/bpf` for folders inside, else at the folder above. Throws `SystemError` or Node's file error.
 */
export function makePinFolder(folder: string): void {
  const at = mountFor(folder);
  if (!existsSync(at)) mkdirSync(at, { recursive: true });
  if (!isBpfFileSystem(at)) mount({ source: ownMark, target: at, type: 'bpf' });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
}

/** Why `makePinFolder` would not work; undefined when nothing is in the way. Changes nothing. */
export function pinObstacle(folder: string): string | undefined {
  const at = mountFor(folder);
  if (!isBpfFileSystem(at))
    return mayAdministerNetwork() ? undefined : `no bpf file system is mounted at ${at}, and no privilege to mount one`;
  try {
    accessSync(at, constants.W_OK);
    return undefined;
  } catch (error) {
    return `the bpf file system at ${at} cannot be written to (${isErrno(error, 'EROFS') ? 'mounted read-only' : 'not ours'})`;
  }
}

function mountFor(folder: string): string {
  return folder.startsWith(`${usualMount}/`) ? usualMount : dirname(folder);
}

/** Takes an empty folder away, the empty ones above it, and the mount when it is ours and nothing else is in it. */
export function removePinFolder(folder: string): void {
  const mounts = listMounts().filter(({ point }) => folder === point || folder.startsWith(`${point}/`));
  const root = mounts.reduce((longest, each) => (each.point.length >= longest.point.length ? each : longest), noMount);
  for (let at = folder; at !== root.point; at = dirname(at)) if (!removeEmpty(at)) return;
  if (root.source === ownMark && isEmptyRoot(root.point)) unmount(root.point);
}

/** Gives a map or link a name; one that was there goes in the same step. */
export function pin(fd: number, path: string): void {
  const fresh = `${path}-new`;
  unpin(fresh);
  bpfCall('pin', 16, { 0: Buffer.from(`${fresh}\0`), 8: fd });
  renameSync(fresh, path);
}

/** Opens what is pinned; undefined when nothing is. */
export function openPinned(path: string): number | undefined {
  try {
    return bpfCall('openPinned', 16, { 0: Buffer.from(`${path}\0`) });
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Takes a name away; a link without another name or descriptor detaches. */
export function unpin(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}

/** Names with a dot are the kernel's own. */
function isEmptyRoot(folder: string): boolean {
  return readdirSync(folder).every((name) => name.includes('.'));
}

function isBpfFileSystem(folder: string): boolean {
  return existsSync(folder) && statfsSync(folder).type === BPF_FS_MAGIC;
}

function removeEmpty(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return true;
    if (isErrno(error, 'ENOTEMPTY')) return false;
    throw error;
  }
}
