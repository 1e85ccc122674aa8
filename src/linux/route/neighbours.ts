import { formatIp, parseIp } from '../../lib/ip.ts';
import { messageFlags, readAttributes } from '../netlink/message.ts';
import type { NetlinkSocket } from '../netlink/socket.ts';

const RTM_NEWNEIGH = 28;
const RTM_GETNEIGH = 30;
const NDA_DST = 1;
const NDA_LLADDR = 2;
const NUD_PERMANENT = 0x80;

/** Which hardware address answers for an IP address on a link. */
export interface Neighbour {
  readonly linkIndex: number;
  readonly address: string;
  /** `02:00:00:00:00:01`; '' while unresolved. */
  readonly hardwareAddress: string;
}

/** Makes a permanent entry, in place of one that is there. */
export function replaceNeighbour(socket: NetlinkSocket, neighbour: Neighbour): void {
  const bytes = parseIp(neighbour.address);
  if (bytes === undefined) throw new RangeError(`${neighbour.address} is not an IP address`);
  const flags = messageFlags.create | messageFlags.replace;
  socket.request(RTM_NEWNEIGH, flags, `set neighbour ${neighbour.address}`, (writer) => {
    writer
      .u8(bytes.length === 4 ? 2 : 10)
      .u8(0)
      .u16(0)
      .u32(neighbour.linkIndex)
      .u16(NUD_PERMANENT)
      .u8(0)
      .u8(0);
    writer.attribute(NDA_DST, bytes);
    writer.attribute(NDA_LLADDR, Buffer.from(neighbour.hardwareAddress.replaceAll(':', ''), 'hex'));
  });
}

export function listNeighbours(socket: NetlinkSocket): Neighbour[] {
  const neighbours: Neighbour[] = [];
  socket.dump(
    RTM_GETNEIGH,
    'list neighbours',
    (writer) => writer.u32(0).u32(0).u32(0),
    ({ payload }) => {
      const attributes = readAttributes(payload, 12);
      const address = attributes.get(NDA_DST);
      if (address === undefined || (address.length !== 4 && address.length !== 16)) return;
      const hardware =
        attributes
          .get(NDA_LLADDR)
          ?.toString('hex')
          .replaceAll(/(..)(?=.)/g, '$1:') ?? '';
      neighbours.push({ linkIndex: payload.readInt32LE(4), address: formatIp(address), hardwareAddress: hardware });
    },
  );
  return neighbours;
}
