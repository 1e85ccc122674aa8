import { existsSync, statfsSync, statSync } from 'node:fs';

const CGROUP2_SUPER_MAGIC = 0x63677270;

/** Where cgroup v2 is mounted: alone, or beside v1. Undefined when it is not. */
export function cgroupRoot(): string | undefined {
  return ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'].find(isCgroup2);
}

/** Whether a folder is a cgroup v2. */
export function isCgroup2(folder: string): boolean {
  return existsSync(folder) && statSync(folder).isDirectory() && statfsSync(folder).type === CGROUP2_SUPER_MAGIC;
}
