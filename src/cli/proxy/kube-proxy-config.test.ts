import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseArguments } from '../parse.ts';
import { readKubeProxyConfig } from './kube-proxy-config.ts';
import { kubeProxyFields } from './kube-proxy-fields.ts';
import { kubeProxyOptions } from './kube-proxy-options.ts';
import { mergeOptions, type ProxyOptions, proxyOptions } from './options.ts';
import { readSettings } from './settings.ts';

const head = 'apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n';

/** What the command line comes to with a file of these lines. */
function settingsOf(yaml: string, ...argv: string[]) {
  const file = kubeProxyOptions(readKubeProxyConfig(`${head}${yaml}`, 'config.conf'));
  const flags = parseArguments(proxyOptions, ['--node-name', 'Node-1', ...argv]).options as ProxyOptions;
  return { ...readSettings(mergeOptions(flags, file.options), '/'), tuning: file.tuning };
}

/** What kubeadm writes into the ConfigMap kube-proxy. */
const kubeadm = `bindAddress: 0.0.0.0
bindAddressHardFail: false
clientConnection:
  acceptContentTypes: ""
  burst: 0
  contentType: ""
  kubeconfig: /var/lib/kube-proxy/kubeconfig.conf
  qps: 0
clusterCIDR: 10.244.0.0/16,fd00:244::/56
configSyncPeriod: 0s
conntrack:
  maxPerCore: null
  min: null
  tcpBeLiberal: false
  tcpCloseWaitTimeout: null
  tcpEstablishedTimeout: null
  udpStreamTimeout: 0s
  udpTimeout: 0s
detectLocal:
  bridgeInterface: ""
  interfaceNamePrefix: ""
detectLocalMode: ""
enableProfiling: false
healthzBindAddress: ""
hostnameOverride: ""
iptables:
  localhostNodePorts: null
  masqueradeAll: false
  masqueradeBit: null
  minSyncPeriod: 0s
  syncPeriod: 0s
ipvs:
  excludeCIDRs: null
  minSyncPeriod: 0s
  scheduler: ""
  strictARP: false
  syncPeriod: 0s
  tcpFinTimeout: 0s
  tcpTimeout: 0s
  udpTimeout: 0s
logging:
  flushFrequency: 0
  options:
    json:
      infoBufferSize: "0"
  verbosity: 0
metricsBindAddress: ""
mode: ""
nftables:
  masqueradeAll: false
  masqueradeBit: null
  minSyncPeriod: 0s
  syncPeriod: 0s
nodePortAddresses: null
oomScoreAdj: null
portRange: ""
showHiddenMetricsForVersion: ""
winkernel:
  enableDSR: false
  forwardHealthCheckVip: false
  networkName: ""
  rootHnsEndpointName: ""
  sourceVip: ""
`;

test("kubeadm's file is read whole, and means what it means to kube-proxy", () => {
  const { tuning, ...settings } = settingsOf(kubeadm);
  const ranges = ['10.244.0.0/16', 'fd00:244::/56'];
  assert.equal(settings.nodeName, 'node-1');
  assert.equal(settings.plane, 'auto');
  assert.deepEqual(settings.network, {
    podCidrs: ranges,
    clusterCidrs: ranges,
    serviceCidrs: [],
    nodePortAddresses: [],
    nodePortLocalhost: true,
    masqueradeAll: false,
    podLinks: [],
  });
  assert.deepEqual(settings.fromNode, { nodePortsOnPrimary: false, podCidrs: undefined });
  assert.deepEqual(settings.healthz, { address: undefined, port: 10_256 });
  assert.deepEqual(settings.metricsAt, { address: '127.0.0.1', port: 10_249 });
  assert.equal(settings.syncPeriodMs, undefined);
  assert.equal(tuning.conntrackMaxPerCore, 32_768);
  assert.equal(tuning.oomScoreAdj, -999);
  assert.deepEqual(
    readKubeProxyConfig(head + kubeadm, 'config.conf').idle.map(({ path }) => path),
    ['logging.options'],
  );
});

