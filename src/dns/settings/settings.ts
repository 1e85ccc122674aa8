import type { PodRecords, SocketAddress } from '../config.ts';

/**
 * Everything a DNS server is configured with: one or more servers, each with the zones it answers and what takes part in
 * answering. Comes from a settings file of ours, a Corefile, or the flags of a command; plain data with every default
 * filled in. A handler is there when its settings are; the order of handlers is not a setting but `chain.ts`.
 */
export interface DnsSettings {
  /** A query goes to the server with the longest zone that holds its name, among those of its listener and view. */
  readonly servers: readonly ServerSettings[];
  /** Told to who asks which server this is (NSID, `id.server`); empty tells nobody. */
  readonly identity: string;
  /** File with a secret of 32 hex digits that all replicas share, for cookies; undefined makes one for this process. */
  readonly cookieSecretFile: string | undefined;
  /** Where `/health` answers, and how long the server goes on answering after it was told to end. */
  readonly health: (SocketAddress & { readonly lameDuckMs: number }) | undefined;
  /** Where `/ready` answers. */
  readonly ready: SocketAddress | undefined;
  /** Where `/metrics` answers. */
  readonly metrics: SocketAddress | undefined;
  /** Another server that is asked the same, to compare answers. */
  readonly shadow: ShadowSettings | undefined;
  /** Threads that answer UDP beside the main one (Linux), counted at the start; 0 for none. */
  readonly workers: number;
  /** The file of these settings is looked at again this often; 0 never. */
  readonly reloadSeconds: number;
}

/** A server whose answers are compared with ours; nobody gets them. */
export interface ShadowSettings {
  readonly to: SocketAddress;
  /** How many of a hundred questions: 1-100. */
  readonly percent: number;
}

/** How a listener speaks: plain DNS over UDP and TCP, over TLS (RFC 7858), over HTTPS (RFC 8484). */
export type ListenTransport = 'dns' | 'tls' | 'https';

export interface ListenSettings extends SocketAddress {
  readonly transport: ListenTransport;
}

export interface ServerSettings {
  /** Names in presentation form without the last dot; `.` is every name. */
  readonly zones: readonly string[];
  readonly listen: readonly ListenSettings[];
  /** Certificate and key for the `tls` and `https` listeners; paths of PEM files. */
  readonly tls: TlsSettings | undefined;
  /** Only queries for which it holds come here; undefined takes all. */
  readonly view: ViewSettings | undefined;
  readonly log: LogSettings | undefined;
  readonly dnstap: DnstapSettings | undefined;
  readonly rewrite: readonly RewriteRule[];
  readonly acl: readonly AclRule[];
  /** Which namespaces see the names of which. */
  readonly visibility: readonly VisibilityRule[];
  readonly dns64: Dns64Settings | undefined;
  /** Answers without authority and additional records where the question does not need them. */
  readonly minimal: boolean;
  readonly cluster: ClusterSettings | undefined;
  readonly external: ExternalSettings | undefined;
  readonly hosts: HostsSettings | undefined;
  readonly templates: readonly TemplateRule[];
  readonly files: readonly ZoneFileSettings[];
  readonly autopath: AutopathSettings | undefined;
  /**
   * AAAA of names that others know: `ask` them; `none` answers that there is none; `auto` does so while nothing in the
   * cluster has an IPv6 address.
   */
  readonly aaaa: 'ask' | 'none' | 'auto';
  readonly cache: CacheSettings | undefined;
  readonly forwards: readonly ForwardSettings[];
  readonly transfer: readonly TransferSettings[];
}

export interface TlsSettings {
  readonly certificate: string;
  readonly key: string;
  /** Client certificates are asked for and must be of this authority. */
  readonly clientAuthority: string | undefined;
}

/** Conditions that must all hold; each list holds when any of its items does. */
export interface ViewSettings {
  readonly name: string;
  readonly clients: readonly string[];
  readonly names: readonly string[];
  readonly types: readonly string[];
}

export interface LogSettings {
  /** Which answers: all, those that deny a name, or those that failed. */
  readonly classes: readonly ('all' | 'success' | 'denial' | 'error')[];
}

export interface DnstapSettings {
  /** Path of a unix socket, or a TCP address. */
  readonly to: string | SocketAddress;
  readonly identity: string;
  readonly version: string;
}

/** What a rule compares a name with. `regex` is an anchored ECMAScript expression whose groups are `{1}`, `{2}` … */
export type NameMatch =
  | { readonly kind: 'exact' | 'prefix' | 'suffix' | 'substring'; readonly text: string }
  | { readonly kind: 'regex'; readonly text: string };

/** Changes a question before anything looks at it; names in the answer are changed back. The first rule that fits counts. */
export type RewriteRule =
  | { readonly kind: 'name'; readonly match: NameMatch; readonly to: string; readonly isLast: boolean }
  | { readonly kind: 'type'; readonly from: string; readonly to: string; readonly isLast: boolean }
  | {
      readonly kind: 'ttl';
      readonly match: NameMatch;
      readonly seconds: { readonly min: number; readonly max: number };
      readonly isLast: boolean;
    };

/** `block` answers REFUSED, `filter` an empty NOERROR, `drop` nothing. The first rule that fits counts; none allows. */
export interface AclRule {
  readonly action: 'allow' | 'block' | 'filter' | 'drop';
  /** Types by name; empty for all. */
  readonly types: readonly string[];
  /** CIDRs; empty for all. */
  readonly clients: readonly string[];
  /** Zones the rule is about; empty for all of the server. */
  readonly zones: readonly string[];
}

/**
 * Hides the names of namespaces from those who ask in others, or shows them. The first rule that fits counts; none shows. A
 * namespace always sees itself. Who asks is known by the address, when exactly one Pod has it; anybody else
 * is hidden from what some namespace is hidden from.
 */
