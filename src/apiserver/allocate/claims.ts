import { needsClusterIp } from '../../api/core/service-strategy.ts';
import { namespaceOf, nameOf } from '../../api/meta/object-meta.ts';
import type { Service } from '../../api/core/service.ts';

/** What one Service has for itself. */
export interface Claim {
  /** Cluster addresses, canonical. */
  readonly ips: readonly string[];
  /** Node ports and the health check port; without protocols, as no two Services share a number. */
  readonly ports: readonly number[];
}

const nothing: Claim = { ips: [], ports: [] };

/** `namespace/name` of a Service. */
export function ownerOf(service: Service): string {
  return `${namespaceOf(service)}/${nameOf(service)}`;
}

/** What a Service (undefined: none) claims by what is written in it. */
export function claimOf(service: Service | undefined): Claim {
  if (service === undefined) return nothing;
  const { spec } = service;
  const ips = needsClusterIp(spec) ? (spec.clusterIPs ?? []).filter((ip) => ip !== 'None' && ip !== '') : [];
  const ports = [...(spec.ports ?? []).map(({ nodePort = 0 }) => nodePort), spec.healthCheckNodePort ?? 0];
  return { ips, ports: [...new Set(ports)].filter((port) => port !== 0) };
}

/** A claim of a write that is under way. */
export interface Reservation {
  readonly owner: string;
  readonly claim: Claim;
}

/**
 * Who has which address and port: what stored Services say, and reservations of writes that are under way. A reservation
 * ends when it is released or when the stored Service is seen with all of it, so that no moment is left uncovered.
 */
export class Claims {
  private readonly stored = new Map<string, Claim>();
  private readonly ips = new Map<string, Set<string>>();
  private readonly ports = new Map<number, Set<string>>();
  private readonly reservations = new Set<Reservation>();

  /** Takes in what is stored now under a Service's name; undefined when it is gone. */
  observe(owner: string, service: Service | undefined): void {
    this.move(this.stored.get(owner) ?? nothing, (owners) => owners.delete(owner));
    const claim = claimOf(service);
    this.move(claim, (owners) => owners.add(owner));
    if (service === undefined) this.stored.delete(owner);
    else this.stored.set(owner, claim);
    for (const reservation of this.reservations) {
      if (reservation.owner === owner && isWithin(reservation.claim, claim)) this.reservations.delete(reservation);
    }
  }

  /** Does anybody else have the address? */
  isIpTaken(ip: string, owner: string): boolean {
    return isOthers(this.ips.get(ip), owner) || this.isReserved(owner, ({ ips }) => ips.includes(ip));
  }

  /** Does anybody else have the port? */
  isPortTaken(port: number, owner: string): boolean {
    return isOthers(this.ports.get(port), owner) || this.isReserved(owner, ({ ports }) => ports.includes(port));
  }

  /** Keeps a claim for a write that is under way. */
  reserve(owner: string, claim: Claim): Reservation {
    const reservation = { owner, claim };
    this.reservations.add(reservation);
    return reservation;
  }

  /** Gives it back: the write did not happen. */
  release(reservation: Reservation): void {
    this.reservations.delete(reservation);
  }

  private isReserved(owner: string, has: (claim: Claim) => boolean): boolean {
    for (const reservation of this.reservations) {
      if (reservation.owner !== owner && has(reservation.claim)) return true;
    }
    return false;
  }

  private move({ ips, ports }: Claim, change: (owners: Set<string>) => void): void {
    for (const ip of ips) changeOwners(this.ips, ip, change);
    for (const port of ports) changeOwners(this.ports, port, change);
  }
}

function changeOwners<K>(owners: Map<K, Set<string>>, key: K, change: (owners: Set<string>) => void): void {
  const set = owners.get(key) ?? new Set();
  change(set);
  if (set.size === 0) owners.delete(key);
  else owners.set(key, set);
}

function isOthers(owners: ReadonlySet<string> | undefined, owner: string): boolean {
  if (owners === undefined) return false;
  return owners.size > (owners.has(owner) ? 1 : 0);
}

function isWithin(part: Claim, whole: Claim): boolean {
  return part.ips.every((ip) => whole.ips.includes(ip)) && part.ports.every((port) => whole.ports.includes(port));
}
