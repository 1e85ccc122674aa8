import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readSettingsFile } from './settings-file.ts';

function read(text: string) {
  return readSettingsFile(text, {
    file: 'dns.yaml',
    path: (path) => (path.startsWith('/') ? path : `/etc/fairlead/${path}`),
    resolvers: (path) => (path === '/etc/resolv.conf' ? ['192.0.2.53'] : undefined),
  });
}

test('a short file is a whole server', () => {
  const { servers, health } = read('servers:\n- cluster:\n  forward:\n  - to: [/etc/resolv.conf]\n  cache:\n');
  const [server] = servers;
  assert.deepEqual(server?.zones, ['.']);
  assert.equal(server?.cluster?.zone, 'cluster.local');
  assert.equal(server?.forwards[0]?.upstreams[0]?.address, '192.0.2.53');
  assert.equal(server?.cache?.staleSeconds, 86_400);
  assert.equal(server?.listen.length, 2);
  assert.equal(server?.aaaa, 'auto', 'with a cluster whose addresses are known');
  assert.equal(read('servers:\n- forward: [{ to: [192.0.2.1] }]').servers[0]?.aaaa, 'ask');
  assert.equal(health, undefined);
});

test('every field is read', () => {
  const { servers, health, reloadSeconds } = read(`
servers:
  - zones: [example.org, .]
    listen: [127.0.0.1:5353, 'tls://[::1]:853']
    tls: { certificate: tls.crt, key: /tls.key }
    view: { name: office, clients: [10.0.0.0/8], types: [a] }
    log: [denial, error]
    rewrite:
      - { name: { suffix: .OLD }, to: .new, goOn: true }
      - { type: ANY, to: A }
      - { name: { exact: a.b }, ttl: 30-60 }
    acl:
      - { action: block, clients: [192.0.2.1], types: [TXT] }
    visibility: [{ action: hide, from: [dev], to: [prod] }, { action: show }]
    autopath: { search: [corp.example] }
    aaaa: none
    dns64: { prefix: 64:ff9b::/96 }
    minimal: true
    cluster: { zone: c.local, pods: verified, ttl: 30s, cidrs: [10.96.0.0/16], zonal: true }
    external: { zones: [example.net], ttl: 30s, headless: true, fallthrough: [.] }
    hosts: { lines: ['192.0.2.1 a'], ttl: 1m }
    templates:
      - { type: AAAA, rcode: nxdomain }
    files:
      - { path: db.example, zones: [example.org] }
    cache: { positive: { capacity: 5, max: 1h }, stale: 0s, prefetch: 10 }
    forward:
      - { zones: [corp], to: ['tls://192.0.2.9', 192.0.2.8:5300], serverName: dns.corp, policy: random }
    transfer:
      - { clients: [192.0.2.0/24], keys: [{ name: k, secret: c2VjcmV0 }] }
health: { listen: 127.0.0.1:8081, lameDuck: 5s }
reload: 30s
`);
  const [server] = servers;
  assert.deepEqual(server?.listen[1], { transport: 'tls', address: '::1', port: 853 });
  assert.deepEqual(server?.tls, { certificate: '/etc/fairlead/tls.crt', key: '/tls.key', clientAuthority: undefined });
  assert.deepEqual(
    server?.rewrite.map(({ kind, isLast }) => `${kind} ${isLast}`),
    ['name false', 'type true', 'ttl true'],
  );
  assert.deepEqual(server?.acl[0]?.clients, ['192.0.2.1/32']);
  assert.equal(server?.templates[0]?.rcode, 'NXDOMAIN');
  assert.deepEqual(server?.forwards[0]?.upstreams[0], {
    address: '192.0.2.9',
    port: 853,
    transport: 'tls',
    serverName: 'dns.corp',
  });
  assert.equal(server?.cluster?.ttlSeconds, 30);
  assert.deepEqual(server?.visibility, [
    { action: 'hide', from: ['dev'], to: ['prod'] },
    { action: 'show', from: [], to: [] },
  ]);
  assert.deepEqual(server?.autopath, { search: ['corp.example'] });
  assert.equal(server?.aaaa, 'none');
  assert.deepEqual(server?.external, {
    zones: ['example.net'],
    ttlSeconds: 30,
    headless: true,
    fallthrough: ['.'],
  });
  assert.deepEqual(health, { address: '127.0.0.1', port: 8081, lameDuckMs: 5000 });
  assert.equal(reloadSeconds, 30);
});

const mistakes: readonly [title: string, text: string, error: RegExp][] = [
  ['no YAML', 'servers: [', /^dns.yaml:1: /],
  ['no servers', 'ready: :80', /^dns.yaml:1: servers are missing/],
  ['an empty list of servers', 'servers: []', /^dns.yaml:1: servers: there is no server/],
  [
    'an unknown field',
    'servers:\n- cluster:\n    zones: a',
    /^dns.yaml:3: servers\[0\].cluster.zones: there is no such field/,
  ],
  [
    'a bad value',
    'servers:\n- forward:\n  - to:\n    - nowhere',
    /^dns.yaml:4: servers\[0\].forward\[0\].to\[0\]: "nowhere" is no address/,
  ],
  ['a bad choice', 'servers:\n- cluster: { pods: all }', /^dns.yaml:2: servers\[0\].cluster.pods: "all" is none of/],
  ['a list for a value', 'servers:\n- minimal: [true]', /^dns.yaml:2: servers\[0\].minimal: is no single value/],
  ['a value for a list', 'servers: yes', /^dns.yaml:1: servers: is no list/],
  ['a bad rule', 'servers:\n- visibility: [{ from: [a] }]', /^dns.yaml:2: servers\[0\].visibility\[0\]: needs action/],
  ['a bad duration', 'servers: [{}]\nreload: 5 minutes', /^dns.yaml:2: reload: "5 minutes" is no duration/],
  [
    'a bad prefix',
    'servers:\n- dns64: { prefix: 64:ff9b::/95 }',
    /^dns.yaml:2: servers\[0\].dns64.prefix: .* no IPv6 prefix/,
  ],
];

for (const [title, text, error] of mistakes) {
  test(`${title} is an error that says where`, () => {
    assert.throws(() => read(text), { name: 'SettingsError', message: error });
  });
}

test('lists in lists without end are refused with a line', () => {
  for (const piece of ['- ', '[', '{a: ']) {
    assert.throws(() => read(piece.repeat(20_000)), /^SettingsError: dns.yaml:1: .*nested too deeply/);
  }
});
