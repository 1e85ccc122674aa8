import { isErrno } from '../../linux/errno.ts';
import { cgroupRoot } from '../../linux/cgroup.ts';
import { tryObject } from '../../linux/bpf/installation.ts';
import { socketObject } from '../../linux/bpf/socket-object.ts';
import { networkCookie } from '../../linux/network-cookie.ts';
import { errorText } from '../../observe/log.ts';
import { nftablesObstacle } from '../nftables/obstacle.ts';

/**
 * Why the eBPF plane cannot run here; undefined when it can. Nothing is changed: the programs are loaded, which has the
 * kernel check each of them, and let go.
 */
export function ebpfObstacle(): string | undefined {
  if (process.platform !== 'linux') return `eBPF is part of Linux, and this is ${process.platform}`;
  if (cgroupRoot() === undefined) return 'cgroup v2 is not mounted at /sys/fs/cgroup or /sys/fs/cgroup/unified';
  try {
    networkCookie();
    tryObject(socketObject());
  } catch (error) {
    if (isErrno(error, 'EPERM')) return 'no privilege to load eBPF programs (not root, no CAP_BPF and CAP_NET_ADMIN)';
    if (isErrno(error, 'ENOPROTOOPT')) return 'the eBPF plane needs Linux 5.14';
    return `eBPF: ${errorText(error)}`;
  }
  return nftablesObstacle();
}
