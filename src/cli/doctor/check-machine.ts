import { dirname } from 'node:path';
import type { Finding } from './checks.ts';
import type { Host } from './host.ts';

/** Root, or what is reduced without. */
export function checkPrivileges(host: Host): Finding {
  const check = 'privileges';
  if (host.administersNetwork) return { check, state: 'ok', found: host.uid === 0 ? 'root' : 'network administration' };
  return {
    check,
    state: 'warn',
    found: host.uid === 0 ? 'root without CAP_SYS_ADMIN or CAP_NET_ADMIN (a container?)' : `user ${host.uid}`,
    why: 'without them Pods are plain processes on loopback addresses and the userspace plane is used',
    todo: host.uid === 0 ? 'start the container privileged' : 'for network namespaces and nftables: sudo ./fairlead up',
  };
}

const userNamespaceGates = [
  { path: '/proc/sys/user/max_user_namespaces', closed: '0' },
  { path: '/proc/sys/kernel/unprivileged_userns_clone', closed: '0' },
  { path: '/proc/sys/kernel/apparmor_restrict_unprivileged_userns', closed: '1' },
] as const;

/** Namespaces of the kind that this user needs. */
export function checkNamespaces(host: Host): Finding {
  const check = 'namespaces';
  if (host.platform !== 'linux') return { check, state: 'warn', found: 'none', why: 'only Linux has them' };
  if (host.administersNetwork) return { check, state: 'ok', found: 'network and mount namespaces' };
  const gate = userNamespaceGates.find(({ path, closed }) => host.read(path) === closed);
  if (gate === undefined) return { check, state: 'ok', found: 'user namespaces' };
  return {
    check,
    state: 'warn',
    found: `user namespaces are closed (${gate.path} is ${gate.closed})`,
    why: 'fairlead exec -- PROGRAM shows a program the cluster DNS in a namespace of its own',
    todo: 'use it with sudo, or ask the cluster DNS with: fairlead dig NAME',
  };
}

/** Control groups of version 2 that containers can be put into. */
export function checkCgroups(host: Host): Finding {
  const check = 'cgroups';
  const mounts = (host.read('/proc/self/mounts') ?? '').split('\n').map((line) => line.split(' '));
  const path = mounts.find((fields) => fields[2] === 'cgroup2')?.[1];
  if (path !== undefined && host.isWritable(path)) return { check, state: 'ok', found: `version 2 at ${path}` };
  if (host.uid !== 0) return { check, state: 'ok', found: 'not for this user (processes are found in /proc)' };
  return {
    check,
    state: 'warn',
    found: path === undefined ? 'no cgroup2 file system' : `${path} is read-only`,
    why: 'they end everything that a container has started; without them Fairlead searches /proc for it',
    todo:
      path === undefined
        ? 'mount it: mount -t cgroup2 none /sys/fs/cgroup'
        : `mount it writable: mount -o remount,rw ${path}`,
  };
}

/** Whether state can be written. */
export function checkData(host: Host): Finding {
  const check = 'data folder';
  const { dataFolder } = host;
  let existing = dataFolder;
  while (!host.exists(existing)) existing = dirname(existing);
  if (host.isWritable(existing)) return { check, state: 'ok', found: dataFolder };
  return {
    check,
    state: 'fail',
    found: `${dataFolder} cannot be written`,
    why: 'objects, certificates and logs are kept there',
    todo: 'name another one: fairlead up --data DIR',
  };
}

/** How many files and sockets one process may have open. */
export function checkOpenFiles(host: Host): Finding {
  const check = 'open files';
  const limit = /^Max open files\s+(\d+)/m.exec(host.read('/proc/self/limits') ?? '')?.[1];
  if (limit === undefined || Number(limit) >= 4096) return { check, state: 'ok', found: limit ?? 'no limit known' };
  return {
    check,
    state: 'warn',
    found: limit,
    why: 'every watch, probe and proxied connection is an open file',
    todo: 'raise it before starting: ulimit -n 65536',
  };
}
