import type { Frontend } from '../../routing/frontend.ts';
import type { Scheduler } from '../../routing/scheduler.ts';
import type { PlaneName } from '../dataplane.ts';
import { type Feature, limits } from '../limits.ts';
import type { CallerKind } from '../trace.ts';

/** How a plane brings a connection to its backend, in words. */
export function wayOf(plane: PlaneName, caller: CallerKind, { protocol }: Frontend): string {
  const nftables = 'nftables translates the first packet, and the kernel the rest of the connection alike';
  switch (plane) {
    case 'nftables':
      return nftables;
    case 'ipvs':
      return 'IPVS forwards every packet by its table of connections';
    case 'ebpf':
      if (protocol === 'SCTP') return `${nftables} (eBPF does not see SCTP)`;
      if (caller === 'node' || caller === 'local-pod') {
        return 'eBPF rewrites the address when the socket connects: no packet is translated';
      }
      return `${nftables} (eBPF sees callers on this node only)`;
    case 'userspace':
      return 'a process of this machine accepts the connection and makes another to the backend';
    default:
      return plane;
  }
}

const draws: Readonly<Record<Scheduler, string>> = {
  random: 'drawn at random, by weight',
  rr: 'in turn',
  wrr: 'in turn, by weight',
  lc: 'the one with the fewest connections',
  wlc: 'the one with the fewest connections for its weight',
  lblc: 'the same for an address, unless that is overloaded',
  lblcr: 'one of a set for an address, unless that is overloaded',
  sh: "by the client's address",
  dh: 'by the address that was called',
  mh: "by the client's address, so that few clients move when backends come and go",
  sed: 'the one with the shortest expected delay',
  nq: 'an idle one, else the one with the shortest expected delay',
};

const needs: Readonly<Partial<Record<Scheduler, Feature>>> = {
  lc: 'least-connections',
  wlc: 'least-connections',
  lblc: 'least-connections',
  lblcr: 'least-connections',
  sed: 'least-connections',
  nq: 'least-connections',
  sh: 'consistent-hashing',
  dh: 'consistent-hashing',
  mh: 'consistent-hashing',
};

/** How a backend is chosen where a Service asks for it; undefined for the plane's own way. */
export function choiceOf({ scheduler }: Frontend, plane: PlaneName | undefined): string | undefined {
  if (scheduler === undefined) return undefined;
  const need = needs[scheduler];
  const limit = plane === undefined || need === undefined ? undefined : limits[plane][need];
  return `${scheduler}: ${limit === undefined ? draws[scheduler] : `asked for, but ${limit}`}`;
}
