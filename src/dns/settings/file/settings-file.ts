import { nameKey } from '../../wire/names.ts';
import { bareSettings, defaultCacheMegabytes, defaultCluster, emptyServer } from '../cluster-server.ts';
import type {
  AclRule,
  CacheBounds,
  CacheSettings,
  ClusterSettings,
  DnsSettings,
  ForwardSettings,
  HostsSettings,
  ListenSettings,
  NameMatch,
  RewriteRule,
  ServerSettings,
  TemplateRule,
  TransferSettings,
  VisibilityRule,
} from '../settings.ts';
import {
  readAddress,
  readChoice,
  readCidr,
  readDuration,
  readExpression,
  readNumber,
  readPrefix,
  readRcode,
  readType,
  readZone,
  wrong,
  type Word,
} from '../values.ts';
import { readUpstream, withServerName } from '../upstream-text.ts';
import { readYaml, type YamlValue } from './yaml-reader.ts';

/** What reading needs of the machine. */
export interface SettingsFileOptions {
  readonly file: string;
  /** Makes a path of the file an absolute one. */
  readonly path: (text: string) => string;
  /** Addresses in a `resolv.conf`; undefined when it cannot be read. */
  readonly resolvers: (path: string) => readonly string[] | undefined;
}

/**
 * Reads a settings file: YAML with the fields below, every one of them optional but `servers` and what has no sensible
 * default. `docs/reference/dns-settings.md` lists them. Throws SettingsError with file, line and path of the field.
 */
export function readSettingsFile(text: string, options: SettingsFileOptions): DnsSettings {
  const root = readYaml(text, options.file);
  const { servers, identity, cookieSecretFile, health, ready, metrics, shadow, workers, reload } =
    root.fields(processFields);
  if (servers === undefined) throw root.error('servers are missing');
  const items = servers.items();
  if (items.length === 0) throw servers.error('there is no server');
  return {
    servers: items.map((server) => readServer(server, options)),
    identity: identity?.read(textOf) ?? bareSettings.identity,
    cookieSecretFile: cookieSecretFile?.read((word) => options.path(word.text)),
    health: health && readHealth(health),
    ready: ready?.read((word) => readAddress(word, 8181)),
    metrics: metrics?.read((word) => readAddress(word, 9153)),
    shadow: shadow && readShadow(shadow),
    workers: workers?.read((word) => readNumber(word, 0, 64)) ?? bareSettings.workers,
    reloadSeconds: reload?.read(seconds) ?? bareSettings.reloadSeconds,
  };
}

const processFields = [
  'servers',
  'identity',
  'cookieSecretFile',
  'health',
  'ready',
  'metrics',
  'shadow',
  'workers',
  'reload',
] as const;

function seconds(word: Word): number {
  return readDuration(word) / 1000;
}

function readHealth(value: YamlValue): DnsSettings['health'] {
  const { listen, lameDuck } = value.fields(['listen', 'lameDuck']);
  const address = listen?.read((word) => readAddress(word, 8080)) ?? { address: '0.0.0.0', port: 8080 };
  return { ...address, lameDuckMs: lameDuck?.read((word) => readDuration(word)) ?? 0 };
}

function readShadow(value: YamlValue): DnsSettings['shadow'] {
  const { to, percent } = value.fields(['to', 'percent']);
  if (to === undefined) throw value.error('needs to: the address of the other server');
  return {
    to: to.read((word) => readAddress(word, 53)),
    percent: percent?.read((word) => readNumber(word, 1, 100)) ?? 10,
  };
}

const serverFields = [
  'zones',
  'listen',
  'tls',
  'view',
  'log',
  'dnstap',
  'rewrite',
  'acl',
  'visibility',
  'dns64',
  'minimal',
  'cluster',
  'external',
  'hosts',
  'templates',
  'files',
  'autopath',
  'aaaa',
  'cache',
  'forward',
  'transfer',
] as const;

