import type { Case } from './case.ts';
import { affinityCases } from './cases/affinity.ts';
import { beyondCases } from './cases/beyond.ts';
import { clusterIpCases } from './cases/cluster-ip.ts';
import { conntrackCases } from './cases/conntrack.ts';
import { dualStackCases } from './cases/dual-stack.ts';
import { loadBalancerCases } from './cases/load-balancer.ts';
import { nodePortCases } from './cases/node-port.ts';
import { terminatingCases } from './cases/terminating.ts';
import { trafficDistributionCases } from './cases/traffic-distribution.ts';
import { trafficPolicyCases } from './cases/traffic-policy.ts';

/** The whole contract. */
export const allCases: readonly Case[] = [
  ...clusterIpCases,
  ...nodePortCases,
  ...dualStackCases,
  ...trafficPolicyCases,
  ...terminatingCases,
  ...affinityCases,
  ...trafficDistributionCases,
  ...loadBalancerCases,
  ...conntrackCases,
  ...beyondCases,
];
