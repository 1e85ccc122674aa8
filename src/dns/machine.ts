import { systemClock } from '../observe/clock.ts';
import type { Clock } from '../observe/clock.ts';
import { createSystemNetwork } from './forward/system-network.ts';
import type { Network } from './forward/exchange.ts';
import { createMachineHasIpv6 } from './ipv6-evidence.ts';

/** What a DNS server has of the machine it runs on, beside the sockets that it is asked at: tests give it another. */
export interface Machine {
  readonly clock: Clock;
  /** Carries questions to upstream servers that are asked over plain UDP and TCP. */
  readonly network: Network;
  /** Whether it has an IPv6 address that others reach. */
  readonly hasIpv6: () => boolean;
  /** Numbers in [0, 1). */
  readonly random: () => number;
}

export const thisMachine: Machine = {
  clock: systemClock,
  network: createSystemNetwork(),
  hasIpv6: createMachineHasIpv6(Date.now),
  random: Math.random,
};