function readServer(value: YamlValue, options: SettingsFileOptions): ServerSettings {
  const fields = value.fields(serverFields);
  const zones = fields.zones?.list(readZone) ?? ['.'];
  const { path } = options;
  return {
    ...emptyServer,
    zones,
    listen: fields.listen?.list(readListen) ?? [
      { transport: 'dns', address: '0.0.0.0', port: 53 },
      { transport: 'dns', address: '::', port: 53 },
    ],
    tls: fields.tls && readTls(fields.tls, path),
    view: fields.view && readView(fields.view),
    log: fields.log && { classes: fields.log.list((word) => readChoice(word, ['all', 'success', 'denial', 'error'])) },
    dnstap: fields.dnstap && readDnstap(fields.dnstap),
    rewrite: fields.rewrite?.items().map(readRewrite) ?? [],
    acl: fields.acl?.items().map(readAcl) ?? [],
    visibility: fields.visibility?.items().map(readVisibility) ?? [],
    dns64: fields.dns64 && readDns64(fields.dns64),
    minimal: fields.minimal?.boolean() ?? false,
    cluster: fields.cluster && readCluster(fields.cluster),
    external: fields.external && readExternal(fields.external),
    hosts: fields.hosts && readHosts(fields.hosts, path, zones),
    templates: fields.templates?.items().map((each) => readTemplate(each, zones)) ?? [],
    files: fields.files?.items().map((each) => readFile(each, zones, path)) ?? [],
    autopath: fields.autopath && { search: fields.autopath.fields(['search']).search?.list(readZone) ?? [] },
    aaaa: fields.aaaa?.read((word) => readChoice(word, ['ask', 'none', 'auto'])) ?? (fields.cluster ? 'auto' : 'ask'),
    cache: fields.cache && readCache(fields.cache, zones),
    forwards: fields.forward?.items().map((each) => readForward(each, options)) ?? [],
    transfer: fields.transfer?.items().map((each) => readTransfer(each, zones)) ?? [],
  };
}

const ports = { dns: 53, tls: 853, https: 443 } as const;

function readListen(word: Word): ListenSettings {
  const [, scheme = 'dns', rest = ''] = /^(?:(\w+):\/\/)?(.*)$/.exec(word.text) ?? [];
  const transport = readChoice({ ...word, text: scheme }, ['dns', 'tls', 'https']);
  return { transport, ...readAddress({ ...word, text: rest }, ports[transport]) };
}

function textOf(word: Word): string {
  return word.text;
}

function readTls(value: YamlValue, path: (text: string) => string): ServerSettings['tls'] {
  const { certificate, key, clientAuthority } = value.fields(['certificate', 'key', 'clientAuthority']);
  if (certificate === undefined || key === undefined) throw value.error('needs certificate and key');
  const read = (each: YamlValue): string => path(each.read(textOf));
  return { certificate: read(certificate), key: read(key), clientAuthority: clientAuthority && read(clientAuthority) };
}

function readView(value: YamlValue): ServerSettings['view'] {
  const { name, clients, names, types } = value.fields(['name', 'clients', 'names', 'types']);
  return {
    name: name?.read(textOf) ?? '',
    clients: clients?.list(readCidr) ?? [],
    names: names?.list(readExpression) ?? [],
    types: types?.list(readType) ?? [],
  };
}

function readDnstap(value: YamlValue): ServerSettings['dnstap'] {
  const { to, identity, version } = value.fields(['to', 'identity', 'version']);
  if (to === undefined) throw value.error('needs to: the path of a socket, or tcp://ADDRESS:PORT');
  const where = to.read((word) => {
    const tcp = /^tcp:\/\/(.*)$/.exec(word.text)?.[1];
    return tcp === undefined ? word.text : readAddress({ ...word, text: tcp }, 6000);
  });
  return { to: where, identity: identity?.read(textOf) ?? '', version: version?.read(textOf) ?? '' };
}

const matches = ['exact', 'prefix', 'suffix', 'substring', 'regex'] as const;

/** `{ name: { suffix: .old }, to: .new }`, `{ type: ANY, to: A }`, `{ name: …, ttl: 30-300 }`. */
function readRewrite(value: YamlValue): RewriteRule {
  const { name, type, to, ttl, goOn } = value.fields(['name', 'type', 'to', 'ttl', 'goOn']);
  const isLast = !(goOn?.boolean() ?? false);
  if (type !== undefined && to !== undefined) {
    return { kind: 'type', from: type.read(readType), to: to.read(readType), isLast };
  }
  if (name === undefined) throw value.error('needs name or type');
  const match = readMatch(name);
  if (ttl !== undefined) return { kind: 'ttl', match, seconds: ttl.read(readTtlBounds), isLast };
  if (to === undefined) throw value.error('needs to, or ttl');
  return { kind: 'name', match, to: nameKey(to.read(textOf)), isLast };
}

