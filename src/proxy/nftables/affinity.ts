import type { NetlinkSocket } from '../../linux/netlink/socket.ts';
import { findElements } from '../../linux/nftables/dump.ts';
import type { Frontend } from '../../routing/frontend.ts';
import type { ElementView } from '../../linux/nftables/element-view.ts';
import { parseClassName } from './classes.ts';
import { addressKey, backendsKey, frontendKey, numberedKey, rangeEnd, readBackendData } from './keys.ts';
import { layouts, memories, type SetName, shelfSet, spaceOf, spaces, specOf, tableName } from './schema.ts';

/** A client's call, as affinity remembers it. */
export interface RememberedCall {
  readonly source: string;
  readonly destination: string;
  readonly frontend: Frontend;
  readonly isInsider: boolean;
}

/** The backend that client affinity holds for a call; undefined when it remembers none (yet, or any more). */
export function rememberedBackend(socket: NetlinkSocket, call: RememberedCall): string | undefined {
  const { source, destination, frontend, isInsider } = call;
  const space = spaceOf(frontend);
  const key = Buffer.concat([addressKey(source), backendsKey({ ...frontend, address: destination })]);
  const find = finder(socket, frontend.family);
  const dataOf = (set: SetName, at: Buffer) => find(set, at, (element) => element.data());
  const outside = isInsider ? undefined : dataOf(memories[space].outside, key);
  const slot = outside ?? dataOf(memories[space].inside, key);
  if (slot === undefined) return undefined;
  const backends = shelfSet(spaces[space].backends, shelfOf(find, frontend));
  const backend = dataOf(backends, numberedKey(backendsKey(frontend), slot.readUInt32LE(0)));
  return backend && readBackendData(backend, space === 'range' ? frontend.port : undefined);
}

type Find = <T>(set: SetName, key: Buffer, read: (element: ElementView) => T, keyEnd?: Buffer) => T | undefined;

function finder(socket: NetlinkSocket, family: Frontend['family']): Find {
  const layout = layouts[family === 'IPv4' ? 'ip' : 'ip6'];
  return (set, key, read, keyEnd) => {
    let found: ReturnType<typeof read> | undefined;
    const keys = [{ key, keyEnd }];
    findElements(socket, layout.family, tableName, specOf(layout, set), keys, (element) => (found = read(element)));
    return found;
  };
}

/** The shelf of a frontend's backends, by its class. */
function shelfOf(find: Find, frontend: Frontend): number {
  const { classes } = spaces[spaceOf(frontend)];
  const number = find(classes, frontendKey(frontend), (element) => element.data(), rangeEnd(frontend));
  const chain = number && find('classes', number, (element) => element.chain());
  return parseClassName(chain ?? '')?.shelf ?? 0;
}
