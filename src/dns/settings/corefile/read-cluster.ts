import { defaultCluster } from '../cluster-server.ts';
import type { ClusterSettings, ExternalSettings } from '../settings.ts';
import type { Directive } from './blocks.ts';
import type { DirectiveReader } from './draft.ts';
import { readCidr, readChoice, readNumber, readZone, readZones, wrong } from '../values.ts';
import { onlyArgument, readOptions } from './options.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Reverse zones by the range that has all of their names. */
const everything: Readonly<Record<string, string>> = { 'in-addr.arpa': '0.0.0.0/0', 'ip6.arpa': '::/0' };

/**
 * `kubernetes [ZONES…] { … }`. The forward zone that is not in `multicluster` is the cluster's. Names of a reverse zone are
 * denied here unless the zone is in `fallthrough`; those of known addresses are answered either way.
 */
export const readKubernetes: DirectiveReader = (directive, { server, note }) => {
  const { name, args } = directive;
  if (server.cluster !== undefined) throw wrong(name, 'kubernetes is there twice in one server');
  const ranges = args.filter(({ text }) => text.includes('/')).map(readCidr);
  const zones = readZones(
    args.filter(({ text }) => !text.includes('/')),
    server.zones,
  );
  const draft: Mutable<ClusterSettings> = { ...defaultCluster, cidrs: ranges, pods: 'disabled' };
  readOptions(
    directive,
    optionsOf(draft, (option) => note(option, 'how to reach the API is said by --kubeconfig')),
  );
  const isOwn = (each: string): boolean =>
    everything[each] === undefined && each !== '.' && !draft.multicluster.includes(each);
  const [zone, ...others] = zones.filter(isOwn);
  if (zone === undefined) throw wrong(name, 'kubernetes needs a forward zone such as cluster.local');
  if (others.length > 0)
    throw wrong(name, `kubernetes has one forward zone here; give ${others[0]} a server of its own`);
  server.cluster = { ...draft, zone, cidrs: [...ranges, ...zones.flatMap((each) => everything[each] ?? [])] };
};

function optionsOf(
  draft: Mutable<ClusterSettings>,
  elsewhere: (option: Directive) => void,
): Readonly<Record<string, (option: Directive) => void>> {
  const words = ({ args }: Directive): string[] => args.map(({ text }) => text);
  return {
    pods: (option) => (draft.pods = readChoice(onlyArgument(option), ['disabled', 'insecure', 'verified'])),
    ttl: (option) => (draft.ttlSeconds = readNumber(onlyArgument(option), 0, 3600)),
    namespaces: (option) => (draft.namespaces = words(option)),
    fallthrough: ({ args }) => (draft.fallthrough = args.length === 0 ? ['.'] : args.map(readZone)),
    multicluster: ({ args }) => (draft.multicluster = args.map(readZone)),
    endpoint_pod_names: () => (draft.namesEndpointsByPod = true),
    ignore: (option) => {
      readChoice(onlyArgument(option), ['empty_service']);
      draft.hidesEmptyServices = true;
    },
    zonal: () => (draft.zonal = true),
    endpoint: elsewhere,
    tls: elsewhere,
    kubeconfig: elsewhere,
    startup_timeout: elsewhere,
    apiserver_qps: elsewhere,
    apiserver_burst: elsewhere,
  };
}

/** `k8s_external [ZONE…] { ttl N; headless; fallthrough [ZONES…] }`. */
export const readExternal: DirectiveReader = (directive, { server }) => {
  const zones = readZones(directive.args, server.zones);
  const draft: Mutable<ExternalSettings> = { zones, ttlSeconds: 5, headless: false, fallthrough: [] };
  readOptions(directive, {
    ttl: (option) => (draft.ttlSeconds = readNumber(onlyArgument(option), 0, 3600)),
    headless: () => (draft.headless = true),
    fallthrough: ({ args }) => (draft.fallthrough = args.length === 0 ? ['.'] : args.map(readZone)),
  });
  server.external = draft;
};
