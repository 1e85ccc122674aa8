/** What a program needs to find names through the cluster DNS. */
export interface ClusterResolver {
  /** Address on which the cluster DNS answers at port 53. */
  readonly address: string;
  /** `cluster.local`. */
  readonly domain: string;
  /** Names without a dot are looked for here first. */
  readonly namespace: string;
}

/** `/etc/resolv.conf` as a Pod of that namespace has it (dnsPolicy ClusterFirst). */
export function resolvConf({ address, domain, namespace }: ClusterResolver): string {
  return `nameserver ${address}\nsearch ${searchDomains(namespace, domain).join(' ')}\noptions ndots:5\n`;
}

/** The search list of a Pod in `namespace`. */
export function searchDomains(namespace: string, domain: string): readonly string[] {
  return [`${namespace}.svc.${domain}`, `svc.${domain}`, domain];
}

/**
 * The host's `/etc/nsswitch.conf` with plain host look-ups: modules such as `resolve`, `mdns4_minimal` or `myhostname`
 * would answer before the cluster DNS is asked.
 */
export function nsswitchConf(text: string): string {
  const others = text.split('\n').filter((line) => !/^\s*hosts\s*:/.test(line));
  return `${others.join('\n').trimEnd()}\nhosts: files dns\n`.trimStart();
}

/** One name for `/etc/hosts`. */
export interface HostName {
  readonly address: string;
  /** `hello.default`. */
  readonly service: string;
  readonly namespace: string;
}

/**
 * The host's `/etc/hosts` with the names of Services, for when the cluster DNS has no port that `resolv.conf` can name.
 */
export function hostsFile(
  text: string,
  names: readonly HostName[],
  resolver: Omit<ClusterResolver, 'address'>,
): string {
  const lines = names.map(({ address, service, namespace }) => {
    const short = namespace === resolver.namespace ? [service] : [];
    const full = [
      `${service}.${namespace}`,
      `${service}.${namespace}.svc`,
      `${service}.${namespace}.svc.${resolver.domain}`,
    ];
    return `${address}\t${[...short, ...full].join(' ')}`;
  });
  return `${text.trimEnd()}\n${lines.join('\n')}\n`;
}
