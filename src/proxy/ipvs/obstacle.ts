import { isErrno } from '../../linux/errno.ts';
import { type IpvsSocket, openIpvs } from '../../linux/ipvs.ts';
import type { VirtualServerId } from '../../linux/ipvs/servers.ts';
import { openNetfilter } from '../../linux/nftables/dump.ts';
import { Transaction } from '../../linux/nftables/transaction.ts';
import { openRoute } from '../../linux/route.ts';
import { readSysctl } from '../../linux/sysctl.ts';
import { errorText } from '../../observe/log.ts';
import { layouts } from '../nftables/schema.ts';
import { addConstants, constantsOf } from './ruleset.ts';

/** What every part of the plane is tried with: an address for documentation (RFC 5737), as kube-proxy does. */
const trialServer: VirtualServerId = { family: 'IPv4', protocol: 6, address: '198.51.100.0', port: 20_000 };

/**
 * Why the IPVS plane cannot run here; undefined when it can. Tries each part of it (a virtual server, a dummy link, the
 * companion rules) and takes it away again. May load the kernel's modules.
 */
export function ipvsObstacle(): string | undefined {
  if (process.platform !== 'linux') return `IPVS is part of Linux, and this is ${process.platform}`;
  try {
    using ipvs = openIpvs();
    if (ipvs === undefined) return 'this kernel has no IPVS (module ip_vs)';
    tryServer(ipvs);
    if (readSysctl('net.ipv4.vs.conntrack') === undefined) return 'this IPVS does not track connections (IP_VS_NFCT)';
    tryLink();
    tryRules();
    return undefined;
  } catch (error) {
    if (isErrno(error, 'EPERM')) return 'no privilege to change IPVS (not root, no CAP_NET_ADMIN)';
    return errorText(error);
  }
}

function tryServer(ipvs: IpvsSocket): void {
  const server = { id: trialServer, scheduler: 'rr', hasFallback: false, persistenceSeconds: undefined };
  const refused = ipvs.change([
    { kind: 'newServer', server },
    { kind: 'delServer', id: trialServer },
  ]);
  for (const error of refused.values()) throw error;
}

function tryLink(): void {
  using route = openRoute();
  const name = `fl-probe-${process.pid}`.slice(0, 15);
  route.createLink({ kind: 'dummy', name });
  route.deleteLink(name);
}

function tryRules(): void {
  using socket = openNetfilter();
  const table = `fairlead-probe-${process.pid}`;
  const transaction = new Transaction(socket);
  const nowhere = { podCidrs: [], clusterCidrs: [], serviceCidrs: [], nodePortAddresses: [] };
  addConstants(transaction, layouts.ip, constantsOf(layouts.ip, nowhere), table);
  transaction.deleteTable('ip', table);
  transaction.commit();
}
