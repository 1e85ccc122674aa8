import { Namespace } from '../api/core/namespace.ts';
import { Node } from '../api/core/node.ts';
import { Pod } from '../api/core/pod.ts';
import { Service } from '../api/core/service.ts';
import { EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import type { ApiObject } from '../api/meta/object-meta.ts';
import type { Kind } from '../api/schema.ts';
import type { Cache, Caches } from '../client/caches.ts';
import type { Client as ApiClient } from '../client/client.ts';
import { createObjectCache } from '../client/object-cache.ts';
import type { ObjectCache } from '../client/object-cache.ts';
import { parseIp } from '../lib/ip.ts';
import { silentLogger } from '../observe/log.ts';
import { createMetrics, type Metrics } from '../observe/metrics.ts';
import { QueryCounts } from './metrics.ts';
import type { Transport } from './client.ts';
import { ClientPods } from './client-pods.ts';
import type { Tap } from './dnstap/tap.ts';
import { questionOf } from './dig.ts';
import type { Resolver } from './forward/resolver.ts';
import type { ClusterParts } from './handlers/handler.ts';
import type { Identity } from './answer-options.ts';
import { NegativeReplies } from './negative.ts';
import { formatRecord } from './presentation.ts';
import { createRecords } from './records.ts';
import { PrebuiltWriter } from './prebuilt/writer.ts';
import type { Clock } from '../observe/clock.ts';
import type { Names, RecordChange, Records, RecordsConfig } from './records.ts';
import { recordsOf } from './reply.ts';
import { createResponder } from './responder.ts';
import type { Responder } from './responder.ts';
import { createServer, type Server } from './servers.ts';
import type { ServiceImport } from './service-import.ts';
import { emptyServer } from './settings/cluster-server.ts';
import type { ServerSettings } from './settings/settings.ts';
import { readMessage } from './wire/message.ts';
import type { Message, ResourceRecord } from './wire/message.ts';
import { formatName } from './wire/names.ts';
import { flags, rcodeName, rcodes, typeName, typeNumbers } from './wire/types.ts';
import { writeMessage } from './wire/writer.ts';

/** For tests: caches that a test fills by hand, in place of an API server. */
export interface TestCaches {
  readonly caches: Caches;
  readonly service: ObjectCache<Service>;
  readonly slice: ObjectCache<EndpointSlice>;
  readonly namespace: ObjectCache<Namespace>;
  readonly pod: ObjectCache<Pod>;
  /** Marks all of them as read completely, with what they hold. */
  sync(): void;
}

/** Empty caches; `client` is what `caches.client` gives. */
export function testCaches(client: ApiClient): TestCaches {
  const make = <T extends ApiObject>(kind: Kind<T>): ObjectCache<T> =>
    createObjectCache(kind, {
      onHandlerError: (error) => {
        throw error;
      },
    });
  const service = make(Service);
  const slice = make(EndpointSlice);
  const namespace = make(Namespace);
  const pod = make(Pod);
  const node = make(Node);
  const all: readonly (Cache<Service> | Cache<EndpointSlice> | Cache<Namespace> | Cache<Pod> | Cache<Node>)[] = [
    service,
    slice,
    namespace,
    pod,
    node,
  ];
  const caches: Caches = {
    of<T extends ApiObject>(kind: Kind<T>): Cache<T> {
      // Found by its kind, so it is of this type.
      return all.find((cache) => cache.kind.kind === kind.kind) as unknown as Cache<T>;
    },
    synced: async () => undefined,
    through: (writer) => writer,
    client,
    [Symbol.asyncDispose]: async () => undefined,
  };
  return {
    caches,
    service,
    slice,
    namespace,
    pod,
    sync() {
      service.replace(service.list(), '1');
      slice.replace(slice.list(), '1');
      namespace.replace(namespace.list(), '1');
      pod.replace(pod.list(), '1');
      node.replace(node.list(), '1');
    },
  };
}

/** `shop/cart` on 10.96.0.1 with port 80/TCP named http. */
export function dnsService(
  spec: Partial<NonNullable<Service['spec']>> = {},
  name = 'cart',
  namespace = 'shop',
): Service {
  return {
    metadata: { name, namespace },
    spec: {
      type: 'ClusterIP',
      clusterIP: '10.96.0.1',
      clusterIPs: ['10.96.0.1'],
      ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
      ...spec,
    },
  };
}

/** `shop/cart` without a cluster IP. */
export function headlessService(spec: Partial<NonNullable<Service['spec']>> = {}, name = 'cart'): Service {
  return dnsService({ clusterIP: 'None', clusterIPs: ['None'], ...spec }, name);
}

/** A slice of `shop/cart`; endpoints as `address`, and behind it `host=`, `zone=` or `pod=NAME`, and `!ready`. */
export function dnsSlice(
  endpoints: readonly string[],
  over: Partial<EndpointSlice> = {},
  name = 'cart-1',
): EndpointSlice {
  return {
    metadata: { name, namespace: 'shop', labels: { 'kubernetes.io/service-name': 'cart' } },
    addressType: endpoints[0]?.includes(':') ? 'IPv6' : 'IPv4',
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    endpoints: endpoints.map((text) => {
      const [address = '', ...words] = text.split(' ');
      const word = (name: string): string | undefined =>
        words.find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1);
      return {
        addresses: [address],
        conditions: { ready: !words.includes('!ready') },
        hostname: word('host'),
        zone: word('zone'),
        targetRef: word('pod') === undefined ? undefined : { kind: 'Pod', name: word('pod') },
      };
    }),
    ...over,
  };
}

