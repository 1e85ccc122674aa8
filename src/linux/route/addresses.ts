import { parseCidr } from '../../lib/cidr.ts';
import { formatIp, parseIp } from '../../lib/ip.ts';
import { type Message, messageFlags, type MessageWriter, readAttributes } from '../netlink/message.ts';
import type { NetlinkSocket } from '../netlink/socket.ts';

const RTM_NEWADDR = 20;
const RTM_DELADDR = 21;
const RTM_GETADDR = 22;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_FLAGS = 8;
/** No duplicate address detection: an IPv6 address is usable at once. */
const IFA_F_NODAD = 2;
const AF_INET = 2;
const AF_INET6 = 10;

/** An address on an interface. */
export interface LinkAddress {
  readonly linkIndex: number;
  /** Canonical text. */
  readonly address: string;
  readonly prefix: number;
}

/** `address` with prefix: `10.244.0.1/24`. */
export function addAddress(socket: NetlinkSocket, linkIndex: number, address: string): void {
  socket.request(RTM_NEWADDR, messageFlags.create | messageFlags.excl, `add address ${address}`, (writer) =>
    writeAddress(writer, linkIndex, address),
  );
}

export function deleteAddress(socket: NetlinkSocket, linkIndex: number, address: string): void {
  socket.request(RTM_DELADDR, 0, `delete address ${address}`, (writer) => writeAddress(writer, linkIndex, address));
}

export function listAddresses(socket: NetlinkSocket): LinkAddress[] {
  const addresses: LinkAddress[] = [];
  socket.dump(
    RTM_GETADDR,
    'list addresses',
    (writer) => writer.u32(0).u32(0),
    (message) => addresses.push(readAddress(message)),
  );
  return addresses;
}

/** Splits `10.244.0.7/24` into bytes and prefix; without a prefix the address stands alone (/32, /128). */
export function splitAddress(text: string): { readonly bytes: Uint8Array; readonly prefix: number; family: number } {
  const slash = text.indexOf('/');
  const bytes = parseIp(slash < 0 ? text : text.slice(0, slash));
  if (bytes === undefined) throw new RangeError(`${text} is not an IP address`);
  const prefix = slash < 0 ? bytes.length * 8 : parseCidr(text)?.prefix;
  if (prefix === undefined) throw new RangeError(`${text} is not an address with a prefix`);
  return { bytes, prefix, family: bytes.length === 4 ? AF_INET : AF_INET6 };
}

function writeAddress(writer: MessageWriter, linkIndex: number, address: string): void {
  const { bytes, prefix, family } = splitAddress(address);
  writer.u8(family).u8(prefix).u8(0).u8(0).u32(linkIndex);
  writer.attribute(IFA_LOCAL, bytes).attribute(IFA_ADDRESS, bytes);
  if (family === AF_INET6) writer.attributeU32(IFA_FLAGS, IFA_F_NODAD);
}

function readAddress({ payload }: Message): LinkAddress {
  const attributes = readAttributes(payload, 8);
  const bytes = attributes.get(IFA_LOCAL) ?? attributes.get(IFA_ADDRESS) ?? Buffer.alloc(4);
  return { linkIndex: payload.readUInt32LE(4), address: formatIp(bytes), prefix: payload.readUInt8(1) };
}
