import { stringify } from 'yaml';
import { bareSettings, emptyServer } from '../cluster-server.ts';
import type {
  CacheBounds,
  DnsSettings,
  ListenSettings,
  RewriteRule,
  ServerSettings,
  UpstreamSettings,
} from '../settings.ts';

/** A settings file that says the same: the inverse of `readSettingsFile`. What is as by default is left out. */
export function writeSettingsFile(settings: DnsSettings): string {
  const { servers, identity, cookieSecretFile, health, ready, metrics, shadow, workers, reloadSeconds } = settings;
  return stringify(
    pruned({
      servers: servers.map(serverFields),
      identity: identity === bareSettings.identity ? undefined : identity,
      cookieSecretFile,
      health: health && { listen: addressText(health), lameDuck: ms(health.lameDuckMs) },
      ready: ready && addressText(ready),
      metrics: metrics && addressText(metrics),
      shadow: shadow && { to: addressText(shadow.to), percent: shadow.percent },
      workers: workers === bareSettings.workers ? undefined : workers,
      reload: reloadSeconds === 0 ? undefined : seconds(reloadSeconds),
    }),
    { lineWidth: 120 },
  );
}

function serverFields(server: ServerSettings) {
  const { cluster, external, hosts, templates, files, autopath, cache, forwards, transfer, log } = server;
  return {
    zones: explicit(server.zones),
    listen: explicit(server.listen.map(listenText)),
    tls: server.tls,
    view: server.view,
    log: log && explicit(log.classes),
    dnstap: server.dnstap && {
      ...server.dnstap,
      to: typeof server.dnstap.to === 'string' ? server.dnstap.to : `tcp://${addressText(server.dnstap.to)}`,
    },
    rewrite: server.rewrite.map(rewriteFields),
    acl: server.acl,
    visibility: server.visibility,
    dns64: server.dns64,
    minimal: server.minimal === emptyServer.minimal ? undefined : server.minimal,
    cluster: cluster && clusterFields(cluster),
    external: external && {
      zones: explicit(external.zones),
      ttl: seconds(external.ttlSeconds),
      headless: external.headless || undefined,
      fallthrough: external.fallthrough,
    },
    hosts: hosts && {
      zones: explicit(hosts.zones),
      file: hosts.file,
      lines: hosts.lines,
      ttl: seconds(hosts.ttlSeconds),
      reverse: hosts.reverse,
      fallthrough: explicit(hosts.fallthrough),
    },
    templates: templates.map((each) => ({
      ...each,
      zones: explicit(each.zones),
      fallthrough: explicit(each.fallthrough),
    })),
    files: files.map(({ path, zones, reloadSeconds }) => ({
      path,
      zones: explicit(zones),
      reload: seconds(reloadSeconds),
    })),
    autopath: autopath && { search: autopath.search },
    aaaa: server.aaaa,
    cache: cache && {
      zones: explicit(cache.zones),
      positive: boundsFields(cache.positive),
      negative: boundsFields(cache.negative),
      stale: seconds(cache.staleSeconds),
      prefetch: cache.prefetchQueries,
      failure: seconds(cache.failureSeconds),
    },
    forward: forwards.map((forward) => ({
      zones: explicit(forward.zones),
      except: forward.except,
      to: explicit(forward.upstreams.map(upstreamText)),
      policy: forward.policy,
      healthCheck: ms(forward.healthCheckMs),
      maxConcurrent: forward.maxConcurrent,
      transport: forward.transport,
    })),
    transfer: transfer.map((each) => ({ ...each, zones: explicit(each.zones), notify: each.notify.map(addressText) })),
  };
}

function clusterFields(cluster: NonNullable<ServerSettings['cluster']>) {
  return {
    zone: cluster.zone,
    multicluster: cluster.multicluster,
    cidrs: cluster.cidrs,
    pods: cluster.pods,
    ttl: seconds(cluster.ttlSeconds),
    namespaces: cluster.namespaces,
    fallthrough: cluster.fallthrough,
    zonal: cluster.zonal || undefined,
    hideEmptyServices: cluster.hidesEmptyServices || undefined,
    nameEndpointsByPod: cluster.namesEndpointsByPod || undefined,
  };
}

function boundsFields({ capacity, megabytes, minSeconds, maxSeconds }: CacheBounds) {
  return { capacity, megabytes, min: seconds(minSeconds), max: seconds(maxSeconds) };
}

function rewriteFields(rule: RewriteRule) {
  const goOn = rule.isLast ? undefined : true;
  if (rule.kind === 'type') return { type: rule.from, to: rule.to, goOn };
  const name = { [rule.match.kind]: rule.match.text };
  if (rule.kind === 'name') return { name, to: rule.to, goOn };
  return { name, ttl: `${rule.seconds.min}-${rule.seconds.max}`, goOn };
}

/** An empty list differs from the default of a field whose default is not empty, so it is kept. */
const keptEmpty = new WeakSet<object>();

function explicit(list: readonly string[]): readonly string[] {
  const copy = [...list];
  keptEmpty.add(copy);
  return copy;
}

/** Without undefined fields and empty lists. */
function pruned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(pruned);
  if (typeof value !== 'object' || value === null) return value;
  const isKept = (field: unknown): boolean =>
    field !== undefined && !(Array.isArray(field) && field.length === 0 && !keptEmpty.has(field));
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, field]) => (isKept(field) ? [[name, pruned(field)]] : [])),
  );
}

function seconds(count: number): string {
  return `${count}s`;
}

function ms(count: number): string {
  return count % 1000 === 0 ? seconds(count / 1000) : `${count}ms`;
}

function addressText({ address, port }: { readonly address: string; readonly port: number }): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function listenText(where: ListenSettings): string {
  return where.transport === 'dns' ? addressText(where) : `${where.transport}://${addressText(where)}`;
}

function upstreamText(upstream: UpstreamSettings): string {
  const name = upstream.serverName === undefined ? '' : `%${upstream.serverName}`;
  return upstream.transport === 'dns'
    ? addressText(upstream)
    : `${upstream.transport}://${addressText(upstream)}${name}`;
}