/** `shop/cart` of a cluster set. */
export function serviceImport(type: 'ClusterSetIP' | 'Headless', ips: readonly string[] = []): ServiceImport {
  return {
    metadata: { name: 'cart', namespace: 'shop' },
    spec: { type, ips, ports: [{ name: 'http', port: 80, protocol: 'TCP' }] },
  };
}

/** A slice of that from one of its clusters. */
export function importedSlice(endpoints: readonly string[], cluster: string): EndpointSlice {
  const labels = {
    'multicluster.kubernetes.io/service-name': 'cart',
    'multicluster.kubernetes.io/source-cluster': cluster,
  };
  return dnsSlice(endpoints, { metadata: { name: `imported-${cluster}`, namespace: 'shop', labels } });
}

export function dnsNamespace(name = 'shop'): Namespace {
  return { metadata: { name }, spec: {}, status: {} };
}

/** A Pod of `shop` that may ask. */
export function dnsPod(
  address: string,
  over: Partial<Pod['spec']> = {},
  namespace = 'shop',
  name = `pod-${address}`,
): Pod {
  return {
    metadata: { name, namespace, uid: `uid-of-${namespace}-${name}` },
    spec: { containers: [], ...over },
    status: { phase: 'Running', podIP: address, podIPs: [{ ip: address }] },
  };
}

/** Pods as askers. */
export function clientPodsOf(...pods: readonly Pod[]): ClientPods {
  const all = new ClientPods();
  for (const pod of pods) all.change(undefined, pod);
  return all;
}

/** Others that know names: `www.example.com A` → address. What is not listed does not exist; a name has no other types. */
export function knowsNames(names: Readonly<Record<string, string>>): Resolver & { readonly asked: string[] } {
  const asked: string[] = [];
  const known = new Set(Object.keys(names).map((each) => each.split(' ')[0]));
  return {
    asked,
    resolve: async ({ question: { name, type } }) => {
      const text = formatName(name).slice(0, -1);
      asked.push(`${text} ${typeName(type)}`);
      const address = parseIp(names[`${text} ${typeName(type)}`] ?? '');
      const answers = recordsOf(name, type, 60, address && [address]);
      const rcode = known.has(text) ? rcodes.NOERROR : rcodes.NXDOMAIN;
      return { rcode, answers, authorities: [], from: 'test' };
    },
    isOwnProbe: () => false,
    noteGiven: () => undefined,
    findLoops: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  };
}

/** Who answers in tests: at a fixed time, with a fixed secret. */
export const testIdentity: Identity = {
  name: 'ns1',
  cookieSecret: Buffer.alloc(16, 7),
  idleMs: 10_000,
  now: () => 1_700_000_000_000,
};