export interface VisibilityRule {
  readonly action: 'show' | 'hide';
  /** Namespaces of those who ask; empty for all, and for those who are not known. */
  readonly from: readonly string[];
  /** Namespaces whose names are meant; empty for all. */
  readonly to: readonly string[];
}

export interface Dns64Settings {
  /** IPv6 prefix of RFC 6052 form. */
  readonly prefix: string;
  /** Translates also where there are AAAA records. */
  readonly translateAll: boolean;
  /** Also for askers over IPv4. */
  readonly allowIpv4: boolean;
}

/** The names of the cluster (kubernetes/dns, schema 1.1.0). */
export interface ClusterSettings {
  /** The cluster zone. */
  readonly zone: string;
  /** Zones of a cluster set (KEP-1645). */
  readonly multicluster: readonly string[];
  /** Service and Pod ranges: their reverse zones are answered here and never upstream. */
  readonly cidrs: readonly string[];
  readonly pods: PodRecords;
  /** Seconds: 0-3600. */
  readonly ttlSeconds: number;
  /** Only these Namespaces are shown; empty for all. */
  readonly namespaces: readonly string[];
  /** Zones in which a missing name is left to the next handler. */
  readonly fallthrough: readonly string[];
  /** Names of endpoints by topology zone (`<zone>.pin._zone.<svc>…`). */
  readonly zonal: boolean;
  /** A Service with a cluster IP but no ready endpoint does not exist. */
  readonly hidesEmptyServices: boolean;
  /** Endpoints without a hostname are named by their Pod. */
  readonly namesEndpointsByPod: boolean;
}

/**
 * Names for those outside the cluster, in zones of their own: `<svc>.<ns>.<zone>` for Services with external addresses, and
 * the hosts of Ingresses, Gateways and routes.
 */
export interface ExternalSettings {
  readonly zones: readonly string[];
  readonly ttlSeconds: number;
  /** Headless Services have names too. */
  readonly headless: boolean;
  /** Zones in which a missing name is left to the next handler. */
  readonly fallthrough: readonly string[];
}

export interface HostsSettings {
  /** Names outside of these are left to the next handler, but for reverse names. */
  readonly zones: readonly string[];
  /** Path of a file in the form of `/etc/hosts`; undefined for only the lines below. */
  readonly file: string | undefined;
  readonly lines: readonly string[];
  readonly ttlSeconds: number;
  readonly reverse: boolean;
  /** Zones in which a missing name is left to the next handler; `.` for all. */
  readonly fallthrough: readonly string[];
}

/** Answers by pattern; `{name}`, `{1}` … stand for the question's name and the groups of `match`. */
export interface TemplateRule {
  readonly zones: readonly string[];
  readonly type: string;
  readonly match: readonly string[];
  readonly answers: readonly string[];
  readonly authorities: readonly string[];
  readonly additionals: readonly string[];
  /** By name. */
  readonly rcode: string;
  readonly fallthrough: readonly string[];
}

export interface ZoneFileSettings {
  readonly path: string;
  readonly zones: readonly string[];
  /** Looked at again after so many seconds; 0 never. */
  readonly reloadSeconds: number;
}

/** Search lists of Pods are gone through here; needs `cluster`. */
export interface AutopathSettings {
  /** What Pods look names up in after the cluster's domains: the search list of their nodes. */
  readonly search: readonly string[];
}

/** Whichever bound is reached first holds. */
export interface CacheBounds {
  /** Answers. */
  readonly capacity: number;
  /** Memory of all of them, about: 10^6 bytes. */
  readonly megabytes: number;
  readonly minSeconds: number;
  readonly maxSeconds: number;
}

export interface CacheSettings {
  readonly zones: readonly string[];
  readonly positive: CacheBounds;
  readonly negative: CacheBounds;
  /** Answers that ran out are given for this long while nobody gives a new one (RFC 8767); 0 never. */
  readonly staleSeconds: number;
  /** A name asked this often within a minute is asked again before it runs out; 0 never. */
  readonly prefetchQueries: number;
  /** Failures are kept for so many seconds (RFC 9520): 1-300. */
  readonly failureSeconds: number;
}

/** Names that others know. */
export interface ForwardSettings {
  readonly zones: readonly string[];
  readonly except: readonly string[];
  readonly upstreams: readonly UpstreamSettings[];
  readonly policy: 'sequential' | 'random' | 'round_robin';
  /** An upstream is asked for its health this often while it fails; 0 never. */
  readonly healthCheckMs: number;
  /** Questions under way at once, of which no client has more than are free; more get a stale answer or SERVFAIL. */
  readonly maxConcurrent: number;
  /** `tcp` asks over TCP only, `udp` over TCP when an answer was cut. */
  readonly transport: 'udp' | 'tcp';
}

export interface UpstreamSettings extends SocketAddress {
  readonly transport: ListenTransport;
  /** Name its certificate must have; undefined takes the address. */
  readonly serverName: string | undefined;
}

/**
 * Who may have a whole zone (AXFR, IXFR over TCP or TLS): `clients`, and everybody who signs with one of the `keys`. Who is told
 * of changes (NOTIFY), signed with the first of the keys.
 */
export interface TransferSettings {
  /** And all zones of the server below them. */
  readonly zones: readonly string[];
  /** CIDRs that may ask; empty allows nobody without a key. */
  readonly clients: readonly string[];
  readonly notify: readonly SocketAddress[];
  readonly keys: readonly TsigKey[];
}

/** RFC 8945. */
export interface TsigKey {
  readonly name: string;
  readonly algorithm: 'hmac-sha256' | 'hmac-sha384' | 'hmac-sha512';
  /** Base64. */
  readonly secret: string;
}
