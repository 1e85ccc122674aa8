import { randomBytes } from 'node:crypto';
import type { MessageWriter } from '../netlink/message.ts';
import { eachAttribute, readAttributes, readString, messageFlags } from '../netlink/message.ts';
import type { Message } from '../netlink/message.ts';
import type { NetlinkSocket } from '../netlink/socket.ts';

const RTM_NEWLINK = 16;
const RTM_DELLINK = 17;
const RTM_GETLINK = 18;
const IFLA = {
  ADDRESS: 1,
  IFNAME: 3,
  MTU: 4,
  LINK: 5,
  MASTER: 10,
  OPERSTATE: 16,
  LINKINFO: 18,
  IFALIAS: 20,
  NET_NS_FD: 28,
};
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const IFLA_INFO_SLAVE_KIND = 4;
const IFLA_INFO_SLAVE_DATA = 5;
const VETH_INFO_PEER = 1;
const IFLA_BRPORT_MODE = 4;
const IFF_UP = 1;

/** A network interface as the kernel describes it. */
export interface Link {
  readonly index: number;
  readonly name: string;
  /** `veth`, `bridge`, `dummy`; '' for hardware and loopback. */
  readonly kind: string;
  readonly up: boolean;
  readonly mtu: number;
  /** Index of the bridge it belongs to; 0 for none. */
  readonly master: number;
  /** Index of a veth's other end in its own namespace, or of the link it sits on; 0 for none. */
  readonly other: number;
  /** Hardware address as `02:00:00:00:00:01`; '' when it has none. */
  readonly hardwareAddress: string;
  /** Free text; Fairlead marks what it made. */
  readonly alias: string;
}

/** What can be set on a link; what is left out stays. */
export interface LinkSettings {
  readonly up?: boolean;
  /** New name, at most 15 bytes; the link must be down on kernels before 6.2. */
  readonly name?: string;
  readonly mtu?: number;
  /** Index of a bridge; 0 takes the link out. */
  readonly master?: number;
  readonly hardwareAddress?: string;
  readonly alias?: string;
  /**
   * For a link of a bridge: frames may leave by the link they came in on. A Pod that calls itself through a Service needs
   * it wherever bridged packets pass the host's rules (`net.bridge.bridge-nf-call-iptables`).
   */
  readonly hairpin?: boolean;
  /** Moves the link to the namespace behind this open descriptor; its addresses are lost. */
  readonly namespaceFd?: number;
}

/**
 * A link to make. `peer` (veth only) is the other end, in another namespace when `namespaceFd` is given; turn it up from
 * inside, because neither end can be up before both are there.
 */
export interface NewLink extends LinkSettings {
  readonly name: string;
  readonly kind: 'veth' | 'bridge' | 'dummy';
  readonly peer?: Omit<LinkSettings, 'up'> & { readonly name: string };
}

/**
 * A hardware address for a link to make: any that is locally administered. A bridge without one of its own has that of its
 * lowest link, which changes as links come and go. It has to be made with it: one that is set later to what it is already
 * was seen to lose connections on Linux 6.1.
 */
export function randomHardwareAddress(): string {
  return `02${randomBytes(5).toString('hex')}`.replaceAll(/(..)(?=.)/g, '$1:');
}

export function createLink(socket: NetlinkSocket, link: NewLink): void {
  const what = `create ${link.kind} ${link.name}`;
  socket.request(RTM_NEWLINK, messageFlags.create | messageFlags.excl, what, (writer) => {
    writeHeader(writer, 0, undefined);
    writeSettings(writer, link);
    const info = writer.nest(IFLA.LINKINFO);
    writer.attributeString(IFLA_INFO_KIND, link.kind);
    if (link.peer !== undefined) writePeer(writer, link.peer);
    writer.endNest(info);
  });
}

export function setLink(socket: NetlinkSocket, index: number, settings: LinkSettings): void {
  socket.request(RTM_NEWLINK, 0, `set link ${index}`, (writer) => {
    writeHeader(writer, index, settings.up);
    writeSettings(writer, settings);
    if (settings.hairpin !== undefined) writeHairpin(writer, settings.hairpin);
  });
}

export function deleteLink(socket: NetlinkSocket, index: number): void {
  socket.request(RTM_DELLINK, 0, `delete link ${index}`, (writer) => writeHeader(writer, index, undefined));
}

export function listLinks(socket: NetlinkSocket): Link[] {
  const links: Link[] = [];
  socket.dump(
    RTM_GETLINK,
    'list links',
    (writer) => writeHeader(writer, 0, undefined),
    (message) => links.push(readLink(message)),
  );
  return links;
}

function writeHeader(writer: MessageWriter, index: number, up: boolean | undefined): void {
  const change = up === undefined ? 0 : IFF_UP;
  writer.u8(0).u8(0).u16(0).u32(index);
  writer.u32(up === true ? IFF_UP : 0).u32(change);
}

function writeSettings(writer: MessageWriter, settings: LinkSettings): void {
  if (settings.name !== undefined) writer.attributeString(IFLA.IFNAME, settings.name);
  if (settings.mtu !== undefined) writer.attributeU32(IFLA.MTU, settings.mtu);
  if (settings.master !== undefined) writer.attributeU32(IFLA.MASTER, settings.master);
  if (settings.alias !== undefined) writer.attribute(IFLA.IFALIAS, Buffer.from(settings.alias));
  if (settings.namespaceFd !== undefined) writer.attributeU32(IFLA.NET_NS_FD, settings.namespaceFd);
  if (settings.hardwareAddress !== undefined) {
    writer.attribute(IFLA.ADDRESS, Buffer.from(settings.hardwareAddress.replaceAll(':', ''), 'hex'));
  }
}

function writeHairpin(writer: MessageWriter, hairpin: boolean): void {
  const info = writer.nest(IFLA.LINKINFO);
  writer.attributeString(IFLA_INFO_SLAVE_KIND, 'bridge');
  const data = writer.nest(IFLA_INFO_SLAVE_DATA);
  writer.attributeU8(IFLA_BRPORT_MODE, hairpin ? 1 : 0);
  writer.endNest(data).endNest(info);
}

function writePeer(writer: MessageWriter, peer: LinkSettings): void {
  const data = writer.nest(IFLA_INFO_DATA);
  const nest = writer.nest(VETH_INFO_PEER);
  writeHeader(writer, 0, undefined);
  writeSettings(writer, peer);
  writer.endNest(nest).endNest(data);
}

function readLink({ payload }: Message): Link {
  const attributes = readAttributes(payload, 16);
  let kind = '';
  eachAttribute(attributes.get(IFLA.LINKINFO) ?? Buffer.alloc(0), 0, (type, value) => {
    if (type === IFLA_INFO_KIND) kind = readString(value);
  });
  return {
    index: payload.readInt32LE(4),
    name: readString(attributes.get(IFLA.IFNAME)),
    kind,
    up: (payload.readUInt32LE(8) & IFF_UP) !== 0,
    mtu: attributes.get(IFLA.MTU)?.readUInt32LE(0) ?? 0,
    master: attributes.get(IFLA.MASTER)?.readUInt32LE(0) ?? 0,
    other: attributes.get(IFLA.LINK)?.readUInt32LE(0) ?? 0,
    hardwareAddress:
      attributes
        .get(IFLA.ADDRESS)
        ?.toString('hex')
        .replaceAll(/(..)(?=.)/g, '$1:') ?? '',
    alias: readString(attributes.get(IFLA.IFALIAS)),
  };
}
