import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { directiveNames, readCorefile, type ReadCorefile } from './corefile.ts';
import { tokensOf } from './tokens.ts';

function read(text: string, files: Readonly<Record<string, string>> = {}): ReadCorefile {
  return readCorefile(text, {
    file: 'Corefile',
    environment: { POD_IP: '10.0.0.7' },
    readImport: (name) => tokensOf(files[name] ?? '', name, {}),
    searchList: () => ['corp.example'],
    resolvers: (path) => (path === '/etc/resolv.conf' ? ['192.0.2.53', '2001:db8::53'] : undefined),
    path: (text) => (text.startsWith('/') ? text : `/etc/coredns/${text}`),
  });
}

/** Of a block for every name. */
function server(...lines: string[]) {
  const { settings } = read(`. {\n${lines.join('\n')}\n}`);
  return settings.servers[0] ?? assert.fail('no server');
}

const kubeadm = `.:53 {
    errors
    health {
       lameduck 5s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }
    prometheus :9153
    forward . /etc/resolv.conf {
       max_concurrent 1000
    }
    cache 30 {
       disable success cluster.local
       disable denial cluster.local
    }
    loop
    reload
    loadbalance
}
`;

test("kubeadm's Corefile is read", () => {
  const { settings, notes } = read(kubeadm);
  const [only, ...more] = settings.servers;
  assert.equal(more.length, 0);
  assert.deepEqual(only?.zones, ['.']);
  assert.deepEqual(only?.listen, [
    { transport: 'dns', address: '0.0.0.0', port: 53 },
    { transport: 'dns', address: '::', port: 53 },
  ]);
  assert.equal(only?.cluster?.zone, 'cluster.local');
  assert.equal(only?.cluster?.pods, 'insecure');
  assert.equal(only?.cluster?.ttlSeconds, 30);
  assert.deepEqual(only?.cluster?.cidrs, ['0.0.0.0/0', '::/0']);
  assert.deepEqual(
    only?.cluster?.fallthrough,
    ['in-addr.arpa', 'ip6.arpa'],
    'reverse names of others are left to others',
  );
  assert.deepEqual(
    only?.forwards[0]?.upstreams.map(({ address }) => address),
    ['192.0.2.53', '2001:db8::53'],
  );
  assert.equal(only?.cache?.positive.maxSeconds, 30);
  assert.deepEqual(settings.health, { address: '0.0.0.0', port: 8080, lameDuckMs: 5000 });
  assert.deepEqual(settings.metrics, { address: '0.0.0.0', port: 9153 });
  assert.equal(settings.reloadSeconds, 30);
  assert.deepEqual(
    notes.map((note) => note.split(':').slice(1, 3).join(':')),
    ['2: errors', '17: disable', '18: disable', '20: loop', '22: loadbalance'],
  );
});

test('hosts are for their own zones, or for those of the server', () => {
  assert.deepEqual(server('hosts /etc/hosts one.example two.example').hosts?.zones, ['one.example', 'two.example']);
  assert.deepEqual(server('hosts').hosts?.zones, ['.']);
});

test('several servers, stub domains, environment, snippets and imports', () => {
  const text = `
(upstream) {
    forward . 192.0.2.1 tls://192.0.2.2%dns.example {
        policy sequential
        except internal.example
    }
}
cluster.local:53 tls://cluster.local {
    bind {$POD_IP} "fd00::7"
    kubernetes
}
corp.example:5353 {
    import upstream
    import custom/*.override
}`;
  const { settings } = read(text, { 'custom/*.override': 'log {\n class denial\n}' });
  const [plain, secure, corp] = settings.servers;
  assert.deepEqual(plain?.listen, [
    { transport: 'dns', address: '10.0.0.7', port: 53 },
    { transport: 'dns', address: 'fd00::7', port: 53 },
  ]);
  assert.equal(secure?.listen[0]?.port, 853);
  assert.equal(secure?.cluster, plain?.cluster, 'one set of names for both');
  assert.equal(corp?.forwards[0]?.policy, 'sequential');
  assert.deepEqual(corp?.forwards[0]?.except, ['internal.example']);
  assert.deepEqual(corp?.forwards[0]?.upstreams[1], {
    address: '192.0.2.2',
    port: 853,
    transport: 'tls',
    serverName: 'dns.example',
  });
  assert.deepEqual(corp?.log?.classes, ['denial']);
});

