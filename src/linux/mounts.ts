import { readFileSync } from 'node:fs';
import { libc } from './libc.ts';

/** Flags of mount(2) and umount2(2) (linux/mount.h). */
export const mountFlags = {
  readOnly: 0x1,
  noSuid: 0x2,
  noDev: 0x4,
  noExec: 0x8,
  remount: 0x20,
  bind: 0x1000,
  recursive: 0x4000,
  private: 0x40000,
  slave: 0x80000,
} as const;

const MNT_DETACH = 2;

/** Mounts `source` on `target` in the thread's mount namespace. Throws `SystemError`. */
export function mount(options: {
  readonly source: string;
  readonly target: string;
  readonly type?: string;
  readonly flags?: number;
  readonly data?: string;
}): void {
  libc().mount(options.source, options.target, options.type ?? null, options.flags ?? 0, options.data ?? null);
}

/** Makes the file or folder `source` appear at `target` (which must exist) as well. */
export function bindMount(source: string, target: string): void {
  mount({ source, target, flags: mountFlags.bind });
}

/** Takes a mount away; users that are still inside keep it until they leave. */
export function unmount(target: string): void {
  libc().umount2(target, MNT_DETACH);
}

/** What is mounted where: the root of the mount inside its file system, the mount point, what it was mounted from. */
export interface MountPoint {
  readonly root: string;
  readonly point: string;
  /** A device, or whatever name was given to mount(2). */
  readonly source: string;
}

/** The mounts of the thread's mount namespace (proc_pid_mountinfo(5): ID PARENT DEVICE ROOT POINT … - TYPE SOURCE …). */
export function listMounts(): readonly MountPoint[] {
  const lines = readFileSync('/proc/thread-self/mountinfo', 'utf8').split('\n');
  return lines.map((line) => {
    const [, , , root = '', point = ''] = line.split(' ');
    const [, source = ''] = line.slice(line.indexOf(' - ') + 3).split(' ');
    return { root: unescapeOctal(root), point: unescapeOctal(point), source: unescapeOctal(source) };
  });
}

/** mountinfo writes spaces and the like as `\040`. */
function unescapeOctal(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCodePoint(Number.parseInt(digits, 8)));
}
