import { isErrno, SystemError } from './errno.ts';
import { NetlinkSocket, netlinkProtocol } from './netlink/socket.ts';
import * as addresses from './route/addresses.ts';
import type { LinkAddress } from './route/addresses.ts';
import * as links from './route/links.ts';
import type { Link, LinkSettings, NewLink } from './route/links.ts';
import * as localRanges from './route/local-ranges.ts';
import * as neighbours from './route/neighbours.ts';
import type { Neighbour } from './route/neighbours.ts';
import * as routes from './route/routes.ts';
import type { Route } from './route/routes.ts';

/**
 * Links, addresses, routes and neighbours of one network namespace: the one in which it was opened. Every call is
 * synchronous and acknowledged by the kernel, and throws `SystemError` (`code` EEXIST, ENODEV, EPERM …) when refused.
 * Links are named by name or index.
 */
export interface RouteSocket extends Disposable {
  links(): readonly Link[];
  /** Undefined when there is no such link. */
  link(name: string): Link | undefined;
  createLink(link: NewLink): Link;
  setLink(link: string | number, settings: LinkSettings): void;
  /** Returns false when it was not there. Deleting one end of a veth pair deletes both. */
  deleteLink(link: string | number): boolean;
  addresses(): readonly LinkAddress[];
  /** With prefix: `10.244.0.1/24`. An address that is there already stays. */
  addAddress(link: string | number, address: string): void;
  deleteAddress(link: string | number, address: string): void;
  routes(): readonly Route[];
  /** The route of a packet to an address. Throws `SystemError` when there is none (ENETUNREACH, EHOSTUNREACH …). */
  findRoute(address: string): Route;
  replaceRoute(route: Route): void;
  deleteRoute(route: Route): boolean;
  /** IPv4 ranges whose every address is this machine's own, made by `addLocalRange` in this or another process. */
  localRanges(): readonly string[];
  addLocalRange(cidr: string): void;
  deleteLocalRange(cidr: string): boolean;
  neighbours(): readonly Neighbour[];
  replaceNeighbour(neighbour: Neighbour): void;
  close(): void;
}

/** Opens rtnetlink in the thread's network namespace. */
export function openRoute(): RouteSocket {
  const socket = new NetlinkSocket(netlinkProtocol.route, 'rtnetlink');
  const find = (name: string) => links.listLinks(socket).find((link) => link.name === name);
  const need = (name: string): Link => {
    const link = find(name);
    if (link === undefined) throw new SystemError('link', 19, name);
    return link;
  };
  const index = (link: string | number) => (typeof link === 'number' ? link : need(link).index);
  return {
    links: () => links.listLinks(socket),
    link: find,
    createLink(link) {
      links.createLink(socket, link);
      // What the kernel ignores at creation; and a veth end cannot be up before its peer exists.
      const { up, alias, hairpin } = link;
      links.setLink(socket, need(link.name).index, { up, alias, hairpin });
      return need(link.name);
    },
    setLink: (link, settings) => links.setLink(socket, index(link), settings),
    deleteLink: (link) => unlessGone(() => links.deleteLink(socket, index(link))),
    addresses: () => addresses.listAddresses(socket),
    addAddress: (link, address) => unlessThere(() => addresses.addAddress(socket, index(link), address)),
    deleteAddress: (link, address) => addresses.deleteAddress(socket, index(link), address),
    routes: () => routes.listRoutes(socket),
    findRoute: (address) => routes.findRoute(socket, address),
    replaceRoute: (route) => routes.replaceRoute(socket, route),
    deleteRoute: (route) => unlessGone(() => routes.deleteRoute(socket, route)),
    localRanges: () => localRanges.listLocalRanges(socket),
    addLocalRange: (cidr) => localRanges.addLocalRange(socket, cidr),
    deleteLocalRange: (cidr) => unlessGone(() => localRanges.deleteLocalRange(socket, cidr)),
    neighbours: () => neighbours.listNeighbours(socket),
    replaceNeighbour: (neighbour) => neighbours.replaceNeighbour(socket, neighbour),
    close: () => socket.close(),
    [Symbol.dispose]: () => socket.close(),
  };
}

function unlessThere(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
  }
}

/** Whether `work` found something to delete. */
function unlessGone(work: () => void): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if (isErrno(error, 'ENODEV') || isErrno(error, 'ESRCH')) return false;
    throw error;
  }
}