test('options of kubernetes', () => {
  const { cluster } = server(
    'kubernetes cluster.local clusterset.local 10.96.0.0/12 {',
    ' multicluster clusterset.local',
    ' pods verified',
    ' ttl 30',
    ' namespaces shop other',
    ' zonal',
    ' endpoint_pod_names',
    ' ignore empty_service',
    '}',
  );
  assert.deepEqual(cluster, {
    zone: 'cluster.local',
    multicluster: ['clusterset.local'],
    cidrs: ['10.96.0.0/12'],
    pods: 'verified',
    ttlSeconds: 30,
    namespaces: ['shop', 'other'],
    fallthrough: [],
    zonal: true,
    hidesEmptyServices: true,
    namesEndpointsByPod: true,
  });
});

test('autopath takes the search list of this machine', () => {
  assert.deepEqual(server('autopath @kubernetes').autopath, { search: ['corp.example'] });
});

test('options of k8s_external', () => {
  assert.deepEqual(server('k8s_external example.org {', ' ttl 30', ' headless', ' fallthrough', '}').external, {
    zones: ['example.org'],
    ttlSeconds: 30,
    headless: true,
    fallthrough: ['.'],
  });
});

test('rules of rewrite, template, hosts, acl and cache', () => {
  const read = server(
    'rewrite name suffix .old.example .new.example answer auto',
    'rewrite continue type ANY A',
    'rewrite name regex (.*)\\.my\\.svc {1}.other.svc.cluster.local',
    'rewrite ttl exact www.example.org 30-300',
    'template IN AAAA . {',
    ' rcode NOERROR',
    '}',
    'hosts custom {',
    ' 192.0.2.1 one.example two.example',
    ' fallthrough',
    '}',
    'acl {',
    ' allow net 10.0.0.0/8',
    ' block type ANY TXT net *',
    '}',
    'cache {',
    ' success 5000 60 10',
    ' serve_stale 1h',
    ' prefetch 10 1m',
    '}',
  );
  assert.deepEqual(read.rewrite, [
    { kind: 'name', match: { kind: 'suffix', text: '.old.example' }, to: '.new.example', isLast: true },
    { kind: 'type', from: 'ANY', to: 'A', isLast: false },
    {
      kind: 'name',
      match: { kind: 'regex', text: '(.*)\\.my\\.svc' },
      to: '{1}.other.svc.cluster.local',
      isLast: true,
    },
    {
      kind: 'ttl',
      match: { kind: 'exact', text: 'www.example.org' },
      seconds: { min: 30, max: 300 },
      isLast: true,
    },
  ]);
  assert.equal(read.templates[0]?.type, 'AAAA');
  assert.deepEqual(read.hosts, {
    zones: ['.'],
    file: '/etc/coredns/custom',
    lines: ['192.0.2.1 one.example two.example'],
    ttlSeconds: 3600,
    reverse: true,
    fallthrough: ['.'],
  });
  assert.deepEqual(read.acl, [
    { action: 'allow', types: [], clients: ['10.0.0.0/8'], zones: ['.'] },
    { action: 'block', types: ['ANY', 'TXT'], clients: [], zones: ['.'] },
  ]);
  assert.deepEqual(read.cache?.positive, { capacity: 5000, megabytes: 32, minSeconds: 10, maxSeconds: 60 });
  assert.equal(read.cache?.staleSeconds, 3600);
  assert.equal(read.cache?.prefetchQueries, 10);
});

