import { checkCgroups, checkData, checkNamespaces, checkOpenFiles, checkPrivileges } from './check-machine.ts';
import { checkBridgeFilter, checkForwarding, checkNftables, checkPorts, checkRanges } from './check-network.ts';
import { checkKernel, checkKubectl, checkNode, checkResolver } from './check-programs.ts';
import type { Host } from './host.ts';

/** What a check found. `warn`: it works with less; `fail`: it does not work. */
export interface Finding {
  /** A word or two. */
  readonly check: string;
  readonly state: 'ok' | 'warn' | 'fail';
  /** What is there. */
  readonly found: string;
  /** Why it matters; only when something is wrong. */
  readonly why?: string;
  /** What to do about it; only when something is wrong. */
  readonly todo?: string;
}

/** Looks at one thing of the machine. */
export type Check = (host: Host) => Finding | Promise<Finding>;

/** Every check, in the order in which they are shown. */
export const checks: readonly Check[] = [
  checkKernel,
  checkNode,
  checkPrivileges,
  checkNamespaces,
  checkCgroups,
  checkNftables,
  checkForwarding,
  checkBridgeFilter,
  checkRanges,
  checkPorts,
  checkResolver,
  checkData,
  checkOpenFiles,
  checkKubectl,
];
