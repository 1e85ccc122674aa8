import { isErrno, SystemError } from './errno.ts';
import { type MessageWriter, readAttributes, readString } from './netlink/message.ts';
import type { NetlinkSocket } from './netlink/socket.ts';

/** Sets of ipset (linux/netfilter/ipset/ip_set.h), over the socket of `openNetfilter`: enough to take them away. */
const subsystem = 6 << 8;
const COMMAND = { destroy: 3, list: 7 } as const;
const ATTRIBUTE = { protocol: 1, name: 2, flags: 6 } as const;
/** Understood by every kernel since 2.6.39. */
const protocol = 6;
/** IPSET_ERR_BUSY: error numbers of its own begin at 4096. */
const inUse = 4100;
/** Only the names, not the elements. */
const namesOnly = 1 << 1;

/** Names of all sets of the network namespace; none where the kernel has no ipset, or this process no privilege. */
export function listIpsets(socket: NetlinkSocket): readonly string[] {
  const names: string[] = [];
  try {
    socket.dump(
      subsystem | COMMAND.list,
      'list ipsets',
      (writer) => header(writer).attribute(ATTRIBUTE.flags, Buffer.from([0, 0, 0, namesOnly])),
      ({ payload }) => names.push(readString(readAttributes(payload, 4).get(ATTRIBUTE.name))),
    );
  } catch (error) {
    if (!isErrno(error, 'EINVAL') && !isErrno(error, 'EPERM') && !isErrno(error, 'EOPNOTSUPP')) throw error;
  }
  return names.filter((name) => name !== '');
}

/** Destroys a set; false while a rule or another set refers to it. Throws `SystemError` for everything else. */
export function destroyIpset(socket: NetlinkSocket, name: string): boolean {
  try {
    socket.request(subsystem | COMMAND.destroy, 0, `destroy ipset ${name}`, (writer) => {
      header(writer).attributeString(ATTRIBUTE.name, name);
    });
    return true;
  } catch (error) {
    if (error instanceof SystemError && error.errno === inUse) return false;
    throw error;
  }
}

function header(writer: MessageWriter): MessageWriter {
  return writer
    .u8(2)
    .u8(0)
    .u16be(0)
    .attribute(ATTRIBUTE.protocol, Buffer.from([protocol]));
}
