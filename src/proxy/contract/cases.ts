import type { Case } from './case.ts';
import { affinityCases } from './cases/affinity.ts';
import { beyondCases } from './cases/beyond.ts';
import { clusterIpCases } from './cases/cluster-ip.ts';
import { dualStackCases } from './cases/dual-stack.ts';
import { nodePortCases } from './cases/node-port.ts';
import { trafficPolicyCases } from './cases/traffic-policy.ts';

/** The whole contract. */
export const allCases: readonly Case[] = [
  ...clusterIpCases,
  ...nodePortCases,
  ...dualStackCases,
  ...trafficPolicyCases,
  ...affinityCases,
  ...beyondCases,
];
