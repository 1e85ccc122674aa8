import type { PodRecords, SocketAddress } from '../config.ts';
import type { CacheSettings, ClusterSettings, DnsSettings, ForwardSettings, ServerSettings } from './settings.ts';

/** What most clusters say about their DNS: the rest are defaults. */
export interface ClusterServer {
  readonly listen: readonly SocketAddress[];
  /** `cluster.local` unless given. */
  readonly clusterDomain?: string;
  /** The host's resolvers, asked in this order. Empty: nothing is forwarded. */
  readonly upstreams?: readonly SocketAddress[];
  /** Service and Pod ranges: reverse names inside them are never asked upstream. */
  readonly cidrs?: readonly string[];
  readonly pods?: PodRecords;
  /** Seconds; 5 unless given. */
  readonly ttlSeconds?: number;
  /** Threads that answer UDP beside the main one; none unless given. */
  readonly workers?: number;
}

/** A server without any handler. */
export const emptyServer: ServerSettings = {
  zones: ['.'],
  listen: [],
  tls: undefined,
  view: undefined,
  log: undefined,
  dnstap: undefined,
  rewrite: [],
  acl: [],
  visibility: [],
  dns64: undefined,
  minimal: false,
  cluster: undefined,
  external: undefined,
  hosts: undefined,
  templates: [],
  files: [],
  autopath: undefined,
  aaaa: 'ask',
  cache: undefined,
  forwards: [],
  transfer: [],
};

/** Nothing beside the servers. */
export const bareSettings: Omit<DnsSettings, 'servers'> = {
  identity: '',
  cookieSecretFile: undefined,
  health: undefined,
  ready: undefined,
  metrics: undefined,
  shadow: undefined,
  workers: 0,
  reloadSeconds: 0,
};

/** Of each kind of answers, unless settings say otherwise: ordinary ones take about a kilobyte, so only large ones reach it. */
export const defaultCacheMegabytes = 32;

/** What upstream servers say, kept unless settings say otherwise. */
const defaultCache: CacheSettings = {
  zones: ['.'],
  positive: { capacity: 10_000, megabytes: defaultCacheMegabytes, minSeconds: 0, maxSeconds: 300 },
  negative: { capacity: 10_000, megabytes: defaultCacheMegabytes, minSeconds: 0, maxSeconds: 30 },
  staleSeconds: 86_400,
  prefetchQueries: 0,
  failureSeconds: 2,
};

/** Nothing is kept but failures for a second, which RFC 9520 asks of everyone. */
export const noCache: CacheSettings = {
  zones: [],
  positive: { capacity: 0, megabytes: 1, minSeconds: 0, maxSeconds: 0 },
  negative: { capacity: 1000, megabytes: 1, minSeconds: 0, maxSeconds: 0 },
  staleSeconds: 0,
  prefetchQueries: 0,
  failureSeconds: 1,
};

/** Names of a cluster as most have them. */
export const defaultCluster: ClusterSettings = {
  zone: 'cluster.local',
  multicluster: [],
  cidrs: [],
  pods: 'insecure',
  ttlSeconds: 5,
  namespaces: [],
  fallthrough: [],
  zonal: false,
  hidesEmptyServices: false,
  namesEndpointsByPod: false,
};

/** One server for the cluster's names and, through upstreams, everybody else's. */
export function clusterServer(options: ClusterServer): DnsSettings {
  const { listen, upstreams = [] } = options;
  const { clusterDomain = defaultCluster.zone, cidrs = [], pods = defaultCluster.pods } = options;
  const { ttlSeconds = defaultCluster.ttlSeconds } = options;
  const server: ServerSettings = {
    ...emptyServer,
    listen: listen.map((address) => ({ ...address, transport: 'dns' })),
    cluster: { ...defaultCluster, zone: clusterDomain, cidrs, pods, ttlSeconds },
    aaaa: 'auto',
    cache: defaultCache,
    forwards: upstreams.length === 0 ? [] : [forwardAll(upstreams)],
  };
  return { ...bareSettings, workers: options.workers ?? bareSettings.workers, servers: [server] };
}

function forwardAll(upstreams: readonly SocketAddress[]): ForwardSettings {
  return {
    zones: ['.'],
    except: [],
    upstreams: upstreams.map((address) => ({ ...address, transport: 'dns', serverName: undefined })),
    policy: 'sequential',
    healthCheckMs: 500,
    maxConcurrent: 1000,
    transport: 'udp',
  };
}
