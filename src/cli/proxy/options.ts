import { planeNames } from '../../proxy/dataplane.ts';
import { schedulers } from '../../routing/scheduler.ts';
import type { OptionTable, OptionValues } from '../command.ts';
import { nodeOption } from '../component/connected.ts';
import { connectionOptions } from '../connection.ts';

/** How a backend is chosen, and how its connections end, for every Service that does not say otherwise. */
export const serviceOptions = {
  scheduler: {
    type: 'string',
    value: 'NAME',
    choices: schedulers,
    summary: 'How a backend is chosen; a Service may say otherwise',
  },
  'reset-removed': {
    type: 'string',
    value: 'TIME',
    summary: 'Reset TCP connections to a backend that went, after this drain time, such as 30s (default: never)',
  },
  'allow-external-ips': {
    type: 'boolean',
    summary: 'Serve spec.externalIPs, which let who may write a Service take over any address',
  },
} as const satisfies OptionTable;

/** The flag that names a plane. */
export const planeOption = {
  plane: {
    type: 'string',
    value: 'PLANE',
    choices: ['auto', ...planeNames],
    summary: 'Data plane of Services (default: auto)',
  },
} as const satisfies OptionTable;

/**
 * The flags of `fairlead proxy`. None has a default here: what is left out may be in the file of --config, and the
 * defaults come after it.
 */
export const proxyOptions = {
  config: { type: 'string', value: 'FILE', summary: 'A KubeProxyConfiguration; flags win over it' },
  ...nodeOption,
  ...planeOption,
  ...serviceOptions,
  'pod-cidr': {
    type: 'strings',
    value: 'CIDR',
    summary: 'Addresses of Pods on this node, or "node" for those of the Node object (default: node)',
  },
  'cluster-cidr': {
    type: 'strings',
    value: 'CIDR',
    summary: 'Addresses of all Pods, or "node"; other sources are masqueraded',
  },
  'pod-link': {
    type: 'strings',
    value: 'LINK',
    summary: "Link behind which this node's Pods are, or 'PREFIX*'; then ranges do not decide on callers",
  },
  'service-cidr': { type: 'strings', value: 'CIDR', summary: 'Addresses of Services; unused ones are refused' },
  'nodeport-addresses': {
    type: 'strings',
    value: 'WORD',
    summary: 'Where node ports answer: primary, localhost, all or a CIDR (default: every address but loopback)',
  },
  'masquerade-all': {
    type: 'boolean',
    default: 'unset',
    summary: 'Backends see this node as the source of every connection',
  },
  'strict-arp': {
    type: 'boolean',
    default: 'unset',
    summary: 'IPVS: answer ARP on the link that has the address alone, as MetalLB needs it',
  },
  'ipvs-tcp-timeout': { type: 'duration', value: 'TIME', summary: 'IPVS: end of idle TCP connections' },
  'ipvs-tcpfin-timeout': { type: 'duration', value: 'TIME', summary: 'IPVS: end of TCP connections after a FIN' },
  'ipvs-udp-timeout': { type: 'duration', value: 'TIME', summary: 'IPVS: end of silent UDP flows' },
  cgroup: {
    type: 'string',
    value: 'PATH',
    summary: 'eBPF: the cgroup whose processes are served (default: all of them)',
  },
  'healthz-bind-address': {
    type: 'string',
    value: 'ADDRESS',
    summary: "Where /healthz, /livez and /readyz are (default: 0.0.0.0:10256; '' for nowhere)",
  },
  'metrics-bind-address': {
    type: 'string',
    value: 'ADDRESS',
    summary: "Where /metrics and /proxyMode are (default: 127.0.0.1:10249; '' for nowhere)",
  },
  'sync-period': {
    type: 'duration',
    value: 'TIME',
    summary: 'How often what was refused is tried again; twice this long in the queue is unhealthy (default: 30s)',
  },
  state: { type: 'string', value: 'DIR', summary: 'Folder of the last known state, for starts without the API server' },
  'remove-on-exit': { type: 'boolean', summary: 'Take the rules away at the end; else traffic goes on as it is' },
  cleanup: {
    type: 'boolean',
    summary: 'Take away what a node proxy left here, kube-proxy or this one, say what it was, and end',
  },
  'cleanup-kube-proxy': { type: 'boolean', summary: 'The same, of kube-proxy alone' },
  ...connectionOptions,
  'log-level': {
    type: 'string',
    value: 'LEVEL',
    choices: ['debug', 'info', 'warn', 'error'],
    summary: 'What to log on standard error (default: warn)',
  },
  'log-format': {
    type: 'string',
    value: 'FORMAT',
    choices: ['text', 'json'],
    summary: 'text for people, json for collectors (default: text)',
  },
} as const satisfies OptionTable;

export type ProxyOptions = OptionValues<typeof proxyOptions>;

/** Flags over the file: a flag that was not given leaves what the file says. */
export function mergeOptions(flags: ProxyOptions, file: Partial<ProxyOptions>): ProxyOptions {
  const given = Object.entries(flags).filter(
    ([name, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0 && name in file),
  );
  return { ...flags, ...file, ...(Object.fromEntries(given) as Partial<ProxyOptions>) };
}
