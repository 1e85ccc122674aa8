import type { HostAlias } from '../../api/core/pod/pod-spec.ts';

const localNames = [
  '127.0.0.1\tlocalhost',
  '::1\tlocalhost ip6-localhost ip6-loopback',
  'fe00::0\tip6-localnet',
  'fe00::0\tip6-mcastprefix',
  'fe00::1\tip6-allnodes',
  'fe00::2\tip6-allrouters',
];

export interface HostNames {
  readonly podIp: string;
  readonly hostname: string;
  /** `host.subdomain.ns.svc.domain`; undefined without a subdomain. */
  readonly fullName: string | undefined;
  readonly aliases: readonly HostAlias[];
}

/** `/etc/hosts` of a Pod with a network of its own. */
export function podHostsFile({ podIp, hostname, fullName, aliases }: HostNames): string {
  const own = fullName === undefined ? hostname : `${fullName}\t${hostname}`;
  return `${['# Kubernetes-managed hosts file.', ...localNames, `${podIp}\t${own}`].join('\n')}\n${aliasLines(aliases)}`;
}

/** `/etc/hosts` of a Pod in the host's network: the host's, with the aliases. */
export function hostNetworkHostsFile(hostFile: string, aliases: readonly HostAlias[]): string {
  return `# Kubernetes-managed hosts file (host network).\n${hostFile}${aliasLines(aliases)}`;
}

function aliasLines(aliases: readonly HostAlias[]): string {
  if (aliases.length === 0) return '';
  const lines = aliases.map(({ ip, hostnames = [] }) => `${ip}\t${hostnames.join('\t')}`);
  return `\n# Entries added by HostAliases.\n${lines.join('\n')}\n`;
}
