import type { IpvsProtocol, RealServer, VirtualServer, VirtualServerId } from '../../linux/ipvs/servers.ts';
import type { NftFamily } from '../../linux/nftables/transaction.ts';
import type { Frontend, Protocol, Target } from '../../routing/frontend.ts';
import {
  addressKey,
  backendData,
  frontendKey,
  hairpinKey,
  identityComment,
  markData,
  rangeEnd,
  sourceRangeKeys,
} from '../nftables/keys.ts';
import { hasOutside, localAddresses, ownSourceRanges } from '../nftables/program.ts';
import { backendName } from '../backend-name.ts';
import { ignoreChain, refuseChain } from '../nftables/classes.ts';
import { spaceOf } from '../nftables/schema.ts';
import { className, classNumber } from './classes.ts';
import { type FrontendSet, relayAddresses, type Side, spaces } from './schema.ts';

/** One element of the companion table that a frontend needs. */
export interface Element {
  readonly family: NftFamily;
  readonly set: FrontendSet;
  readonly key: Buffer;
  readonly keyEnd?: Buffer;
  readonly data?: Buffer;
  readonly comment?: string;
}

/** A virtual server with where it sends connections. */
export interface Server {
  readonly virtual: VirtualServer;
  readonly reals: readonly RealServer[];
}

/** Ports of relay addresses, or marks, of the sides that need one. */
export type SideNumbers = Readonly<Partial<Record<Side, number>>>;

/** A frontend as it stands in the kernel. */
export interface Programmed {
  readonly frontend: Frontend;
  readonly numbers: SideNumbers;
  readonly servers: readonly Server[];
  /** Including those that other frontends may need as well. */
  readonly elements: readonly Element[];
  /** Addresses that must be on the dummy link. */
  readonly addresses: readonly string[];
}

/** Whether a server has these real servers and, but for those that drain, no others. */
export function isMeant({ reals }: Server, found: ReadonlyMap<string, RealServer>): boolean {
  const open = [...found.values()].filter(({ weight }) => weight > 0).length;
  return (
    open === reals.filter(({ weight }) => weight > 0).length &&
    reals.every((real) => found.get(backendName(real))?.weight === real.weight)
  );
}

/** IP protocol numbers. */
export const protocolNumbers: Readonly<Record<Protocol, IpvsProtocol>> = { TCP: 6, UDP: 17, SCTP: 132 };

/** The sides of a frontend that have backends of their own to forward to. */
export function forwardingSides(frontend: Frontend): Side[] {
  const sides: Side[] = isForwarding(frontend.internal) ? ['inside'] : [];
  if (hasOutside(frontend) && isForwarding(frontend.external)) sides.push('outside');
  return sides;
}

/** Whether a side's virtual server is told by a number, not by the address that is called. */
export function isNumbered(frontend: Frontend, side: Side): boolean {
  return isRelayed(frontend, side) || spaceOf(frontend) === 'range';
}

/** A cluster address is on the dummy link, so IPVS sees it as it is called. */
function isRelayed({ kind }: Frontend, side: Side): boolean {
  return kind !== 'ClusterIP' || side === 'outside';
}

function isForwarding({ verdict, backends }: Target): boolean {
  return verdict === 'forward' && backends.some(({ weight }) => weight > 0);
}

/** What the kernel must have for a frontend whose numbered sides have these numbers. Pure. */
export function program(frontend: Frontend, numbers: SideNumbers, masqueradesAll: boolean): Programmed {
  const sides = forwardingSides(frontend);
  const servers = sides.map((side) => serverOf(frontend, side, numbers[side] ?? 0));
  return {
    frontend,
    numbers,
    servers,
    elements: [...elementsOf(frontend, numbers, masqueradesAll), ...sharedElementsOf(frontend)],
    addresses: [
      ...(frontend.kind === 'ClusterIP' && frontend.address !== undefined ? [frontend.address] : []),
      ...sides.filter((side) => isRelayed(frontend, side)).map((side) => relayAddresses[frontend.family][side]),
    ],
  };
}

