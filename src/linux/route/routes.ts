import { parseCidr } from '../../lib/cidr.ts';
import { formatIp, parseIp } from '../../lib/ip.ts';
import { type Message, messageFlags, type MessageWriter, readAttributes } from '../netlink/message.ts';
import type { NetlinkSocket } from '../netlink/socket.ts';

const RTM_NEWROUTE = 24;
const RTM_DELROUTE = 25;
const RTM_GETROUTE = 26;
const RTA = { DST: 1, OIF: 4, GATEWAY: 5, PRIORITY: 6, PREFSRC: 7, TABLE: 15 };
const RT_TABLE_MAIN = 254;
const RTPROT_STATIC = 4;
const RT_SCOPE_UNIVERSE = 0;
const RT_SCOPE_LINK = 253;
const RTN_UNICAST = 1;

/** A route of the main table. */
export interface Route {
  /** CIDR; `0.0.0.0/0` or `::/0` for the default route. */
  readonly destination: string;
  /** Index of the outgoing interface; 0 when the gateway alone decides. */
  readonly linkIndex: number;
  readonly gateway?: string;
  /** Source address for packets of this machine. */
  readonly source?: string;
  readonly metric?: number;
}

/** Makes the route, in place of one with the same destination and metric. */
export function replaceRoute(socket: NetlinkSocket, route: Route): void {
  socket.request(RTM_NEWROUTE, messageFlags.create | messageFlags.replace, `add route ${route.destination}`, (writer) =>
    writeRoute(writer, route),
  );
}

export function deleteRoute(socket: NetlinkSocket, route: Route): void {
  socket.request(RTM_DELROUTE, 0, `delete route ${route.destination}`, (writer) => writeRoute(writer, route));
}

/** Unicast routes of the main table. */
export function listRoutes(socket: NetlinkSocket): Route[] {
  const routes: Route[] = [];
  socket.dump(
    RTM_GETROUTE,
    'list routes',
    (writer) => writer.u32(0).u32(0).u32(0),
    (message) => {
      const isMain = readAttributes(message.payload, 12).get(RTA.TABLE)?.readUInt32LE(0) === RT_TABLE_MAIN;
      if (isMain && message.payload.readUInt8(7) === RTN_UNICAST) routes.push(readRoute(message));
    },
  );
  return routes;
}

/**
 * The route that a packet of this machine to an address would take. Throws `SystemError` when there is none (ENETUNREACH,
 * EHOSTUNREACH, or EINVAL and EACCES for routes that refuse).
 */
export function findRoute(socket: NetlinkSocket, address: string): Route {
  const bytes = bytesOf(address);
  const found: Route[] = [];
  const build = (writer: MessageWriter) => {
    writer
      .u8(bytes.length === 4 ? 2 : 10)
      .u8(bytes.length * 8)
      .u16(0)
      .u32(0)
      .u32(0)
      .attribute(RTA.DST, bytes);
  };
  socket.dump(RTM_GETROUTE, `find route to ${address}`, build, (message) => found.push(readRoute(message)), 0);
  const [route] = found;
  if (route === undefined) throw new RangeError(`no answer about a route to ${address}`);
  return route;
}

function writeRoute(writer: MessageWriter, route: Route): void {
  const destination = parseCidr(route.destination);
  if (destination === undefined) throw new RangeError(`${route.destination} is not a CIDR`);
  const scope = route.gateway === undefined && destination.family === 'IPv4' ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
  writer
    .u8(destination.family === 'IPv4' ? 2 : 10)
    .u8(destination.prefix)
    .u8(0)
    .u8(0);
  writer.u8(RT_TABLE_MAIN).u8(RTPROT_STATIC).u8(scope).u8(RTN_UNICAST).u32(0);
  if (destination.prefix > 0) writer.attribute(RTA.DST, destination.base);
  if (route.linkIndex !== 0) writer.attributeU32(RTA.OIF, route.linkIndex);
  if (route.gateway !== undefined) writer.attribute(RTA.GATEWAY, bytesOf(route.gateway));
  if (route.source !== undefined) writer.attribute(RTA.PREFSRC, bytesOf(route.source));
  if (route.metric !== undefined) writer.attributeU32(RTA.PRIORITY, route.metric);
}

function bytesOf(address: string): Uint8Array {
  const bytes = parseIp(address);
  if (bytes === undefined) throw new RangeError(`${address} is not an IP address`);
  return bytes;
}

function readRoute({ payload }: Message): Route {
  const attributes = readAttributes(payload, 12);
  const size = payload.readUInt8(0) === 2 ? 4 : 16;
  const text = (type: number) => {
    const bytes = attributes.get(type);
    return bytes === undefined ? undefined : formatIp(bytes);
  };
  return {
    destination: `${text(RTA.DST) ?? formatIp(new Uint8Array(size))}/${payload.readUInt8(1)}`,
    linkIndex: attributes.get(RTA.OIF)?.readUInt32LE(0) ?? 0,
    gateway: text(RTA.GATEWAY),
    source: text(RTA.PREFSRC),
    metric: attributes.get(RTA.PRIORITY)?.readUInt32LE(0),
  };
}
