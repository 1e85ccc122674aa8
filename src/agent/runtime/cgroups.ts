import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { shortHash } from './layout.ts';

/**
 * Control groups (version 2), only to find and kill: everything a container started is in its group, whatever it did to
 * escape. `none` where the machine has no writable cgroup2 file system.
 */
export interface Cgroups {
  readonly isAvailable: boolean;
  /** Makes the group and returns the file to which processes write themselves; undefined without cgroups. */
  create(podUid: string, name: string): string | undefined;
  /** Moves a process into a group of the Pod. */
  add(podUid: string, name: string, pid: number): void;
  /** SIGKILL to everything in the group. Returns false without such a group. */
  kill(podUid: string, name: string): boolean;
  /** Kills and removes a Pod's groups, or all groups of this data folder. */
  remove(podUid?: string): Promise<void>;
}

/** The groups of the data folder with this hash. */
export function openCgroups(hash: string): Cgroups {
  const mount = unifiedMount();
  const base = mount === undefined ? undefined : join(mount, `fairlead-${hash}`);
  return base === undefined || !mayMake(base) ? noCgroups : cgroupsAt(base);
}

/** Where cgroup2 is mounted. */
function unifiedMount(): string | undefined {
  if (!existsSync('/proc/self/mounts')) return undefined;
  const lines = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  return lines.map((line) => line.split(' ')).find((fields) => fields[2] === 'cgroup2')?.[1];
}

function mayMake(path: string): boolean {
  try {
    mkdirSync(path, { recursive: true });
    return existsSync(join(path, 'cgroup.kill'));
  } catch {
    return false;
  }
}

const noCgroups: Cgroups = {
  isAvailable: false,
  create: () => undefined,
  add() {},
  kill: () => false,
  remove: async () => {},
};

function cgroupsAt(base: string): Cgroups {
  // Pod uids of mirror-like origin may hold any character; groups are named by what a path takes.
  const podPath = (uid: string) => join(base, /^[\w-]+$/.test(uid) ? uid : shortHash(uid));
  const path = (uid: string, name: string) => join(podPath(uid), name);
  return {
    isAvailable: true,
    create(uid, name) {
      mkdirSync(path(uid, name), { recursive: true });
      return join(path(uid, name), 'cgroup.procs');
    },
    add(uid, name, pid) {
      try {
        if (!existsSync(path(uid, name))) mkdirSync(path(uid, name));
        writeFileSync(join(path(uid, name), 'cgroup.procs'), String(pid));
      } catch {
        // It has ended already.
      }
    },
    kill: (uid, name) => killGroup(path(uid, name)),
    remove: (uid) => removeTree(uid === undefined ? base : podPath(uid)),
  };
}

function killGroup(path: string): boolean {
  try {
    writeFileSync(join(path, 'cgroup.kill'), '1');
    return true;
  } catch {
    return false;
  }
}

/** Kills what is inside and removes the groups from the leaves up; the kernel needs a moment to reap. */
async function removeTree(path: string): Promise<void> {
  if (!existsSync(path)) return;
  killGroup(path);
  for (let waited = 0; waited < 2000; waited += 2) {
    if (tryRemove(path)) return;
    await delay(2);
  }
  throw new Error(`processes in ${path} do not end`);
}

function tryRemove(path: string): boolean {
  try {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      if (entry.isDirectory() && !tryRemove(join(path, entry.name))) return false;
    }
    rmdirSync(path);
    return true;
  } catch {
    return !existsSync(path);
  }
}