function serverOf(frontend: Frontend, side: Side, number: number): Server {
  const target = side === 'inside' ? frontend.internal : frontend.external;
  const scheduler = schedulerOf(frontend, target);
  const isRange = frontend.lastPort !== undefined;
  // `dh` sends everything for an address to one backend, also to one of weight 0, where it ends.
  const backends = scheduler === 'dh' ? target.backends.filter(({ weight }) => weight > 0) : target.backends;
  return {
    virtual: {
      id: serverId(frontend, side, number),
      scheduler,
      hasFallback: scheduler === 'sh' || scheduler === 'mh',
      persistenceSeconds: frontend.affinity?.timeoutSeconds,
    },
    reals: backends.map(({ address, port, weight }) => ({
      address,
      port: isRange ? 0 : port,
      weight: weight > 0 ? Math.max(1, Math.round(weight)) : 0,
    })),
  };
}

/** A draw in proportion is by turns here: `wrr` when weights differ, else `rr`, which is simpler and as even. */
function schedulerOf({ scheduler = 'random' }: Frontend, { backends }: Target): string {
  if (scheduler !== 'random') return scheduler;
  const weights = new Set(backends.map(({ weight }) => weight).filter((weight) => weight > 0));
  return weights.size > 1 ? 'wrr' : 'rr';
}

function serverId(frontend: Frontend, side: Side, number: number): VirtualServerId {
  const { family, lastPort, address, port } = frontend;
  if (lastPort !== undefined) return { family, mark: number };
  const protocol = protocolNumbers[frontend.protocol];
  if (!isRelayed(frontend, side)) return { family, protocol, address: address ?? '', port };
  return { family, protocol, address: relayAddresses[family][side], port: number };
}

/** The elements that belong to one frontend alone. */
function elementsOf(frontend: Frontend, numbers: SideNumbers, masqueradesAll: boolean): Element[] {
  const space = spaceOf(frontend);
  const family = tableFamily(frontend);
  const place = { family, key: frontendKey(frontend), keyEnd: rangeEnd(frontend) };
  const comment = identityComment(frontend);
  const sides: readonly Side[] = hasOutside(frontend) ? ['inside', 'outside'] : ['inside'];
  const elements: Element[] = [];
  for (const side of sides) {
    const names = spaces[space][side];
    elements.push({ ...place, set: names.classes, data: markData(classNumber(chainOf(frontend, side))), comment });
    const number = numbers[side];
    if (number !== undefined) elements.push({ ...place, set: names.relays, data: relayData(frontend, side, number) });
  }
  const { kind, masquerade } = frontend;
  const isForwarded = forwardingSides(frontend).length > 0;
  if (kind !== 'ClusterIP' && isForwarded && (masqueradesAll || masquerade === 'always')) {
    elements.push({ ...place, set: spaces[space].masqueraded });
  }
  for (const range of isForwarded ? ownSourceRanges(frontend) : []) {
    elements.push({ family, set: 'source-ranges', ...sourceRangeKeys(place.key, place.keyEnd ?? place.key, range) });
  }
  return elements;
}

export function tableFamily({ family }: Pick<Frontend, 'family'>): NftFamily {
  return family === 'IPv4' ? 'ip' : 'ip6';
}

function chainOf(frontend: Frontend, side: Side): string {
  const target = side === 'inside' ? frontend.internal : frontend.external;
  if (target.verdict === 'drop') return ignoreChain;
  if (!isForwarding(target)) return refuseChain;
  const relayed = isRelayed(frontend, side);
  const isRestricted = relayed && frontend.sourceRanges !== undefined;
  return className({ space: spaceOf(frontend), side, isRelayed: relayed, isRestricted });
}

function relayData(frontend: Frontend, side: Side, number: number): Buffer {
  if (frontend.lastPort !== undefined) return markData(number);
  return backendData(backendName({ address: relayAddresses[frontend.family][side], port: number }));
}

/** Elements that several frontends may need; each is there while at least one does. */
function sharedElementsOf(frontend: Frontend): Element[] {
  const family = tableFamily(frontend);
  const elements: Element[] = localAddresses(frontend).map((address) => ({
    family,
    set: 'hairpins',
    key: hairpinKey(address),
  }));
  if (frontend.kind === 'ClusterIP' && frontend.address !== undefined) {
    elements.push({ family, set: 'cluster-ips', key: addressKey(frontend.address) });
  }
  return elements;
}
