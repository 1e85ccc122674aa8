import { needsClusterIp } from '../../api/core/service-strategy.ts';
import type { Service } from '../../api/core/service.ts';
import type { IPAddress } from '../../api/networking/ip-address.ts';
import { canonicalIp } from '../../lib/ip.ts';
import { managedByLabel, managedByServices, recordOwner } from './address-records.ts';
import { claimOf, ownerOf } from './claims.ts';
import { isInRanges, type ClusterRanges } from './cluster-ranges.ts';
import type { PortRange } from './node-ports.ts';

/** A record without its Service may belong to a write that is under way; after this time it does not. */
const LEAK_AGE_MS = 60_000;

/** What is stored. */
export interface Inventory {
  readonly services: readonly Service[];
  readonly ipAddresses: readonly IPAddress[];
  readonly ranges: ClusterRanges;
  readonly portRange: PortRange;
}

/** A Warning for users about a Service that they have to look at. */
export interface RepairEvent {
  readonly service: Service;
  readonly reason: string;
  readonly message: string;
}

/** What makes addresses and records agree again. */
export interface RepairPlan {
  /** Addresses whose record is missing, with the Service (`namespace/name`) that has them. */
  readonly create: readonly { readonly ip: string; readonly owner: string }[];
  /** Addresses whose record names nobody who has them. */
  readonly delete: readonly string[];
  readonly events: readonly RepairEvent[];
}

/**
 * Compares Services with the records of their addresses and with each other. A Service is never changed: what it says is
 * what clients use. Pure; `nowMs` is milliseconds since the epoch.
 */
export function planRepair(inventory: Inventory, nowMs: number): RepairPlan {
  const { services, ipAddresses } = inventory;
  const records = new Map(ipAddresses.map((record) => [record.metadata.name ?? '', record]));
  const create: { ip: string; owner: string }[] = [];
  const events: RepairEvent[] = [];
  const holders = new Map<string, string>();
  for (const service of services) {
    for (const ip of claimOf(service).ips) {
      const outcome = checkAddress(service, ip, records.get(canonicalIp(ip) ?? ip), holders, inventory.ranges);
      if (outcome.isMissing) create.push({ ip, owner: ownerOf(service) });
      if (outcome.event !== undefined) events.push({ service, ...outcome.event });
    }
  }
  events.push(...portEvents(services, inventory.portRange));
  return { create, delete: leaked(services, ipAddresses, nowMs), events };
}

interface AddressOutcome {
  readonly isMissing?: boolean;
  readonly event?: { readonly reason: string; readonly message: string };
}

function checkAddress(
  service: Service,
  ip: string,
  record: IPAddress | undefined,
  holders: Map<string, string>,
  ranges: ClusterRanges,
): AddressOutcome {
  const owner = ownerOf(service);
  const say = (reason: string, text: string): AddressOutcome['event'] => ({
    reason,
    message: `Cluster IP ${ip} ${text}`,
  });
  if (canonicalIp(ip) === undefined) {
    return { event: say('ClusterIPNotValid', 'is not a valid IP; please recreate service') };
  }
  const recorded = record === undefined ? undefined : (recordOwner(record) ?? '');
  const holder = holders.get(ip) ?? owner;
  holders.set(ip, holder);
  if (holder !== owner || (recorded !== undefined && recorded !== owner)) {
    return {
      event: say('ClusterIPAlreadyAllocated', `is assigned to ${recorded ?? holder} too; please recreate service`),
    };
  }
  if (recorded !== undefined) return {};
  if (!isInRanges(ranges, ip)) {
    const text = 'is not within any configured ServiceCIDR; please recreate service';
    return { isMissing: true, event: say('ClusterIPOutOfRange', text) };
  }
  return { isMissing: true, event: say('ClusterIPNotAllocated', 'is not allocated; repairing') };
}

function leaked(services: readonly Service[], ipAddresses: readonly IPAddress[], nowMs: number): string[] {
  const claimed = new Map<string, Set<string>>();
  for (const service of services) {
    if (needsClusterIp(service.spec))
      claimed.set(ownerOf(service), new Set(claimOf(service).ips.map(canonicalIp).filter(isText)));
  }
  const isLeaked = (record: IPAddress): boolean => {
    const { name = '', labels, creationTimestamp = '' } = record.metadata;
    if (labels?.[managedByLabel] !== managedByServices) return false;
    const isYoung = nowMs - Date.parse(creationTimestamp) < LEAK_AGE_MS;
    return !isYoung && claimed.get(recordOwner(record) ?? '')?.has(name) !== true;
  };
  return ipAddresses.filter(isLeaked).map(({ metadata: { name = '' } }) => name);
}

function isText(value: string | undefined): value is string {
  return value !== undefined;
}

function portEvents(services: readonly Service[], { from, to }: PortRange): RepairEvent[] {
  const holders = new Map<number, string>();
  const events: RepairEvent[] = [];
  for (const service of services) {
    for (const port of claimOf(service).ports) {
      const holder = holders.get(port);
      if (holder !== undefined) {
        const message = `Port ${port} is assigned to ${holder} too; please recreate service`;
        events.push({ service, reason: 'PortAlreadyAllocated', message });
      } else if (port < from || port > to) {
        const message = `Port ${port} is not within the port range ${from}-${to}; please recreate service`;
        events.push({ service, reason: 'PortOutOfRange', message });
      }
      holders.set(port, holder ?? ownerOf(service));
    }
  }
  return events;
}