const meanings: readonly [string, string, (settings: ReturnType<typeof settingsOf>) => unknown, unknown][] = [
  ['mode ipvs', 'mode: ipvs', ({ plane }) => plane, 'ipvs'],
  [
    'mode nftables has node ports on the primary addresses',
    'mode: nftables',
    ({ fromNode }) => fromNode?.nodePortsOnPrimary,
    true,
  ],
  [
    'mode ipvs has them on every address but loopback',
    'mode: ipvs',
    ({ network }) => [network.nodePortAddresses, network.nodePortLocalhost],
    [[], false],
  ],
  [
    'iptables without localhost',
    'iptables: {localhostNodePorts: false}',
    ({ network }) => network.nodePortLocalhost,
    false,
  ],
  [
    'node port words',
    'nodePortAddresses: [primary, localhost, 10.0.0.0/8]',
    ({ network, fromNode }) => [network.nodePortAddresses, network.nodePortLocalhost, fromNode?.nodePortsOnPrimary],
    [['10.0.0.0/8'], true, true],
  ],
  [
    'bindAddress is the primary address',
    'bindAddress: 192.0.2.9\nnodePortAddresses: [primary]',
    ({ network }) => network.nodePortAddresses,
    ['192.0.2.9/32'],
  ],
  [
    'an IPv6 bindAddress moves the servers',
    'bindAddress: "::"',
    ({ metricsAt }) => metricsAt,
    { address: '::1', port: 10_249 },
  ],
  [
    'an address without a port',
    'healthzBindAddress: 192.0.2.9',
    ({ healthz }) => healthz,
    { address: '192.0.2.9', port: 10_256 },
  ],
  ['NodeCIDR', 'detectLocalMode: NodeCIDR', ({ fromNode }) => fromNode?.podCidrs, 'alone'],
  [
    'BridgeInterface',
    'detectLocalMode: BridgeInterface\ndetectLocal: {bridgeInterface: cni0}',
    ({ network }) => network.podLinks,
    ['cni0'],
  ],
  [
    'InterfaceNamePrefix',
    'detectLocalMode: InterfaceNamePrefix\ndetectLocal: {interfaceNamePrefix: cali}',
    ({ network }) => network.podLinks,
    ['cali*'],
  ],
  [
    'masqueradeAll of the mode',
    'mode: nftables\nnftables: {masqueradeAll: true}',
    ({ network }) => network.masqueradeAll,
    true,
  ],
  [
    'masqueradeAll of another mode',
    'mode: nftables\niptables: {masqueradeAll: true}',
    ({ network }) => network.masqueradeAll,
    false,
  ],
  ['syncPeriod of the mode', 'mode: ipvs\nipvs: {syncPeriod: 1m}', ({ syncPeriodMs }) => syncPeriodMs, 60_000],
  ['the scheduler', 'mode: ipvs\nipvs: {scheduler: lc}', ({ defaults }) => defaults?.scheduler, 'lc'],
  [
    'strict ARP and time-outs',
    'ipvs: {strictARP: true, tcpTimeout: 15m, udpTimeout: 30s}',
    ({ planeSettings }) => planeSettings?.ipvs,
    { strictArp: true, tcpTimeoutSeconds: 900, tcpFinTimeoutSeconds: undefined, udpTimeoutSeconds: 30 },
  ],
  ['the name of the node', 'hostnameOverride: Other', ({ nodeName }) => nodeName, 'node-1'],
  [
    'conntrack',
    'conntrack: {maxPerCore: 0, tcpCloseWaitTimeout: 2h, tcpBeLiberal: true}',
    ({ tuning }) => [tuning.conntrackMaxPerCore, tuning.tcpCloseWaitTimeoutSeconds, tuning.tcpBeLiberal],
    [0, 7200, true],
  ],
];

for (const [name, yaml, read, expected] of meanings) {
  test(`${name}: ${yaml.replaceAll('\n', '; ')}`, () => assert.deepEqual(read(settingsOf(yaml)), expected));
}

test('flags win over the file, a switch that is turned off too', () => {
  const yaml = 'mode: ipvs\nclusterCIDR: 10.1.0.0/16\niptables: {masqueradeAll: true}\nmetricsBindAddress: 0.0.0.0:1';
  const settings = settingsOf(
    yaml,
    '--plane=nftables',
    '--cluster-cidr=10.2.0.0/16',
    '--masquerade-all=false',
    '--metrics-bind-address=',
  );
  assert.equal(settings.plane, 'nftables');
  assert.deepEqual(settings.network.clusterCidrs, ['10.2.0.0/16']);
  assert.equal(settings.network.masqueradeAll, false);
  assert.equal(settings.metricsAt, undefined);
});

const refused: readonly [string, RegExp][] = [
  ['mod: ipvs', /^config\.conf, line 3: mod: there is no such field$/],
  ['ipvs:\n  schedular: rr', /^config\.conf, line 4: ipvs\.schedular: there is no such field$/],
  ['ipvs: rr', /^config\.conf, line 3: ipvs: must hold fields$/],
  ['mode: kernelspace', /line 3: mode: is one of iptables, ipvs and nftables/],
  ['mode: userspace', /line 3: mode: is one of/],
  ['oomScoreAdj: low', /line 3: oomScoreAdj: must be a number$/],
  ['iptables:\n  syncPeriod: 30', /line 4: iptables\.syncPeriod: must be a duration/],
  ['nodePortAddresses: primary', /line 3: nodePortAddresses: must be a list of texts$/],
  ['iptables: {snatNodeInternalIP: true}', /snatNodeInternalIP: is not done here/],
  ['detectLocalMode: Magic', /detectLocalMode: is one of ClusterCIDR/],
  ['detectLocalMode: BridgeInterface', /detectLocal\.bridgeInterface: detectLocalMode needs it/],
  ['ipvs: {scheduler: fastest}', /ipvs\.scheduler: "fastest" is none of/],
  ['mode: ipvs\nmode: iptables', /line 4: .*unique/],
  ['mode: [', /^config\.conf, line \d+: /],
];

for (const [yaml, message] of refused) {
  test(`refused: ${yaml.replaceAll('\n', '; ')}`, () => assert.throws(() => settingsOf(yaml), { message }));
}

test('another kind or version is refused', () => {
  const version2 = head.replace('v1alpha1', 'v1alpha2');
  assert.throws(() => readKubeProxyConfig(version2, 'f'), { message: /apiVersion is not .*v1alpha1/ });
  assert.throws(() => readKubeProxyConfig('apiVersion: v1\nkind: Pod\n', 'f'), { message: /kind is not KubeProxy/ });
});

test('the page on moving from kube-proxy has every field with what becomes of it', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/guide/moving-from-kube-proxy.md'), 'utf8');
  const missing = Object.entries(kubeProxyFields)
    .map(
      ([path, { becomes, idle }]) =>
        `| \`${path}\` | ${becomes?.replaceAll(/--[a-z-]+/g, '`$&`') ?? idle ?? 'refused'} |`,
    )
    .filter((row) => !page.includes(row));
  assert.deepEqual(missing, []);
});
