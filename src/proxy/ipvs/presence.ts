import { findTable, openNetfilter } from '../../linux/nftables/dump.ts';
import { openRoute } from '../../linux/route.ts';
import { linkName, tableName } from './schema.ts';

/** Whether an IPVS plane left its link or a table. False without the privilege to look. */
export function hasIpvsPlane(): boolean {
  if (process.platform !== 'linux') return false;
  try {
    using route = openRoute();
    if (route.link(linkName) !== undefined) return true;
    using socket = openNetfilter();
    return (['ip', 'ip6'] as const).some((family) => findTable(socket, family, tableName) !== undefined);
  } catch {
    return false;
  }
}
