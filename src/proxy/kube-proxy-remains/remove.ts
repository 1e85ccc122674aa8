import { destroyIpset, listIpsets } from '../../linux/ipset.ts';
import { openIpvs } from '../../linux/ipvs.ts';
import type { NetlinkSocket } from '../../linux/netlink/socket.ts';
import { findTable, openNetfilter } from '../../linux/nftables/dump.ts';
import { Transaction } from '../../linux/nftables/transaction.ts';
import type { ListedVirtualServer } from '../../linux/ipvs/servers.ts';
import { openRoute } from '../../linux/route.ts';
import { hasIpvsPlane } from '../ipvs/presence.ts';
import { counted, removeIptablesLegacy, removeIptablesNft } from './iptables.ts';

const nftablesTable = 'kube-proxy';
/** The link on which kube-proxy puts the addresses of Services in ipvs mode. */
const ipvsLink = 'kube-ipvs0';

/**
 * Takes away what a kube-proxy left that runs no more, of every mode, and says what it was. Needs root; throws the
 * kernel's error. Chains of the kubelet stay. Connections that the kernel tracks go on.
 */
export function removeKubeProxy(): readonly string[] {
  using socket = openNetfilter();
  return [
    ...removeTables(socket),
    ...removeIptablesNft(socket),
    ...removeIptablesLegacy(),
    ...removeIpsets(socket),
    ...removeIpvs(),
  ];
}

function removeTables(socket: NetlinkSocket): readonly string[] {
  const families = (['ip', 'ip6'] as const).filter((family) => findTable(socket, family, nftablesTable) !== undefined);
  const transaction = new Transaction(socket);
  for (const family of families) transaction.deleteTable(family, nftablesTable);
  transaction.commit();
  return families.map((family) => `table ${family} ${nftablesTable} of nftables`);
}

/** Lists of sets hold others, so those that are in use at first go in a later round. */
function removeIpsets(socket: NetlinkSocket): readonly string[] {
  const wanted = listIpsets(socket).filter((name) => name.startsWith('KUBE-'));
  let left = wanted;
  for (let before = Infinity; left.length > 0 && left.length < before;) {
    before = left.length;
    left = left.filter((name) => !destroyIpset(socket, name));
  }
  const count = wanted.length - left.length;
  return [
    ...(count > 0 ? [counted(count, 'ipset')] : []),
    ...left.map((name) => `not ipset ${name}: something uses it`),
  ];
}

/**
 * kube-proxy's link is where the addresses of its virtual servers are. Where this proxy has no virtual servers itself,
 * those of node ports go too, as kube-proxy's own clean-up does.
 */
function removeIpvs(): readonly string[] {
  using route = openRoute();
  const link = route.link(ipvsLink);
  if (link === undefined) return [];
  const onLink = route.addresses().filter(({ linkIndex }) => linkIndex === link.index);
  const own = new Set(onLink.map(({ address }) => address.split('/')[0]));
  using ipvs = openIpvs();
  const isTheirs = ({ id }: ListedVirtualServer) => 'address' in id && (own.has(id.address) || !hasIpvsPlane());
  const servers = (ipvs?.servers() ?? []).filter(isTheirs);
  ipvs?.change(servers.map(({ id }) => ({ kind: 'delServer', id })));
  route.deleteLink(ipvsLink);
  return [`link ${ipvsLink}`, ...(servers.length > 0 ? [`${counted(servers.length, 'virtual server')} of IPVS`] : [])];
}
