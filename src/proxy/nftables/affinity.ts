import type { NetlinkSocket } from '../../linux/netlink/socket.ts';
import { findElements } from '../../linux/nftables/dump.ts';
import type { Frontend } from '../../routing/frontend.ts';
import { addressKey, backendsKey, numberedKey, readBackendData } from './keys.ts';
import { layouts, memories, type SetName, setSpecs, spaceOf, spaces, tableName } from './schema.ts';

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
  const dataOf = reader(socket, frontend.family);
  const outside = isInsider ? undefined : dataOf(memories[space].outside, key);
  const slot = outside ?? dataOf(memories[space].inside, key);
  if (slot === undefined) return undefined;
  const backend = dataOf(spaces[space].backends, numberedKey(backendsKey(frontend), slot.readUInt32LE(0)));
  return backend && readBackendData(backend, space === 'range' ? frontend.port : undefined);
}

function reader(socket: NetlinkSocket, family: Frontend['family']) {
  const layout = layouts[family === 'IPv4' ? 'ip' : 'ip6'];
  const specs = setSpecs(layout);
  return (set: SetName, key: Buffer): Buffer | undefined => {
    let found: Buffer | undefined;
    findElements(socket, layout.family, tableName, specs[set], [{ key }], (element) => (found = element.data()));
    return found;
  };
}
