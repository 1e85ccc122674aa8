import { isErrno, SystemError } from '../errno.ts';
import type { BpfMap } from './map.ts';
import type { BpfObject, ObjectProgram } from './elf.ts';
import { bpf, BpfAttributes, bpfCall, bpfInfo } from './syscall.ts';

/** Hooks of a cgroup by program name, with their number (`enum bpf_attach_type`, linux/bpf.h). */
const attachTypes: Readonly<Record<string, number>> = {
  connect4: 10,
  connect6: 11,
  sendmsg4: 14,
  sendmsg6: 15,
  recvmsg4: 19,
  recvmsg6: 20,
  getpeername4: 29,
  getpeername6: 30,
};

const BPF_PROG_TYPE_CGROUP_SOCK_ADDR = 18;
const BPF_PSEUDO_MAP_FD = 1;
const logBytes = 1 << 20;

function attachType(name: string): number {
  const type = attachTypes[name];
  if (type === undefined) throw new RangeError(`no cgroup hook is called ${name}`);
  return type;
}

/**
 * Loads a program with its maps. Returns its descriptor. Throws `SystemError`; when the verifier refused the program, its
 * log is in the message.
 */
export function loadProgram(
  { license }: BpfObject,
  program: ObjectProgram,
  maps: Readonly<Record<string, BpfMap>>,
): number {
  const fields = {
    0: BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
    4: program.instructions.length / 8,
    8: linked(program, maps),
    16: Buffer.from(`${license}\0`),
    68: attachType(program.name),
  };
  const load = (more: Readonly<Record<number, number | Buffer>>): number => {
    const attributes = new BpfAttributes(72, { ...fields, ...more });
    attributes.bytes.write(program.name.slice(0, 15), 48, 'latin1');
    return bpf('loadProgram', attributes);
  };
  try {
    return load({});
  } catch (error) {
    if (!(error instanceof SystemError) || isErrno(error, 'EPERM')) throw error;
    throw new SystemError(`load ${program.name}`, error.errno, verifierLog(load));
  }
}

/** The instructions with descriptors of maps in place of references. */
function linked({ name, instructions, uses }: ObjectProgram, maps: Readonly<Record<string, BpfMap>>): Buffer {
  const bytes = Buffer.from(instructions);
  for (const { offset, map } of uses) {
    const fd = maps[map]?.fd;
    if (fd === undefined) throw new Error(`${name} uses the map ${map}, which there is not`);
    bytes.writeUInt8((bytes.readUInt8(offset + 1) & 0x0f) | (BPF_PSEUDO_MAP_FD << 4), offset + 1);
    bytes.writeInt32LE(fd, offset + 4);
  }
  return bytes;
}

/** Loads once more, for the reason: a log is costly, and only wanted then. Returns its end. */
function verifierLog(load: (more: Readonly<Record<number, number | Buffer>>) => number): string {
  const log = Buffer.alloc(logBytes);
  try {
    load({ 24: 1, 28: logBytes, 32: log });
  } catch {
    // Expected: the log says why.
  }
  const text = log.toString('latin1', 0, log.indexOf(0)).trimEnd();
  return text.split('\n').slice(-30).join('\n');
}

/** Attaches a program to the hook of its name in a cgroup (an open folder), beside those of others. Returns a link. */
export function createLink(programFd: number, cgroupFd: number, name: string): number {
  return bpfCall('createLink', 16, { 0: programFd, 4: cgroupFd, 8: attachType(name) });
}

/** Puts a program in the place of a link's: no call in between goes without. */
export function updateLink(linkFd: number, programFd: number): void {
  bpfCall('updateLink', 16, { 0: linkFd, 4: programFd });
}

/** Takes a link's program out of force at once; without effect when its cgroup is gone. */
export function detachLink(linkFd: number): void {
  bpfCall('detachLink', 4, { 0: linkFd });
}

/** Whether a link is in force at the hook `name` of the cgroup with this id (its folder's inode number). */
export function isLinkAt(linkFd: number, name: string, cgroupId: bigint): boolean {
  const info = bpfInfo(linkFd, 32);
  return info.readBigUInt64LE(16) === cgroupId && info.readUInt32LE(24) === attachType(name);
}
