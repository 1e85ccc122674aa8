import { cidrAddress, parseCidr } from '../../lib/cidr.ts';
import { formatIp, parseIp } from '../../lib/ip.ts';
import { SystemError } from '../errno.ts';
import { messageFlags, type MessageWriter, readAttributes } from '../netlink/message.ts';
import type { NetlinkSocket } from '../netlink/socket.ts';
import { findRoute } from './routes.ts';

/*
 * IPv4 ranges whose every address is this machine's own, so that sockets can be bound to them: routes of type `local` in the
 * kernel's table of that name (`ip route add local RANGE dev lo`), marked by their origin.
 */
const RTM_NEWROUTE = 24;
const RTM_DELROUTE = 25;
const RTM_GETROUTE = 26;
const RTA = { DST: 1, OIF: 4, PREFSRC: 7 };
const AF_INET = 2;
const RT_TABLE_LOCAL = 255;
const RT_SCOPE_HOST = 254;
const RTN_LOCAL = 2;
/** The origin of Fairlead's local routes: a number that rtnetlink.h leaves free. */
const RTPROT_FAIRLEAD = 70;
const loopbackIndex = 1;

/** Without effect when it is there. This machine's calls go on to have the source address they had before. */
export function addLocalRange(socket: NetlinkSocket, cidr: string): void {
  const source = sourceFor(socket, cidr);
  socket.request(RTM_NEWROUTE, messageFlags.create | messageFlags.replace, `add local range ${cidr}`, (writer) => {
    writeRange(writer, cidr);
    if (source !== undefined) writer.attribute(RTA.PREFSRC, source);
  });
}

export function deleteLocalRange(socket: NetlinkSocket, cidr: string): void {
  socket.request(RTM_DELROUTE, 0, `delete local range ${cidr}`, (writer) => writeRange(writer, cidr));
}

/** Those that `addLocalRange` made, in this or another process. */
export function listLocalRanges(socket: NetlinkSocket): string[] {
  const ranges: string[] = [];
  socket.dump(
    RTM_GETROUTE,
    'list routes',
    (writer) => writer.u8(AF_INET).u8(0).u16(0).u32(0).u32(0),
    ({ payload }) => {
      const [prefix, origin, type] = [payload.readUInt8(1), payload.readUInt8(5), payload.readUInt8(7)];
      const base = readAttributes(payload, 12).get(RTA.DST);
      if (type === RTN_LOCAL && origin === RTPROT_FAIRLEAD && base) ranges.push(`${formatIp(base)}/${prefix}`);
    },
  );
  return ranges;
}

function writeRange(writer: MessageWriter, cidr: string): void {
  const range = parseCidr(cidr);
  if (range?.family !== 'IPv4') throw new RangeError(`${cidr} is not an IPv4 CIDR`);
  writer.u8(AF_INET).u8(range.prefix).u8(0).u8(0);
  writer.u8(RT_TABLE_LOCAL).u8(RTPROT_FAIRLEAD).u8(RT_SCOPE_HOST).u8(RTN_LOCAL).u32(0);
  writer.attribute(RTA.DST, range.base).attributeU32(RTA.OIF, loopbackIndex);
}

function sourceFor(socket: NetlinkSocket, cidr: string): Uint8Array | undefined {
  const range = parseCidr(cidr);
  if (range === undefined) return undefined;
  try {
    const { source } = findRoute(socket, cidrAddress(range, 1));
    return source === undefined ? undefined : parseIp(source);
  } catch (error) {
    // No route leads there: the kernel takes the address that is called.
    if (error instanceof SystemError) return undefined;
    throw error;
  }
}
