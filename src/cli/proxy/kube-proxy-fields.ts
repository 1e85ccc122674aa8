/** What a field of a KubeProxyConfiguration holds. */
export type FieldType = 'text' | 'texts' | 'flag' | 'flags' | 'number' | 'duration' | 'anything';

/** What becomes of a field. */
export interface FieldRule {
  readonly type: FieldType;
  /** The flag that says the same; or in words what it does. */
  readonly becomes?: string;
  /** Why it has no effect here. */
  readonly idle?: string;
  /** Values that must not be passed over, each with what to do. */
  readonly refused?: (value: unknown) => string | undefined;
}

const atOnce = 'changes are brought into force at once';
const noMark = 'no bit of the packet mark is taken';
const windows = 'for Windows';
const gone = 'kube-proxy has dropped it too';
const oneWatch = 'there is one watch for each kind';

/**
 * Every field of `kubeproxy.config.k8s.io/v1alpha1` (k8s.io/kube-proxy/config/v1alpha1, and of earlier versions), by its
 * path. `docs/guide/moving-from-kube-proxy.md` shows this table; a test compares them.
 */
export const kubeProxyFields: Readonly<Record<string, FieldRule>> = {
  featureGates: { type: 'flags', idle: 'they are for parts of kube-proxy' },
  'clientConnection.kubeconfig': { type: 'text', becomes: '--kubeconfig' },
  'clientConnection.acceptContentTypes': { type: 'text', idle: 'JSON is read' },
  'clientConnection.contentType': { type: 'text', idle: 'JSON is sent' },
  'clientConnection.qps': { type: 'number', idle: oneWatch },
  'clientConnection.burst': { type: 'number', idle: oneWatch },
  'logging.format': { type: 'text', becomes: '--log-format' },
  'logging.verbosity': { type: 'number', becomes: '--log-level' },
  'logging.flushFrequency': { type: 'anything', idle: 'lines are written at once' },
  'logging.vmodule': { type: 'anything', idle: 'the level holds for all parts' },
  'logging.options': { type: 'anything', idle: 'lines are written at once' },
  hostnameOverride: { type: 'text', becomes: '--node-name' },
  bindAddress: { type: 'text', becomes: 'the primary address, for node ports; and the family of the next two' },
  healthzBindAddress: { type: 'text', becomes: '--healthz-bind-address' },
  metricsBindAddress: { type: 'text', becomes: '--metrics-bind-address' },
  bindAddressHardFail: { type: 'flag', idle: 'a port that cannot be had is tried again' },
  enableProfiling: { type: 'flag', idle: 'node --inspect does that' },
  showHiddenMetricsForVersion: { type: 'text', idle: 'no metric is hidden' },
  mode: { type: 'text', becomes: '--plane', refused: refuseMode },
  'iptables.masqueradeBit': { type: 'number', idle: noMark },
  'iptables.masqueradeAll': { type: 'flag', becomes: '--masquerade-all' },
  'iptables.localhostNodePorts': { type: 'flag', becomes: '--nodeport-addresses localhost' },
  'iptables.snatNodeInternalIP': { type: 'flag', refused: refuseSnat },
  'iptables.syncPeriod': { type: 'duration', becomes: '--sync-period' },
  'iptables.minSyncPeriod': { type: 'duration', idle: atOnce },
  'ipvs.syncPeriod': { type: 'duration', becomes: '--sync-period' },
  'ipvs.minSyncPeriod': { type: 'duration', idle: atOnce },
  'ipvs.scheduler': { type: 'text', becomes: '--scheduler' },
  'ipvs.excludeCIDRs': { type: 'texts', idle: 'virtual servers of others are never touched' },
  'ipvs.strictARP': { type: 'flag', becomes: '--strict-arp' },
  'ipvs.tcpTimeout': { type: 'duration', becomes: '--ipvs-tcp-timeout' },
  'ipvs.tcpFinTimeout': { type: 'duration', becomes: '--ipvs-tcpfin-timeout' },
  'ipvs.udpTimeout': { type: 'duration', becomes: '--ipvs-udp-timeout' },
  'nftables.masqueradeBit': { type: 'number', idle: noMark },
  'nftables.masqueradeAll': { type: 'flag', becomes: '--masquerade-all' },
  'nftables.syncPeriod': { type: 'duration', becomes: '--sync-period' },
  'nftables.minSyncPeriod': { type: 'duration', idle: atOnce },
  'winkernel.networkName': { type: 'text', idle: windows },
  'winkernel.sourceVip': { type: 'text', idle: windows },
  'winkernel.enableDSR': { type: 'flag', idle: windows },
  'winkernel.rootHnsEndpointName': { type: 'text', idle: windows },
  'winkernel.forwardHealthCheckVip': { type: 'flag', idle: windows },
  detectLocalMode: { type: 'text', becomes: '--pod-cidr, --cluster-cidr or --pod-link', refused: refuseDetection },
  'detectLocal.bridgeInterface': { type: 'text', becomes: '--pod-link NAME' },
  'detectLocal.interfaceNamePrefix': { type: 'text', becomes: "--pod-link 'PREFIX*'" },
  clusterCIDR: { type: 'text', becomes: '--pod-cidr and --cluster-cidr' },
  nodePortAddresses: { type: 'texts', becomes: '--nodeport-addresses' },
  oomScoreAdj: { type: 'number', becomes: 'the score of this process' },
  'conntrack.maxPerCore': { type: 'number', becomes: 'net.netfilter.nf_conntrack_max, at least' },
  'conntrack.min': { type: 'number', becomes: 'net.netfilter.nf_conntrack_max, at least' },
  'conntrack.tcpEstablishedTimeout': { type: 'duration', becomes: 'the sysctl of that name, at least' },
  'conntrack.tcpCloseWaitTimeout': { type: 'duration', becomes: 'the sysctl of that name, at least' },
  'conntrack.tcpBeLiberal': { type: 'flag', becomes: 'net.netfilter.nf_conntrack_tcp_be_liberal' },
  'conntrack.udpTimeout': { type: 'duration', becomes: 'the sysctl of that name, at least' },
  'conntrack.udpStreamTimeout': { type: 'duration', becomes: 'the sysctl of that name, at least' },
  'conntrack.max': { type: 'number', idle: gone },
  configSyncPeriod: { type: 'duration', idle: 'watches tell every change' },
  portRange: { type: 'text', idle: gone },
  resourceContainer: { type: 'text', idle: gone },
  udpIdleTimeout: { type: 'duration', idle: gone },
  windowsRunAsService: { type: 'flag', idle: windows },
};

function refuseMode(value: unknown): string | undefined {
  if (['iptables', 'ipvs', 'nftables'].includes(String(value))) return undefined;
  return 'is one of iptables, ipvs and nftables; leave it out and say --plane for others';
}

function refuseSnat(value: unknown): string | undefined {
  return value === true
    ? 'is not done here: masqueraded connections show the address of the link they leave by; take it out'
    : undefined;
}

function refuseDetection(value: unknown): string | undefined {
  if (['ClusterCIDR', 'NodeCIDR', 'BridgeInterface', 'InterfaceNamePrefix'].includes(String(value))) return undefined;
  return 'is one of ClusterCIDR, NodeCIDR, BridgeInterface and InterfaceNamePrefix';
}
