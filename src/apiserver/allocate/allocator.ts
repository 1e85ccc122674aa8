import { needsClusterIp } from '../../api/core/service-strategy.ts';
import { Service } from '../../api/core/service.ts';
import { invalid } from '../../api/errors.ts';
import { Issues } from '../../api/issues.ts';
import type { IPAddress } from '../../api/networking/ip-address.ts';
import type { ServiceCIDR } from '../../api/networking/service-cidr.ts';
import { canonicalIp } from '../../lib/ip.ts';
import type { Operation } from '../../store/store.ts';
import { addressRecord, deleteRecord, putRecord, recordOwner } from './address-records.ts';
import { claimOf, Claims, ownerOf, type Claim } from './claims.ts';
import { assignClusterIps } from './cluster-ips.ts';
import { clusterRanges, type ClusterRanges } from './cluster-ranges.ts';
import { decideFamilies } from './ip-families.ts';
import { assignPorts, defaultPortRange, type PortRange } from './node-ports.ts';

/** What the allocator reads besides the Services it is shown. */
export interface AllocatorConfig {
  /** The ServiceCIDRs as they are now. */
  readonly serviceCidrs: () => Iterable<ServiceCIDR>;
  /** The record of an address (canonical), if it has one. */
  readonly ipAddress: (ip: string) => IPAddress | undefined;
  readonly portRange?: PortRange;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly newUid: () => string;
  /** From 0 to below 1. */
  readonly random: () => number;
}

/** A Service with all that it needs, and what to commit together with it. */
export interface Allocation {
  readonly service: Service;
  readonly operations: readonly Operation[];
  /** To be called when the Service is not stored after all (refused, conflict, dry run). */
  release(): void;
}

/**
 * Gives Services cluster addresses and node ports. What it gives is reserved at once, until `observe` shows the stored
 * Service or `release` gives it back, so that requests which interleave never get the same; after a restart the stored
 * Services and IPAddresses say what is taken.
 */
export interface Allocator {
  /** Takes in a stored change of a Service; undefined for one that was not there, or is gone. */
  observe(old: Service | undefined, service: Service | undefined): void;
  /**
   * Completes a new (`old` undefined) or changed Service that is defaulted and valid.
   * @throws ApiError 422 when it asks for what it cannot have
   */
  allocate(old: Service | undefined, service: Service): Allocation;
  /** What to commit together with the deletion of a Service. */
  free(service: Service): readonly Operation[];
  /** The ranges of cluster addresses as they are now. */
  ranges(): ClusterRanges;
}

/** Makes an allocator. Show it every stored Service before the first request. */
export function createAllocator(config: AllocatorConfig): Allocator {
  const claims = new Claims();
  const ranges = (): ClusterRanges => clusterRanges(config.serviceCidrs());

  return {
    ranges,
    observe(old, service) {
      const known = service ?? old;
      if (known !== undefined) claims.observe(ownerOf(known), service);
    },
    allocate(old, service) {
      const completed = complete(old, service, { config, claims, ranges: ranges() });
      const reservation = claims.reserve(ownerOf(service), claimOf(completed));
      const operations = recordChanges(claimOf(old), claimOf(completed), ownerOf(service), config);
      return { service: completed, operations, release: () => claims.release(reservation) };
    },
    free: (service) => recordChanges(claimOf(service), { ips: [], ports: [] }, ownerOf(service), config),
  };
}

interface Pools {
  readonly config: AllocatorConfig;
  readonly claims: Claims;
  readonly ranges: ClusterRanges;
}

function complete(old: Service | undefined, service: Service, { config, claims, ranges }: Pools): Service {
  const owner = ownerOf(service);
  const issues = new Issues();
  const { random, portRange: range = defaultPortRange } = config;
  const before = old !== undefined && needsClusterIp(old.spec) ? old.spec : undefined;
  const ports = { range, random, isTaken: (port: number) => claims.isPortTaken(port, owner) };
  const withPorts = assignPorts(service.spec, old?.spec, ports, issues);
  if (!needsClusterIp(withPorts)) return settled({ ...service, spec: withPorts }, issues);
  const decided = decideFamilies({ ...service, spec: withPorts }, before, ranges.families, issues);
  failOn(issues, service);
  const addresses = {
    ranges,
    random,
    isTaken: (ip: string) => claims.isIpTaken(ip, owner) || isRecorded(ip, owner, config),
  };
  return settled({ ...service, spec: assignClusterIps(decided, before, addresses, issues) }, issues);
}

function settled(service: Service, issues: Issues): Service {
  failOn(issues, service);
  return service;
}

function failOn(issues: Issues, service: Service): void {
  const { causes } = issues.result();
  if (causes.length > 0) throw invalid(Service, service.metadata.name ?? '', causes);
}

/** A record that names the same Service is no obstacle: it may be left from one of that name. */
function isRecorded(ip: string, owner: string, { ipAddress }: AllocatorConfig): boolean {
  const record = ipAddress(canonicalIp(ip) ?? ip);
  return record !== undefined && recordOwner(record) !== owner;
}

/** The records that come and go when a Service changes what it claims. */
function recordChanges(before: Claim, after: Claim, owner: string, config: AllocatorConfig): Operation[] {
  const operations: Operation[] = [];
  for (const ip of after.ips) {
    const isNew = config.ipAddress(canonicalIp(ip) ?? ip) === undefined && !before.ips.includes(ip);
    if (isNew) operations.push(putRecord(addressRecord(ip, owner, { nowMs: config.now(), uid: config.newUid() })));
  }
  for (const ip of before.ips) {
    const record = config.ipAddress(canonicalIp(ip) ?? ip);
    const isOwn = record === undefined || recordOwner(record) === owner;
    if (isOwn && !after.ips.includes(ip)) operations.push(deleteRecord(ip));
  }
  return operations;
}