function readMatch(value: YamlValue): NameMatch {
  const fields = value.fields(matches);
  const kind = matches.find((each) => fields[each] !== undefined);
  const pattern = kind && fields[kind];
  if (kind === undefined || pattern === undefined) throw value.error(`needs one of ${matches.join(', ')}`);
  const text = pattern.read((word) => (kind === 'regex' ? readExpression(word) : nameKey(word.text)));
  return { kind, text };
}

function readTtlBounds(word: Word): { min: number; max: number } {
  const [, least, most] = /^(\d+)(?:-(\d+))?$/.exec(word.text) ?? [];
  if (least === undefined) throw wrong(word, `"${word.text}" is neither seconds nor a range such as 30-300`);
  return { min: Number(least), max: Number(most ?? least) };
}

function readAcl(value: YamlValue): AclRule {
  const { action, types, clients, zones } = value.fields(['action', 'types', 'clients', 'zones']);
  if (action === undefined) throw value.error('needs action');
  return {
    action: action.read((word) => readChoice(word, ['allow', 'block', 'filter', 'drop'])),
    types: types?.list(readType) ?? [],
    clients: clients?.list(readCidr) ?? [],
    zones: zones?.list(readZone) ?? [],
  };
}

function readVisibility(value: YamlValue): VisibilityRule {
  const { action, from, to } = value.fields(['action', 'from', 'to']);
  if (action === undefined) throw value.error('needs action');
  return {
    action: action.read((word) => readChoice(word, ['show', 'hide'])),
    from: from?.list(textOf) ?? [],
    to: to?.list(textOf) ?? [],
  };
}

function readDns64(value: YamlValue): ServerSettings['dns64'] {
  const { prefix, translateAll, allowIpv4 } = value.fields(['prefix', 'translateAll', 'allowIpv4']);
  return {
    prefix: prefix?.read(readPrefix) ?? '64:ff9b::/96',
    translateAll: translateAll?.boolean() ?? false,
    allowIpv4: allowIpv4?.boolean() ?? false,
  };
}

const clusterFields = [
  'zone',
  'multicluster',
  'cidrs',
  'pods',
  'ttl',
  'namespaces',
  'fallthrough',
  'zonal',
  'hideEmptyServices',
  'nameEndpointsByPod',
] as const;

function readCluster(value: YamlValue): ClusterSettings {
  const fields = value.fields(clusterFields);
  return {
    zone: fields.zone?.read(readZone) ?? defaultCluster.zone,
    multicluster: fields.multicluster?.list(readZone) ?? [],
    cidrs: fields.cidrs?.list(readCidr) ?? [],
    pods: fields.pods?.read((word) => readChoice(word, ['insecure', 'verified', 'disabled'])) ?? defaultCluster.pods,
    ttlSeconds: fields.ttl?.read(seconds) ?? defaultCluster.ttlSeconds,
    namespaces: fields.namespaces?.list(textOf) ?? [],
    fallthrough: fields.fallthrough?.list(readZone) ?? [],
    zonal: fields.zonal?.boolean() ?? false,
    hidesEmptyServices: fields.hideEmptyServices?.boolean() ?? false,
    namesEndpointsByPod: fields.nameEndpointsByPod?.boolean() ?? false,
  };
}

function readExternal(value: YamlValue): ServerSettings['external'] {
  const { zones, ttl, headless, fallthrough } = value.fields(['zones', 'ttl', 'headless', 'fallthrough']);
  if (zones === undefined) throw value.error('needs zones');
  return {
    zones: zones.list(readZone),
    ttlSeconds: ttl?.read(seconds) ?? 5,
    headless: headless?.boolean() ?? false,
    fallthrough: fallthrough?.list(readZone) ?? [],
  };
}

function readHosts(value: YamlValue, path: (text: string) => string, ofServer: readonly string[]): HostsSettings {
  const fields = value.fields(['zones', 'file', 'lines', 'ttl', 'reverse', 'fallthrough']);
  return {
    zones: fields.zones?.list(readZone) ?? ofServer,
    file: fields.file?.read((word) => path(word.text)),
    lines: fields.lines?.list(textOf) ?? [],
    ttlSeconds: fields.ttl?.read(seconds) ?? 3600,
    reverse: fields.reverse?.boolean() ?? true,
    fallthrough: fields.fallthrough?.list(readZone) ?? ['.'],
  };
}

