import { readFileSync, writeFileSync } from 'node:fs';

/**
 * Reads a sysctl of the thread's network namespace: `net.ipv4.ip_forward`. Slashes separate a part that contains dots
 * (`net/ipv4/conf/eth0.1/forwarding`). Undefined when this kernel has no such setting.
 */
export function readSysctl(name: string): string | undefined {
  try {
    return readFileSync(sysctlPath(name), 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** Writes a sysctl of the thread's network namespace. Throws Node's file error (ENOENT, EACCES, EROFS). */
export function writeSysctl(name: string, value: string): void {
  writeFileSync(sysctlPath(name), value);
}

function sysctlPath(name: string): string {
  return `/proc/sys/${name.includes('/') ? name : name.replaceAll('.', '/')}`;
}
