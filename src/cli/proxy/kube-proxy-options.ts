import { familyOf } from '../../lib/ip.ts';
import type { NodeTuning } from '../../proxy/node-tuning.ts';
import { schedulers } from '../../routing/scheduler.ts';
import { CommandError } from '../command-error.ts';
import { exitCodes } from '../exit-codes.ts';
import type { KubeProxyConfig } from './kube-proxy-config.ts';
import type { ProxyOptions } from './options.ts';

/** What a KubeProxyConfiguration comes to: the same as these flags, and settings of the node. */
export interface KubeProxyOptions {
  readonly options: Partial<ProxyOptions>;
  readonly tuning: NodeTuning;
}

type Mode = 'iptables' | 'ipvs' | 'nftables';

/**
 * The flags that do what the file makes kube-proxy do. What the file leaves out has kube-proxy's default for its mode;
 * iptables is what kube-proxy does without one. Throws `CommandError` for values that no flag takes.
 */
export function kubeProxyOptions(file: KubeProxyConfig): KubeProxyOptions {
  const mode = (file.text('mode') ?? 'iptables') as Mode;
  return {
    options: {
      kubeconfig: file.text('clientConnection.kubeconfig'),
      'log-level': logLevel(file.number('logging.verbosity') ?? 0),
      'log-format': file.text('logging.format') === 'json' ? 'json' : undefined,
      'node-name': file.text('hostnameOverride'),
      'healthz-bind-address': bindAddress(file, 'healthzBindAddress', { ipv4: '0.0.0.0', ipv6: '[::]' }, 10_256),
      'metrics-bind-address': bindAddress(file, 'metricsBindAddress', { ipv4: '127.0.0.1', ipv6: '[::1]' }, 10_249),
      plane: mode === 'iptables' ? 'auto' : mode,
      'masquerade-all': file.flag(mode === 'nftables' ? 'nftables.masqueradeAll' : 'iptables.masqueradeAll'),
      'sync-period': file.duration(`${mode}.syncPeriod`) || undefined,
      'nodeport-addresses': nodePortAddresses(file, mode),
      ...localDetection(file),
      ...ipvsOptions(file),
    },
    tuning: tuning(file),
  };
}

/** klog's verbosity: 2 is what an operator normally has, 4 is for debugging. */
function logLevel(verbosity: number): ProxyOptions['log-level'] {
  return verbosity >= 4 ? 'debug' : verbosity >= 2 ? 'info' : undefined;
}

function bindAddress(
  file: KubeProxyConfig,
  path: string,
  byDefault: { readonly ipv4: string; readonly ipv6: string },
  port: number,
): string {
  const isIpv6 = familyOf(file.text('bindAddress') ?? '') === 'IPv6';
  return file.text(path) ?? `${isIpv6 ? byDefault.ipv6 : byDefault.ipv4}:${port}`;
}

function nodePortAddresses(file: KubeProxyConfig, mode: Mode): readonly string[] {
  const said = file.texts('nodePortAddresses') ?? (mode === 'nftables' ? ['primary'] : undefined);
  const onLocalhost = mode === 'iptables' && (file.flag('iptables.localhostNodePorts') ?? true);
  if (said === undefined) return onLocalhost ? ['all'] : [];
  const own = file.text('bindAddress') ?? '';
  const isSpecific = familyOf(own) !== undefined && own !== '0.0.0.0' && own !== '::';
  const primary = isSpecific ? `${own}/${own.includes(':') ? 128 : 32}` : 'primary';
  return said.map((word) => (word === 'primary' ? primary : word));
}

function localDetection(file: KubeProxyConfig): Partial<ProxyOptions> {
  const clusterCidrs = (file.text('clusterCIDR') ?? '').split(',').filter((text) => text !== '');
  switch (file.text('detectLocalMode') ?? 'ClusterCIDR') {
    case 'NodeCIDR':
      return { 'pod-cidr': ['node'], 'cluster-cidr': ['node'] };
    case 'BridgeInterface':
      return { 'pod-link': [needed(file, 'detectLocal.bridgeInterface')] };
    case 'InterfaceNamePrefix':
      return { 'pod-link': [`${needed(file, 'detectLocal.interfaceNamePrefix')}*`] };
    default:
      return { 'pod-cidr': clusterCidrs, 'cluster-cidr': clusterCidrs };
  }
}

function needed(file: KubeProxyConfig, path: string): string {
  const text = file.text(path);
  if (text !== undefined) return text;
  throw new CommandError(`${path}: detectLocalMode needs it`, { code: exitCodes.usage });
}

function ipvsOptions(file: KubeProxyConfig): Partial<ProxyOptions> {
  const wanted = file.text('ipvs.scheduler');
  const scheduler = schedulers.find((each) => each === wanted);
  if (wanted !== undefined && scheduler === undefined) {
    const message = `ipvs.scheduler: "${wanted}" is none of ${schedulers.join(', ')}`;
    throw new CommandError(message, { code: exitCodes.usage });
  }
  return {
    scheduler,
    'strict-arp': file.flag('ipvs.strictARP'),
    'ipvs-tcp-timeout': file.duration('ipvs.tcpTimeout'),
    'ipvs-tcpfin-timeout': file.duration('ipvs.tcpFinTimeout'),
    'ipvs-udp-timeout': file.duration('ipvs.udpTimeout'),
  };
}

function tuning(file: KubeProxyConfig): NodeTuning {
  const seconds = (path: string, byDefault?: number): number | undefined => {
    const ms = file.duration(path);
    return ms === undefined ? byDefault : ms / 1000;
  };
  return {
    conntrackMaxPerCore: file.number('conntrack.maxPerCore') ?? 32_768,
    conntrackMin: file.number('conntrack.min') ?? 131_072,
    tcpEstablishedTimeoutSeconds: seconds('conntrack.tcpEstablishedTimeout', 24 * 3600),
    tcpCloseWaitTimeoutSeconds: seconds('conntrack.tcpCloseWaitTimeout', 3600),
    tcpBeLiberal: file.flag('conntrack.tcpBeLiberal'),
    udpTimeoutSeconds: seconds('conntrack.udpTimeout'),
    udpStreamTimeoutSeconds: seconds('conntrack.udpStreamTimeout'),
    oomScoreAdj: file.number('oomScoreAdj') ?? -999,
  };
}
