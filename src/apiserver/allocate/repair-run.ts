import { Service } from '../../api/core/service.ts';
import { IPAddress } from '../../api/networking/ip-address.ts';
import { ServiceCIDR } from '../../api/networking/service-cidr.ts';
import type { Operation, Store } from '../../store/store.ts';
import { encodeStored, objectAs } from '../cache/item.ts';
import type { ResourceCache } from '../cache/resource-cache.ts';
import { addressRecord, deleteRecord, putRecord } from './address-records.ts';
import { clusterRanges } from './cluster-ranges.ts';
import { defaultPortRange, type PortRange } from './node-ports.ts';
import { settleServiceCidr } from './service-cidr-lifecycle.ts';
import { planRepair, type Inventory, type RepairEvent, type RepairPlan } from './repair.ts';

/** What repair reads and writes. */
export interface RepairConfig {
  readonly store: Store;
  readonly services: ResourceCache;
  readonly ipAddresses: ResourceCache;
  readonly serviceCidrs: ResourceCache;
  readonly portRange?: PortRange;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly newUid: () => string;
  /** Tells users about a Service. Called once for each finding. */
  readonly report: (event: RepairEvent) => Promise<void>;
}

/**
 * A repair to be run at start and from time to time: compares what is stored, writes the difference, reports. ServiceCIDRs
 * are also looked at whenever one of them changes, or an address is released.
 */
export function createRepair(config: RepairConfig): () => Promise<void> {
  const reported = new Set<string>();
  const settle = onceAtATime(() => settleServiceCidrs(config));
  config.serviceCidrs.subscribe(settle);
  config.ipAddresses.subscribe(({ item }) => (item === undefined ? settle() : undefined));
  return async () => {
    await settleServiceCidrs(config);
    const plan = planRepair(takeInventory(config), config.now());
    for (const operation of operationsOf(plan, config)) await config.store.commit([operation]);
    for (const event of plan.events) {
      const key = `${event.service.metadata.uid} ${event.message}`;
      if (!reported.has(key)) await config.report(event);
      reported.add(key);
    }
  };
}

/** Starts the task unless it is under way; then it starts once more afterwards. What fails is left to the next repair. */
function onceAtATime(task: () => Promise<void>): () => void {
  let isRunning = false;
  let isWanted = false;
  const run = async (): Promise<void> => {
    isRunning = true;
    do {
      isWanted = false;
      await task().catch(() => undefined);
    } while (isWanted);
    isRunning = false;
  };
  return () => {
    isWanted = true;
    if (!isRunning) queueMicrotask(run);
  };
}

async function settleServiceCidrs({ store, serviceCidrs, ipAddresses, now }: RepairConfig): Promise<void> {
  const items = serviceCidrs.items.range(serviceCidrs.prefix);
  const all = items.map((item) => objectAs(ServiceCIDR, item));
  const ips = ipAddresses.items.range(ipAddresses.prefix).map(({ name }) => name);
  for (const [index, { key, revision: expected }] of items.entries()) {
    const object = all[index];
    const change = object === undefined ? undefined : settleServiceCidr(object, all, ips, now());
    if (change === undefined) continue;
    const operation: Operation =
      change === 'gone'
        ? { type: 'delete', key, expected }
        : { type: 'put', key, value: encodeStored(change.object), expected };
    await store.commit([operation]);
  }
}

function takeInventory({ services, ipAddresses, serviceCidrs, portRange = defaultPortRange }: RepairConfig): Inventory {
  const cidrs = serviceCidrs.items.range(serviceCidrs.prefix).map((item) => objectAs(ServiceCIDR, item));
  return {
    services: services.items.range(services.prefix).map((item) => objectAs(Service, item)),
    ipAddresses: ipAddresses.items.range(ipAddresses.prefix).map((item) => objectAs(IPAddress, item)),
    ranges: clusterRanges(cidrs),
    portRange,
  };
}

/** A record that came or went meanwhile is left to the next run. */
function operationsOf(plan: RepairPlan, { ipAddresses, now, newUid }: RepairConfig): Operation[] {
  const puts = plan.create.map(({ ip, owner }) => putRecord(addressRecord(ip, owner, { nowMs: now(), uid: newUid() })));
  const deletions = plan.delete.map((ip): Operation => {
    const operation = deleteRecord(ip);
    return { ...operation, expected: ipAddresses.items.get(operation.key)?.revision ?? 'absent' };
  });
  return [...puts, ...deletions];
}

/** The Event (core/v1) that carries a finding to users. `id` makes its name unique. */
export function eventOf(
  { service, reason, message }: RepairEvent,
  nowMs: number,
  id: string,
): Readonly<Record<string, unknown>> {
  const { name = '', namespace = '', uid } = service.metadata;
  const time = `${new Date(nowMs).toISOString().slice(0, 19)}Z`;
  return {
    kind: 'Event',
    apiVersion: 'v1',
    metadata: { name: `${name}.${id}`, namespace },
    involvedObject: { kind: 'Service', apiVersion: 'v1', name, namespace, uid },
    reason,
    message,
    type: 'Warning',
    source: { component: 'ipallocator-repair-controller' },
    reportingComponent: 'ipallocator-repair-controller',
    firstTimestamp: time,
    lastTimestamp: time,
    count: 1,
  };
}
