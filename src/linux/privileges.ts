import { readFileSync } from 'node:fs';
import { libc } from './libc.ts';

/** Whom a process may become. */
export interface User {
  readonly uid: number;
  /** The only group. */
  readonly gid: number;
}

/** Numbers of linux/capability.h. */
const capabilities = { CAP_NET_BIND_SERVICE: 10, CAP_NET_ADMIN: 12 } as const;
export type Capability = keyof typeof capabilities;

const PR_SET_KEEPCAPS = 8;
const PR_SET_NO_NEW_PRIVS = 38;
/** _LINUX_CAPABILITY_VERSION_3: two words of each set. */
const capabilityVersion = 0x20080522;

/**
 * Makes root another user for good. The C library does it in every thread (nptl(7)). On Linux the calling thread, and no
 * other that is there, keeps those of its capabilities that `keep` names, and
 * neither it nor what it starts can get any back (no_new_privs). Only on the main thread. Throws the system's error when this
 * process may not; what it did until then stays, so end the process.
 */
export function becomeUser(user: User, keep: readonly Capability[]): void {
  const { setgroups, setgid, setuid } = process;
  if (setgroups === undefined || setgid === undefined || setuid === undefined)
    throw new Error(`there are no users to become on ${process.platform}`);
  const isLinux = process.platform === 'linux';
  const kept = isLinux ? permittedOf(keep) : [];
  if (isLinux) libc().prctl(PR_SET_KEEPCAPS, 1);
  setgroups([user.gid]);
  setgid(user.gid);
  setuid(user.uid);
  if (!isLinux) return;
  setCapabilities(kept);
  libc().prctl(PR_SET_NO_NEW_PRIVS, 1);
}

/** Numbers of those capabilities that the calling thread has. */
function permittedOf(names: readonly Capability[]): number[] {
  const text = /^CapPrm:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/thread-self/status', 'utf8'))?.[1] ?? '0';
  const permitted = BigInt(`0x${text}`);
  return names.map((name) => capabilities[name]).filter((bit) => ((permitted >> BigInt(bit)) & 1n) === 1n);
}

/** Gives the calling thread exactly these, and nothing to inherit. */
function setCapabilities(bits: readonly number[]): void {
  const header = Buffer.alloc(8);
  header.writeUInt32LE(capabilityVersion);
  const [low] = Uint32Array.of(bits.reduce((set, bit) => set | (1 << bit), 0));
  const data = Buffer.alloc(24);
  // Effective, permitted and inheritable of capabilities 0 to 31, then the same of 32 to 63.
  data.writeUInt32LE(low ?? 0, 0);
  data.writeUInt32LE(low ?? 0, 4);
  libc().capset(header, data);
}