export interface TestResponderOptions {
  readonly changes?: readonly RecordChange[];
  readonly config?: Partial<RecordsConfig>;
  readonly knowledge?: 'none' | 'restored' | 'synced';
  readonly resolver?: Resolver;
  /** Unix milliseconds, for how many denials are kept a second. */
  readonly now?: () => number;
  /** Time for all else; it stands still without. */
  readonly clock?: Clock;
  readonly external?: Names;
  readonly tap?: Tap;
  readonly clientPods?: ClientPods;
  readonly hasIpv6?: () => boolean;
  /** Laid over a server without settings. */
  readonly settings?: Partial<ServerSettings>;
}

export interface TestResponder {
  readonly responder: Responder;
  readonly servers: readonly Server[];
  readonly metrics: Metrics;
  readonly records: Records;
  readonly cluster: ClusterParts;
}

/** A responder over records made from objects, synced unless told otherwise, with its records. */
export function testResponder(options: TestResponderOptions = {}): TestResponder {
  const { changes = [], config, knowledge = 'synced', resolver } = options;
  const memo = new PrebuiltWriter(options.now);
  const records = createRecords({
    clusterDomain: 'cluster.local',
    cidrs: ['10.96.0.0/16', '10.244.0.0/16'],
    serialChanged: (serial) => (memo.serial = serial),
    ...config,
  });
  records.apply(changes, 1_700_000_000);
  const cluster = {
    records,
    negatives: new NegativeReplies(records),
    memo,
    knowledge: () => knowledge,
  };
  const metrics = createMetrics();
  const settings = { ...emptyServer, ...options.settings };
  const external = options.external && {
    records: options.external,
    negatives: new NegativeReplies(options.external),
    memo: new PrebuiltWriter(),
    knowledge: () => knowledge,
  };
  const { clientPods, hasIpv6 = () => true } = options;
  const { now } = options.clock ?? testIdentity;
  const parts = { cluster, external, clientPods, hasIpv6, resolver, logger: silentLogger, metrics, now };
  const servers = [createServer(settings, parts, options.tap)];
  const where = { transport: 'dns', address: '127.0.0.1', port: 53 } as const;
  const given = { servers, where, identity: { ...testIdentity, now }, logger: silentLogger };
  return {
    responder: createResponder({ ...given, counts: new QueryCounts(metrics) }),
    servers,
    metrics,
    records,
    cluster,
  };
}

export interface AskOptions {
  readonly transport?: Transport;
  readonly flags?: number;
  /** A whole OPT record. */
  readonly opt?: Uint8Array;
  /** Address of who asks. */
  readonly from?: string;
}

/** Asks a responder for a name and type (text), and reads its answer as a client would. */
export async function ask(
  responder: Responder,
  name: string,
  type: string,
  options: AskOptions = {},
): Promise<Message> {
  const packet = writeMessage({
    id: 4711,
    flags: options.flags ?? flags.RD,
    questions: [questionOf(name, type)],
    opt: options.opt,
  });
  const message = readMessage(await askRaw(responder, packet, options.transport, options.from));
  if ('malformed' in message) throw new Error(`malformed answer: ${message.malformed}`);
  return message;
}

/** Gives bytes to a responder and returns the bytes of its answer; none when it does not answer. */
export async function askRaw(
  responder: Responder,
  packet: Uint8Array,
  transport: Transport = 'udp',
  from = '192.0.2.7',
): Promise<Buffer> {
  const answered = await responder.answer(Buffer.from(packet), { transport, address: () => from });
  if (answered === undefined) return Buffer.alloc(0);
  const out = Buffer.alloc(responder.size(answered));
  return out.subarray(0, responder.write(answered, out, 0));
}

/**
 * An answer in a few lines: the code (with `AA`, `TC` where set), then each record; authority records behind `auth`,
 * additional ones behind `add`. The SOA is only named.
 */
export function summary(message: Message): string[] {
  const marks = [(message.flags & flags.AA) === 0 ? '' : ' AA', (message.flags & flags.TC) === 0 ? '' : ' TC'];
  const one = (record: ResourceRecord): string =>
    record.type === typeNumbers.SOA ? `${formatName(record.name)} SOA` : formatRecord(record, ' ').replace(' IN ', ' ');
  return [
    rcodeName(message.rcode) + marks.join(''),
    ...message.answers.map(one),
    ...message.authorities.map((record) => `auth ${one(record)}`),
    ...message.additionals.map((record) => `add ${one(record)}`),
  ];
}
