import type { PodSpec } from '../../api/core/pod/pod-spec.ts';

/** The parts of a resolver configuration (resolv.conf(5)). */
export interface ResolvConf {
  readonly nameservers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly string[];
}

/** Cluster settings that Pods resolve names by. */
export interface ClusterDns {
  readonly addresses: readonly string[];
  readonly domain: string;
}

const limits = { nameservers: 3, searches: 32, searchLength: 2048 };

/** Reads a resolv.conf; lines it does not know are left out. */
export function parseResolvConf(text: string): ResolvConf {
  const lines = text.split('\n').map((line) => line.trim().split(/\s+/));
  const all = (keyword: string) => lines.filter(([first]) => first === keyword).map(([, ...rest]) => rest);
  const searches = lines.findLast(([first]) => first === 'search' || first === 'domain')?.slice(1) ?? [];
  return { nameservers: all('nameserver').flatMap(([first]) => first ?? []), searches, options: all('options').flat() };
}

/** The resolver configuration of a Pod by its `dnsPolicy` and `dnsConfig`. */
export function podResolvConf(spec: PodSpec, namespace: string, cluster: ClusterDns, host: ResolvConf): ResolvConf {
  const base = baseFor(spec, namespace, cluster, host);
  const { nameservers = [], searches = [], options = [] } = spec.dnsConfig ?? {};
  const own = options.map(({ name = '', value }) => (value === undefined ? name : `${name}:${value}`));
  const overridden = new Set(options.map(({ name = '' }) => name));
  return {
    nameservers: unique([...base.nameservers, ...nameservers]).slice(0, limits.nameservers),
    searches: withinLength(unique([...base.searches, ...searches]).slice(0, limits.searches)),
    options: [...base.options.filter((each) => !overridden.has(each.split(':')[0] ?? '')), ...own],
  };
}

function baseFor(spec: PodSpec, namespace: string, cluster: ClusterDns, host: ResolvConf): ResolvConf {
  const policy = spec.dnsPolicy ?? 'ClusterFirst';
  if (policy === 'None') return { nameservers: [], searches: [], options: [] };
  if (policy === 'Default' || (policy === 'ClusterFirst' && spec.hostNetwork === true)) return host;
  const { addresses, domain } = cluster;
  if (addresses.length === 0) return host;
  const searches = [`${namespace}.svc.${domain}`, `svc.${domain}`, domain, ...host.searches];
  return { nameservers: addresses, searches, options: ['ndots:5'] };
}

/** As a file. */
export function formatResolvConf({ nameservers, searches, options }: ResolvConf): string {
  const lines = [
    ...(searches.length === 0 ? [] : [`search ${searches.join(' ')}`]),
    ...nameservers.map((address) => `nameserver ${address}`),
    ...(options.length === 0 ? [] : [`options ${options.join(' ')}`]),
  ];
  return `${lines.join('\n')}\n`;
}

function unique(values: readonly string[]): readonly string[] {
  return [...new Set(values)];
}

function withinLength(searches: readonly string[]): readonly string[] {
  let length = 0;
  return searches.filter((each) => (length += each.length + 1) <= limits.searchLength + 1);
}