function readTemplate(value: YamlValue, zones: readonly string[]): TemplateRule {
  const fields = value.fields([
    'zones',
    'type',
    'match',
    'answers',
    'authorities',
    'additionals',
    'rcode',
    'fallthrough',
  ]);
  return {
    zones: fields.zones?.list(readZone) ?? zones,
    type: fields.type?.read(readType) ?? 'ANY',
    match: fields.match?.list(readExpression) ?? [],
    answers: fields.answers?.list(textOf) ?? [],
    authorities: fields.authorities?.list(textOf) ?? [],
    additionals: fields.additionals?.list(textOf) ?? [],
    rcode: fields.rcode?.read(readRcode) ?? 'NOERROR',
    fallthrough: fields.fallthrough?.list(readZone) ?? ['.'],
  };
}

function readFile(value: YamlValue, ofServer: readonly string[], path: (text: string) => string) {
  const { path: file, zones, reload } = value.fields(['path', 'zones', 'reload']);
  if (file === undefined) throw value.error('needs path');
  return {
    path: file.read((word) => path(word.text)),
    zones: zones?.list(readZone) ?? ofServer,
    reloadSeconds: reload?.read(seconds) ?? 60,
  };
}

function readCache(value: YamlValue, ofServer: readonly string[]): CacheSettings {
  const fields = value.fields(['zones', 'positive', 'negative', 'stale', 'prefetch', 'failure']);
  return {
    zones: fields.zones?.list(readZone) ?? ofServer,
    positive: readBounds(fields.positive, 3600),
    negative: readBounds(fields.negative, 30),
    staleSeconds: fields.stale?.read(seconds) ?? 86_400,
    prefetchQueries: fields.prefetch?.read((word) => readNumber(word, 0, 1_000_000)) ?? 0,
    failureSeconds: fields.failure?.read(seconds) ?? 2,
  };
}

function readBounds(value: YamlValue | undefined, most: number): CacheBounds {
  const fields = value?.fields(['capacity', 'megabytes', 'min', 'max']);
  return {
    capacity: fields?.capacity?.read((word) => readNumber(word, 0, 10_000_000)) ?? 10_000,
    megabytes: fields?.megabytes?.read((word) => readNumber(word, 1, 100_000)) ?? defaultCacheMegabytes,
    minSeconds: fields?.min?.read(seconds) ?? 0,
    maxSeconds: fields?.max?.read(seconds) ?? most,
  };
}

function readForward(value: YamlValue, { resolvers }: SettingsFileOptions): ForwardSettings {
  const fields = value.fields([
    'zones',
    'except',
    'to',
    'policy',
    'healthCheck',
    'maxConcurrent',
    'transport',
    'serverName',
  ]);
  if (fields.to === undefined) throw value.error('needs to: addresses, or the path of a resolv.conf');
  const serverName = fields.serverName?.read(textOf);
  const upstreams = fields.to.items().flatMap((each) => each.read((word) => readUpstream(word, resolvers)));
  return {
    zones: fields.zones?.list(readZone) ?? ['.'],
    except: fields.except?.list(readZone) ?? [],
    upstreams: serverName === undefined ? upstreams : withServerName(upstreams, serverName),
    policy: fields.policy?.read((word) => readChoice(word, ['sequential', 'random', 'round_robin'])) ?? 'sequential',
    healthCheckMs: fields.healthCheck?.read((word) => readDuration(word)) ?? 500,
    maxConcurrent: fields.maxConcurrent?.read((word) => readNumber(word, 1, 1_000_000)) ?? 1000,
    transport: fields.transport?.read((word) => readChoice(word, ['udp', 'tcp'])) ?? 'udp',
  };
}

function readTransfer(value: YamlValue, ofServer: readonly string[]): TransferSettings {
  const fields = value.fields(['zones', 'clients', 'notify', 'keys']);
  return {
    zones: fields.zones?.list(readZone) ?? ofServer,
    clients: fields.clients?.list(readCidr) ?? [],
    notify: fields.notify?.list((word) => readAddress(word, 53)) ?? [],
    keys: fields.keys?.items().map(readKey) ?? [],
  };
}

function readKey(value: YamlValue): TransferSettings['keys'][number] {
  const { name, algorithm, secret } = value.fields(['name', 'algorithm', 'secret']);
  if (name === undefined || secret === undefined) throw value.error('needs name and secret');
  return {
    name: name.read(readZone),
    algorithm:
      algorithm?.read((word) => readChoice(word, ['hmac-sha256', 'hmac-sha384', 'hmac-sha512'])) ?? 'hmac-sha256',
    secret: secret.read((word) => {
      if (!/^[A-Za-z0-9+/]+={0,2}$/.test(word.text)) throw wrong(word, 'the secret is no base64');
      return word.text;
    }),
  };
}