const mistakes: readonly [title: string, text: string, error: RegExp][] = [
  ['an endless duration', `. {\n file db {\n  reload ${'9'.repeat(400)}\n }\n}`, /^Corefile:3: .* is no whole number/],
  ['no server', '# nothing', /^Corefile:1: there is no server/],
  [
    'blocks without end in each other',
    `. {\n${'x {\n'.repeat(50_000)}`,
    /^Corefile:18: blocks are too deep in each other/,
  ],
  [
    'a name of a server without TLS',
    '. {\n forward . 192.0.2.1%eth0\n}',
    /^Corefile:2: "192.0.2.1%eth0": a name belongs /,
  ],
  ['an unknown directive', '. {\n whoami\n}', /^Corefile:2: the directive "whoami" is not supported; supported are /],
  ['an unknown option', '. {\n cache {\n  wrong 1\n }\n}', /^Corefile:3: cache: the option "wrong" is not supported/],
  ['a brace too few', '. {\n log\n', /^Corefile:1: a block is opened and never closed/],
  ['no block', 'example.org', /^Corefile:1: "example.org" has no block/],
  ['a quote too few', '. {\n bind "::\n}', /^Corefile:2: a quote is opened and never closed/],
  ['an address that is none', '. {\n forward . 10.0.0\n}', /^Corefile:2: "10.0.0" is no address like 127.0.0.1:53/],
  ['a file that is not there', '. {\n forward . /nowhere\n}', /^Corefile:2: "\/nowhere" cannot be read/],
  ['a type that is none', '. {\n template IN AAAAA\n}', /^Corefile:2: "AAAAA" is no record type/],
  ['a bad duration', '. {\n health {\n  lameduck soon\n }\n}', /^Corefile:3: "soon" is no duration/],
  ['a bad expression', '. {\n rewrite name regex ( a\n}', /^Corefile:2: "\(" is no regular expression/],
  [
    'a bad expression of a view',
    ". {\n view a {\n  expr name() matches '('\n }\n}",
    /^Corefile:3: "\(" is no regular expression/,
  ],
  [
    'a second expression of one sort, of which both must hold,',
    ". {\n view a {\n  expr type() == 'A'\n  expr type() == 'MX'\n }\n}",
    /^Corefile:4: two expressions of one sort/,
  ],
  [
    'an option where there is none',
    '. {\n bind 127.0.0.1 {\n  except 127.0.0.2\n }\n}',
    /^Corefile:3: bind: the option "except"/,
  ],
  [
    'an answer that is changed otherwise',
    '. {\n rewrite name a b answer value b a\n}',
    /^Corefile:2: "answer value b a" is not supported/,
  ],
  ['a class of characters of Go', '. {\n rewrite name regex [[:alpha:]]+ a\n}', /^Corefile:2: .* has "\[\[:alpha:\]"/],
  ['an end of text of Go', '. {\n rewrite name regex a\\z b\n}', /^Corefile:2: .* has "\\z"/],
  ['a circle', '(a) {\n import a\n}\n. {\n import a\n}', /^Corefile:2: imports lead in a circle: "a" imports/],
  ['a circle of two', '(a) {\n import b\n}\n(b) {\n log\n import a\n}\n. {\n import a\n}', /^Corefile:6: .* circle/],
  ['an import that grows without end', doubled(20), /^Corefile:\d+: imports stand for more than 100000 words/],
  ['a rewrite of something else', '. {\n rewrite class CH IN\n}', /^Corefile:2: rewrite class is not supported/],
  ['a port that is none', '.:70000 {\n}', /^Corefile:1: 70000 is no port/],
];

for (const [title, text, error] of mistakes) {
  test(`${title} is an error that says where`, () => {
    assert.throws(() => read(text), { name: 'SettingsError', message: error });
  });
}

/** Snippets that each import the one before twice. */
function doubled(count: number): string {
  const snippets = Array.from({ length: count }, (_, at) => `(s${at + 1}) {\n import s${at}\n import s${at}\n}\n`);
  return `(s0) {\n log\n}\n${snippets.join('')}. {\n import s${count}\n}`;
}

test('a snippet may be imported any number of times, also one inside another and at the end of another', () => {
  const blocks = Array.from({ length: 100 }, (_, at) => `z${at}.example {\n import outer\n import inner\n}\n`);
  const { settings } = read(`(inner) {\n minimal\n}\n(outer) {\n import inner\n import inner\n}\n${blocks.join('')}`);
  assert.equal(new Set(settings.servers.flatMap(({ zones }) => zones)).size, 100);
  assert.ok(settings.servers.every(({ minimal }) => minimal));
});

test('a line of a snippet ends with the snippet, also when the same comes again', () => {
  const { settings } = read('(a) {\n rewrite name one two\n}\n. {\n import a\n import a\n}');
  assert.equal(settings.servers[0]?.rewrite.length, 2);
});

test('a file that imports itself is a circle, whatever stands behind the import', () => {
  const files = { 'a.conf': 'log\nimport b.conf\nminimal\n', 'b.conf': 'import a.conf\n' };
  const circle = { name: 'SettingsError', message: /^b\.conf:1: imports lead in a circle: "a\.conf" imports itself/ };
  assert.throws(() => read('. {\n import a.conf\n}', files), circle);
});

test('what is accepted and has no effect is said', () => {
  const { notes } = read(`. {
    reload 30s 15s
    autopath cluster.local @kubernetes
    log example.org "{type}"
    log .
    hosts {
      192.0.2.1 a
      reload 1s
    }
    rewrite name suffix a b answer auto
  }`);
  assert.deepEqual(
    notes.map((note) => note.split(': ').slice(0, 2).join(' ')),
    ['Corefile:2 reload', 'Corefile:3 autopath', 'Corefile:4 log', 'Corefile:8 reload', 'Corefile:10 rewrite'],
  );
});

test('the guide lists every directive', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../../docs/guide/replacing-coredns.md'), 'utf8');
  const listed = [...page.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name ?? '');
  assert.deepEqual(new Set(listed), new Set([...directiveNames, 'import']));
});
