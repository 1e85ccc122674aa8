import { cidrAddress, cidrSize, cidrsOverlap, parseCidr } from '../../lib/cidr.ts';
import type { Cidr } from '../../lib/cidr.ts';
import type { PlaneName } from '../../proxy/dataplane.ts';
import type { SettingDefaults } from '../../routing/settings.ts';

/** How `up` runs on this machine: every address, path and choice, decided before anything starts. */
export interface UpSettings {
  readonly mode: 'root' | 'rootless';
  readonly dataDir: string;
  readonly keepsData: boolean;
  readonly nodeName: string;
  readonly clusterDomain: string;
  readonly network: ClusterNetwork;
  readonly api: { readonly port: number; readonly addresses: readonly string[] };
  readonly dns: DnsSettings;
  readonly plane: PlaneName | 'auto';
  /** For Services that say nothing themselves. */
  readonly serviceDefaults: SettingDefaults;
  readonly allowExternalIps: boolean;
}

/** Who has which addresses. */
export interface ClusterNetwork {
  /** All Pods of the cluster, IPv4 CIDR. */
  readonly clusterCidr: string;
  /** Pods of this node, inside `clusterCidr`. */
  readonly podCidr: string;
  readonly serviceCidr: string;
  /** This node's own address in the Pod range: the bridge with root, plain loopback without. */
  readonly gateway: string;
}

export interface DnsSettings {
  readonly clusterAddress: string;
  readonly listen: readonly { readonly address: string; readonly port: number }[];
  /** Where the host can ask. */
  readonly host: { readonly address: string; readonly port: number };
}

/** What the command line may change. */
export interface UpFlags {
  readonly data: string | undefined;
  readonly port: number;
  readonly dnsPort: number;
  readonly plane: PlaneName | 'auto';
  readonly serviceDefaults: SettingDefaults;
  readonly allowExternalIps: boolean;
  readonly clusterDomain: string;
  readonly nodeName: string | undefined;
  readonly podCidr: string | undefined;
  readonly serviceCidr: string | undefined;
}

const defaults = {
  root: { clusterCidr: '10.244.0.0/16', podCidr: '10.244.0.0/24', serviceCidr: '10.96.0.0/16' },
  // Every address of 127.0.0.0/8 can be bound without privileges, so Pods and Services live there.
  rootless: { clusterCidr: '127.244.0.0/16', podCidr: '127.244.0.0/24', serviceCidr: '127.96.0.0/16' },
} as const;

/**
 * Decides everything from the flags and the machine. Throws a plain `Error` that names the flag when addresses do not fit
 * together.
 */
export function decideSettings(
  flags: UpFlags,
  machine: { readonly uid: number; readonly hostName: string; readonly defaultDataDir: string },
): UpSettings {
  const mode = machine.uid === 0 ? 'root' : 'rootless';
  const network = decideNetwork(flags, mode);
  const services = readRange('--service-cidr', network.serviceCidr);
  const host = { address: '127.0.0.1', port: flags.dnsPort };
  const isRoot = mode === 'root';
  return {
    mode,
    dataDir: flags.data ?? machine.defaultDataDir,
    keepsData: flags.data !== undefined,
    nodeName: (flags.nodeName ?? machine.hostName).toLowerCase(),
    clusterDomain: flags.clusterDomain,
    network,
    api: { port: flags.port, addresses: isRoot ? ['127.0.0.1', network.gateway] : ['127.0.0.1'] },
    dns: {
      clusterAddress: cidrAddress(services, 10),
      listen: isRoot ? [host, { address: network.gateway, port: 53 }] : [host],
      host,
    },
    plane: isRoot ? flags.plane : 'userspace',
    serviceDefaults: flags.serviceDefaults,
    allowExternalIps: flags.allowExternalIps,
  };
}

function decideNetwork(flags: UpFlags, mode: 'root' | 'rootless'): ClusterNetwork {
  const base = defaults[mode];
  const pods = readRange('--pod-cidr', flags.podCidr ?? base.podCidr);
  const services = readRange('--service-cidr', flags.serviceCidr ?? base.serviceCidr);
  const cluster = flags.podCidr === undefined ? readRange('--pod-cidr', base.clusterCidr) : pods;
  if (cidrsOverlap(cluster, services)) {
    throw new Error(`--pod-cidr ${cluster.text} and --service-cidr ${services.text} overlap; choose ranges apart`);
  }
  return {
    clusterCidr: cluster.text,
    podCidr: pods.text,
    serviceCidr: services.text,
    gateway: cidrAddress(pods, 1),
  };
}

function readRange(flag: string, text: string): Cidr {
  const range = parseCidr(text);
  if (range?.family !== 'IPv4') throw new Error(`${flag}: "${text}" is not an IPv4 range like 10.96.0.0/16`);
  if (cidrSize(range) < 16n)
    throw new Error(`${flag}: ${range.text} is too small; it needs 16 addresses or more (/28)`);
  return range;
}
