import { existsSync } from 'node:fs';
import { isErrno } from '../../linux/errno.ts';
import { cgroupRoot, isCgroup2 } from '../../linux/cgroup.ts';
import { tryObject } from '../../linux/bpf/installation.ts';
import { pinObstacle } from '../../linux/bpf/pins.ts';
import { socketObject } from '../../linux/bpf/socket-object.ts';
import { networkCookie } from '../../linux/network-cookie.ts';
import { errorText } from '../../observe/log.ts';
import { nftablesObstacle } from '../nftables/obstacle.ts';
import { socketPlace, type SocketPlaceOptions } from './place.ts';

/**
 * Why the eBPF plane cannot run here; undefined when it can. Nothing is changed: the programs are loaded, which has the
 * kernel check each of them, and let go.
 */
export function ebpfObstacle(options: SocketPlaceOptions = {}): string | undefined {
  if (process.platform !== 'linux') return `eBPF is part of Linux, and this is ${process.platform}`;
  const misplaced = cgroupObstacle(options.cgroup);
  if (misplaced !== undefined) return misplaced;
  try {
    networkCookie();
    tryObject(socketObject());
  } catch (error) {
    if (isErrno(error, 'EPERM')) return 'no privilege to load eBPF programs (not root, no CAP_BPF and CAP_NET_ADMIN)';
    if (isErrno(error, 'ENOPROTOOPT')) return 'the eBPF plane needs Linux 5.14';
    return `eBPF: ${errorText(error)}`;
  }
  return pinObstacle(socketPlace(options).folder) ?? nftablesObstacle();
}

function cgroupObstacle(cgroup: string | undefined): string | undefined {
  const root = cgroupRoot();
  if (cgroup === undefined)
    return root === undefined ? 'cgroup v2 is not mounted at /sys/fs/cgroup or /sys/fs/cgroup/unified' : undefined;
  if (isCgroup2(cgroup)) return undefined;
  const fault = existsSync(cgroup) ? 'is not a folder of cgroup v2' : 'does not exist';
  const remedy =
    root === undefined ? 'mount cgroup v2' : `name a folder in ${root}, or leave it out to serve every process`;
  return `--cgroup: ${cgroup} ${fault}; ${remedy}`;
}
