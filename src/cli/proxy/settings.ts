import { resolve } from 'node:path';
import type { ProxyConfig } from '../../proxy/config.ts';
import type { ListenAddress } from '../../observe/http-listener.ts';
import type { NodeSourced } from '../../proxy/node-facts.ts';
import { noResetAfter, readResetAfter, type SettingDefaults } from '../../routing/settings.ts';
import { UsageError } from '../command-error.ts';
import { readAddress, readCidrs } from '../component/addresses.ts';
import { nodeName } from '../component/connected.ts';
import { readNodePortWords } from './node-port-words.ts';
import type { ProxyOptions } from './options.ts';

/** What `startProxy` needs beside the connection. */
export type ProxySettings = Omit<ProxyConfig, 'client' | 'caches' | 'logger' | 'metrics' | 'signal'>;

/** Reads the flags, the file's among them. Throws `UsageError` that names the flag. */
export function readSettings(options: ProxyOptions, cwd: string): ProxySettings {
  const { nodePortsOnPrimary, ...nodePorts } = readNodePortWords(options['nodeport-addresses']);
  const { pods, cluster, podCidrs } = readRanges(options);
  return {
    nodeName: nodeName(options),
    plane: options.plane ?? 'auto',
    planeSettings: {
      ipvs: {
        strictArp: options['strict-arp'],
        tcpTimeoutSeconds: seconds(options['ipvs-tcp-timeout']),
        tcpFinTimeoutSeconds: seconds(options['ipvs-tcpfin-timeout']),
        udpTimeoutSeconds: seconds(options['ipvs-udp-timeout']),
      },
      cgroup: options.cgroup === undefined ? undefined : resolve(cwd, options.cgroup),
    },
    network: {
      podCidrs: pods,
      clusterCidrs: cluster,
      serviceCidrs: readCidrs('service-cidr', options['service-cidr']),
      ...nodePorts,
      masqueradeAll: options['masquerade-all'] ?? false,
      podLinks: options['pod-link'],
    },
    fromNode: { nodePortsOnPrimary, podCidrs },
    allowExternalIps: options['allow-external-ips'],
    defaults: readDefaults(options),
    healthz: readListen('healthz-bind-address', options, '0.0.0.0:10256'),
    metricsAt: readListen('metrics-bind-address', options, '127.0.0.1:10249'),
    syncPeriodMs: options['sync-period'],
    dataDir: options.state === undefined ? undefined : resolve(cwd, options.state),
  };
}

/** `node` stands for the ranges of the Node object; without any word for Pods it is meant. */
function readRanges(options: ProxyOptions): {
  readonly pods: readonly string[];
  readonly cluster: readonly string[];
  readonly podCidrs: NodeSourced['podCidrs'];
} {
  const [pods, cluster] = [options['pod-cidr'], options['cluster-cidr']];
  const isAlone = isNodeWord('cluster-cidr', cluster);
  const isLocal = isNodeWord('pod-cidr', pods) || pods.length === 0;
  return {
    pods: isLocal ? [] : readCidrs('pod-cidr', pods),
    cluster: isAlone ? [] : readCidrs('cluster-cidr', cluster),
    podCidrs: isAlone ? 'alone' : isLocal ? 'local' : undefined,
  };
}

function isNodeWord(flag: string, words: readonly string[]): boolean {
  if (!words.includes('node')) return false;
  if (words.length > 1) throw new UsageError(`--${flag}: "node" stands alone`);
  return true;
}

/** The defaults of Services that say nothing themselves. Throws `UsageError`. */
export function readDefaults(options: Pick<ProxyOptions, 'scheduler' | 'reset-removed'>): SettingDefaults {
  const text = options['reset-removed'] ?? 'never';
  const resetAfter = readResetAfter(text);
  if (resetAfter === undefined) throw new UsageError(`--reset-removed: "${text}" ${noResetAfter}`);
  return { scheduler: options.scheduler, resetAfterSeconds: resetAfter === 'never' ? undefined : resetAfter };
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000;
}

/** '' is nowhere; an unspecified address is every one of this machine, of both families. */
function readListen(
  flag: 'healthz-bind-address' | 'metrics-bind-address',
  options: ProxyOptions,
  byDefault: string,
): ListenAddress | undefined {
  const text = options[flag] ?? byDefault;
  if (text === '') return undefined;
  const { address, port } = readAddress(flag, text, readAddress(flag, byDefault, 0).port);
  return { address: address === '0.0.0.0' || address === '::' ? undefined : address, port };
}
