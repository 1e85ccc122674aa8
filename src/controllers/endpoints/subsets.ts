import type { EndpointAddress, EndpointPort, EndpointSubset } from '../../api/core/endpoints.ts';

/** One address behind one set of ports. */
export interface AddressedPorts {
  readonly address: EndpointAddress;
  readonly isReady: boolean;
  readonly ports: readonly EndpointPort[];
}

interface Group {
  readonly ports: readonly EndpointPort[];
  readonly ready: EndpointAddress[];
  readonly notReady: EndpointAddress[];
}

/**
 * The canonical subsets: addresses with the same ports together, ready ones apart, everything in order, so that the same
 * endpoints always read the same.
 */
export function packSubsets(entries: readonly AddressedPorts[]): readonly EndpointSubset[] {
  const groups = new Map<string, Group>();
  for (const { address, isReady, ports } of entries) {
    const sorted = ports.toSorted(comparePorts);
    const key = JSON.stringify(sorted);
    const group = groups.get(key) ?? { ports: sorted, ready: [], notReady: [] };
    (isReady ? group.ready : group.notReady).push(address);
    groups.set(key, group);
  }
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { ports, ready, notReady }]) => ({
      ...(ready.length > 0 ? { addresses: ready.sort(compareAddresses) } : {}),
      ...(notReady.length > 0 ? { notReadyAddresses: notReady.sort(compareAddresses) } : {}),
      ...(ports.length > 0 ? { ports } : {}),
    }));
}

function comparePorts(a: EndpointPort, b: EndpointPort): number {
  return (
    (a.name ?? '').localeCompare(b.name ?? '') || a.port - b.port || (a.protocol ?? '').localeCompare(b.protocol ?? '')
  );
}

function compareAddresses(a: EndpointAddress, b: EndpointAddress): number {
  return a.ip.localeCompare(b.ip) || (a.targetRef?.uid ?? '').localeCompare(b.targetRef?.uid ?? '');
}

/** Addresses that an Endpoints object holds at most. */
const maxAddresses = 1000;

/**
 * The subsets with no more than `maxAddresses` addresses: not-ready ones go first, and each subset keeps its share.
 * `isTruncated` says whether any went.
 */
export function truncateSubsets(subsets: readonly EndpointSubset[]) {
  const ready = countOf(subsets, 'addresses');
  const notReady = countOf(subsets, 'notReadyAddresses');
  if (ready + notReady <= maxAddresses) return { subsets, isTruncated: false };
  const keptReady = shareOut(
    subsets.map(({ addresses = [] }) => addresses.length),
    Math.min(ready, maxAddresses),
  );
  const room = maxAddresses - Math.min(ready, maxAddresses);
  const keptOthers = shareOut(
    subsets.map(({ notReadyAddresses = [] }) => notReadyAddresses.length),
    room,
  );
  const cut = subsets.map(({ addresses = [], notReadyAddresses = [], ports }, index) => {
    const kept = addresses.slice(0, keptReady[index]);
    const others = notReadyAddresses.slice(0, keptOthers[index]);
    return {
      ...(kept.length > 0 ? { addresses: kept } : {}),
      ...(others.length > 0 ? { notReadyAddresses: others } : {}),
      ...(ports === undefined ? {} : { ports }),
    };
  });
  const filled = cut.filter(
    ({ addresses, notReadyAddresses }) => addresses !== undefined || notReadyAddresses !== undefined,
  );
  return { subsets: filled, isTruncated: true };
}

function countOf(subsets: readonly EndpointSubset[], field: 'addresses' | 'notReadyAddresses'): number {
  return subsets.reduce((total, subset) => total + (subset[field]?.length ?? 0), 0);
}

/** Splits `room` in proportion to `counts`; what rounding leaves goes to the first that can take it. */
function shareOut(counts: readonly number[], room: number): number[] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const shares = counts.map((count) => (total === 0 ? 0 : Math.floor((count * Math.min(room, total)) / total)));
  let left = Math.min(room, total) - shares.reduce((sum, share) => sum + share, 0);
  return shares.map((share, index) => {
    const more = Math.min(left, (counts[index] ?? 0) - share);
    left -= more;
    return share + more;
  });
}
