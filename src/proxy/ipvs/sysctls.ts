import { release } from 'node:os';
import { readSysctl, writeSysctl } from '../../linux/sysctl.ts';

/** The first kernel whose IPVS reuses a client's port without a second's delay (conn_reuse_mode 1). */
const reuseIsFixed = [5, 9] as const;

/**
 * What IPVS needs of the thread's network namespace. Only what differs is written, and none of it is taken back: others
 * may have come to rely on it.
 */
export function tuneKernel(strictArp: boolean): void {
  for (const [name, value] of wantedSysctls(release(), strictArp)) {
    if (readSysctl(name) !== value) writeSysctl(name, value);
  }
}

/** Sysctls and their values, on a kernel release such as `6.1.0-28-amd64`. Pure. */
export function wantedSysctls(kernel: string, strictArp: boolean): readonly (readonly [string, string])[] {
  return [
    // IPVS leaves connections to connection tracking, so that nftables can masquerade them.
    ['net.ipv4.vs.conntrack', '1'],
    // A removed or quiescent backend loses its remembered clients at once.
    ['net.ipv4.vs.expire_nodest_conn', '1'],
    ['net.ipv4.vs.expire_quiescent_template', '1'],
    ...(isOlder(kernel, reuseIsFixed) ? [['net.ipv4.vs.conn_reuse_mode', '0'] as const] : []),
    ['net.ipv4.ip_forward', '1'],
    // Nobody answers ARP for an address that is not on the link that was asked.
    ...(strictArp
      ? ([
          ['net.ipv4.conf.all.arp_ignore', '1'],
          ['net.ipv4.conf.all.arp_announce', '2'],
        ] as const)
      : []),
  ];
}

function isOlder(kernel: string, [wantedMajor, wantedMinor]: readonly [number, number]): boolean {
  const [major = 0, minor = 0] = kernel.split('.').map((part) => Number.parseInt(part, 10));
  return major < wantedMajor || (major === wantedMajor && minor < wantedMinor);
}
