import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ask, askRaw, dnsNamespace, dnsService, summary, testResponder } from '../fixtures.ts';
import type { Resolver } from '../forward/resolver.ts';
import type { ServerSettings } from '../settings/settings.ts';
import { parseZoneFile } from '../zone-file/parse.ts';
import { questionOf } from '../dig.ts';
import { flags, rcodes } from '../wire/types.ts';
import { writeMessage } from '../wire/writer.ts';

const folder = mkdtempSync(join(tmpdir(), 'fairlead-dns-'));
after(() => rmSync(folder, { recursive: true }));

function fileOf(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

/** An upstream that knows one zone, given as a zone file of example.com. */
function upstream(text: string): Resolver {
  const records = parseZoneFile(`$TTL 60\n${text}`, 'upstream', '\x07example\x03com\0', () => undefined);
  return {
    resolve: async ({ question }) => {
      const ofName = records.filter(({ name }) => name === question.name.toLowerCase());
      const answers = ofName.filter(({ type }) => type === question.type);
      return { rcode: ofName.length === 0 ? rcodes.NXDOMAIN : 0, answers, authorities: [], from: 'test' };
    },
    isOwnProbe: () => false,
    noteGiven: () => undefined,
    findLoops: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  };
}

const zoneFile = `$TTL 1h
@ IN SOA ns hostmaster ( 7 ; serial
    2h 30m 1w 5m )
  IN NS ns
ns A 192.0.2.1
www 300 IN A 192.0.2.10
  AAAA 2001:db8::10
alias CNAME www
far CNAME cart.shop.svc.cluster.local.
*.wild TXT "any thing" two
deep.er.name A 192.0.2.20
sub NS ns.sub
ns.sub A 192.0.2.30
old DNAME new.example.net.
$GENERATE 1-3 host-$ A 192.0.2.4$
@ CAA 0 issue "ca.example"
_svc SVCB 1 www alpn=h2,h3 port=8443 ipv4hint=192.0.2.10
odd TYPE65280 \\# 3 010203
`;

const cluster = [
  { type: 'namespace', new: dnsNamespace() },
  { type: 'service', new: dnsService() },
] as const;

interface Row {
  readonly title: string;
  readonly settings: Partial<ServerSettings>;
  readonly question: readonly [name: string, type: string];
  readonly expect: readonly string[];
}

const files = [{ path: fileOf('example.zone', zoneFile), zones: ['example.com'], reloadSeconds: 60 }];
const hosts = {
  zones: ['.'],
  file: fileOf('hosts', '192.0.2.5 gate.example gate # the gate\n2001:db8::5 gate.example\nnonsense\n'),
  lines: ['192.0.2.6 *.wild.example'],
  ttlSeconds: 30,
  reverse: true,
  fallthrough: ['.'],
};
const template = {
  zones: ['.'],
  type: 'A',
  match: ['^ip-(\\d+)-(\\d+)-(\\d+)-(?<last>\\d+)\\.example\\.$'],
  answers: ['{name} 60 IN A {1}.{2}.{3}.{last}'],
  authorities: [],
  additionals: [],
  rcode: 'NOERROR',
  fallthrough: ['.'],
};
const everything = { ...template, match: [], answers: ['{name} 60 IN A 192.0.2.99'] };
const rule = { kind: 'name', isLast: true } as const;

const rows: readonly Row[] = [
  {
    title: 'a record of a zone file',
    settings: { files },
    question: ['WWW.example.com', 'A'],
    expect: ['NOERROR AA', 'WWW.example.com. 300 A 192.0.2.10'],
  },
  {
    title: 'an alias inside a zone file',
    settings: { files },
    question: ['alias.example.com', 'AAAA'],
    expect: ['NOERROR AA', 'alias.example.com. 3600 CNAME www.example.com.', 'www.example.com. 3600 AAAA 2001:db8::10'],
  },
  {
    title: 'an alias to a Service',
    settings: { files },
    question: ['far.example.com', 'A'],
    expect: [
      'NOERROR AA',
      'far.example.com. 3600 CNAME cart.shop.svc.cluster.local.',
      'cart.shop.svc.cluster.local. 5 A 10.96.0.1',
    ],
  },
  {
    title: 'a wildcard',
    settings: { files },
    question: ['a.b.wild.example.com', 'TXT'],
    expect: ['NOERROR AA', 'a.b.wild.example.com. 3600 TXT "any thing" "two"'],
  },
  {
    title: 'a name that only has names below it',
    settings: { files },
    question: ['er.name.example.com', 'A'],
    expect: ['NOERROR AA', 'auth example.com. SOA'],
  },
  {
    title: 'a name that does not exist',
    settings: { files },
    question: ['no.example.com', 'A'],
    expect: ['NXDOMAIN AA', 'auth example.com. SOA'],
  },
  {
    title: 'a delegation',
    settings: { files },
    question: ['x.sub.example.com', 'A'],
    expect: [
      'NOERROR',
      'auth sub.example.com. 3600 NS ns.sub.example.com.',
      'add ns.sub.example.com. 3600 A 192.0.2.30',
    ],
  },
  {
    title: 'generated records',
    settings: { files },
    question: ['host-2.example.com', 'A'],
    expect: ['NOERROR AA', 'host-2.example.com. 3600 A 192.0.2.42'],
  },
  {
    title: 'an alias made from a DNAME is the answer to who asks for it',
    settings: { files },
    question: ['x.old.example.com', 'CNAME'],
    expect: [
      'NOERROR AA',
      'old.example.com. 3600 DNAME new.example.net.',
      'x.old.example.com. 3600 CNAME x.new.example.net.',
    ],
  },
  {
    title: 'a type without a name',
    settings: { files },
    question: ['odd.example.com', 'TYPE65280'],
    expect: ['NOERROR AA', 'odd.example.com. 3600 TYPE65280 \\# 3 010203'],
  },
  {
    title: 'a host of the hosts file',
    settings: { hosts },
    question: ['gate.example', 'AAAA'],
    expect: ['NOERROR AA', 'gate.example. 30 AAAA 2001:db8::5'],
  },
  {
    title: 'its address',
    settings: { hosts },
    question: ['5.2.0.192.in-addr.arpa', 'PTR'],
    expect: ['NOERROR AA', '5.2.0.192.in-addr.arpa. 30 PTR gate.example.', '5.2.0.192.in-addr.arpa. 30 PTR gate.'],
  },
  {
    title: 'a type that the host has not',
    settings: { hosts },
    question: ['gate.example', 'MX'],
    expect: ['NOERROR AA'],
  },
  {
    title: 'a host that has one address in two lines',
    settings: { hosts: { ...hosts, lines: ['192.0.2.5 gate.example', '192.0.2.5%eth0 gate.example'] } },
    question: ['gate.example', 'A'],
    expect: ['NOERROR AA', 'gate.example. 30 A 192.0.2.5'],
  },
  {
    title: 'a host outside of the zones of the hosts file',
    settings: { hosts: { ...hosts, zones: ['other.example'], fallthrough: [] }, templates: [everything] },
    question: ['gate.example', 'A'],
    expect: ['NOERROR AA', 'gate.example. 60 A 192.0.2.99'],
  },
  {
    title: 'an address of the hosts file, whatever its zones',
    settings: { hosts: { ...hosts, zones: ['other.example'] } },
    question: ['5.2.0.192.in-addr.arpa', 'PTR'],
    expect: ['NOERROR AA', '5.2.0.192.in-addr.arpa. 30 PTR gate.example.', '5.2.0.192.in-addr.arpa. 30 PTR gate.'],
  },
  {
    title: 'the longest zone of a template',
    settings: {
      templates: [
        { ...everything, type: 'TXT', zones: ['.', 'a.example', 'example'], answers: ['{name} 60 IN TXT "{zone}"'] },
      ],
    },
    question: ['x.a.example', 'TXT'],
    expect: ['NOERROR AA', 'x.a.example. 60 TXT "a.example."'],
  },
  {
    title: 'a wildcard of the hosts lines',
    settings: { hosts },
    question: ['x.wild.example', 'A'],
    expect: ['NOERROR AA', 'x.wild.example. 30 A 192.0.2.6'],
  },
  {
    title: 'a template',
    settings: { templates: [template] },
    question: ['ip-192-0-2-9.example', 'A'],
    expect: ['NOERROR AA', 'ip-192-0-2-9.example. 60 A 192.0.2.9'],
  },
  {
    title: 'a template that answers nothing',
    settings: { templates: [{ ...template, type: 'AAAA', match: [], answers: [] }] },
    question: ['www.example.com', 'AAAA'],
    expect: ['NOERROR AA'],
  },
  {
    title: 'a question rewritten by suffix, and its answer back',
    settings: { rewrite: [{ ...rule, match: { kind: 'suffix', text: '.old.example' }, to: '.svc.cluster.local' }] },
    question: ['cart.shop.old.example', 'A'],
    expect: ['NOERROR AA', 'cart.shop.old.example. 5 A 10.96.0.1'],
  },
  {
    title: 'a question rewritten by expression',
    settings: {
      rewrite: [
        { ...rule, match: { kind: 'regex', text: '^(\\w+)-in-(\\w+)\\.example$' }, to: '{1}.{2}.svc.cluster.local' },
      ],
    },
    question: ['Cart-in-shop.example', 'A'],
    expect: ['NOERROR AA', 'Cart-in-shop.example. 5 A 10.96.0.1'],
  },
  {
    title: 'two rules that go on',
    settings: {
      rewrite: [
        { ...rule, isLast: false, match: { kind: 'exact', text: 'a.example' }, to: 'b.example' },
        { kind: 'ttl', match: { kind: 'exact', text: 'c.example' }, seconds: { min: 60, max: 60 }, isLast: false },
        { ...rule, match: { kind: 'exact', text: 'b.example' }, to: 'cart.shop.svc.cluster.local' },
      ],
    },
    question: ['a.example', 'A'],
    expect: ['NOERROR AA', 'a.example. 5 A 10.96.0.1'],
  },
  {
    title: 'a time to live within bounds',
    settings: {
      rewrite: [
        {
          kind: 'ttl',
          match: { kind: 'suffix', text: '.cluster.local' },
          seconds: { min: 60, max: 300 },
          isLast: true,
        },
      ],
    },
    question: ['cart.shop.svc.cluster.local', 'A'],
    expect: ['NOERROR AA', 'cart.shop.svc.cluster.local. 60 A 10.96.0.1'],
  },
  {
    title: 'another type',
    settings: { rewrite: [{ kind: 'type', from: 'ANY', to: 'A', isLast: true }] },
    question: ['cart.shop.svc.cluster.local', 'ANY'],
    expect: ['NOERROR AA', 'cart.shop.svc.cluster.local. 5 A 10.96.0.1'],
  },
  {
    title: 'a blocked client',
    settings: { acl: [{ action: 'block', types: [], clients: ['192.0.2.0/24'], zones: [] }] },
    question: ['cart.shop.svc.cluster.local', 'A'],
    expect: ['REFUSED'],
  },
  {
    title: 'a filtered type',
    settings: { acl: [{ action: 'filter', types: ['A'], clients: [], zones: ['cluster.local'] }] },
    question: ['cart.shop.svc.cluster.local', 'A'],
    expect: ['NOERROR'],
  },
  {
    title: 'the first rule that fits',
    settings: {
      acl: [
        { action: 'allow', types: [], clients: ['192.0.2.7/32'], zones: [] },
        { action: 'block', types: [], clients: [], zones: [] },
      ],
    },
    question: ['cart.shop.svc.cluster.local', 'A'],
    expect: ['NOERROR AA', 'cart.shop.svc.cluster.local. 5 A 10.96.0.1'],
  },
  {
    title: 'policy sees the rewritten name',
    settings: {
      rewrite: [{ ...rule, match: { kind: 'exact', text: 'harmless.example' }, to: 'cart.shop.svc.cluster.local' }],
      acl: [{ action: 'block', types: [], clients: [], zones: ['svc.cluster.local'] }],
    },
    question: ['harmless.example', 'A'],
    expect: ['REFUSED'],
  },
  {
    title: 'no more than was asked for',
    settings: { minimal: true },
    question: ['_http._tcp.cart.shop.svc.cluster.local', 'SRV'],
    expect: ['NOERROR AA', '_http._tcp.cart.shop.svc.cluster.local. 5 SRV 0 100 80 cart.shop.svc.cluster.local.'],
  },
  {
    title: 'an address for networks without IPv4',
    settings: { dns64: { prefix: '64:ff9b::/96', translateAll: false, allowIpv4: true } },
    question: ['cart.shop.svc.cluster.local', 'AAAA'],
    expect: ['NOERROR AA', 'cart.shop.svc.cluster.local. 5 AAAA 64:ff9b::a60:1'],
  },
  {
    title: 'the same through an upstream',
    settings: { dns64: { prefix: '2001:db8:64::/48', translateAll: false, allowIpv4: true } },
    question: ['v4.example.com', 'AAAA'],
    expect: ['NOERROR', 'v4.example.com. 60 AAAA 2001:db8:64:c000:2:100::'],
  },
  {
    title: 'an own address needs no translation',
    settings: { dns64: { prefix: '64:ff9b::/96', translateAll: false, allowIpv4: true } },
    question: ['both.example.com', 'AAAA'],
    expect: ['NOERROR', 'both.example.com. 60 AAAA 2001:db8::1'],
  },
];

const outside = upstream('v4 A 192.0.2.1\nboth A 192.0.2.1\nboth AAAA 2001:db8::1');

for (const { title, settings, question, expect } of rows) {
  test(title, async () => {
    const { responder } = testResponder({ changes: cluster, settings, resolver: outside });
    assert.deepEqual(summary(await ask(responder, ...question)), expect);
  });
}

test('a dropped question gets nothing', async () => {
  const { responder } = testResponder({ settings: { acl: [{ action: 'drop', types: [], clients: [], zones: [] }] } });
  const packet = writeMessage({ id: 1, flags: flags.RD, questions: [questionOf('www.example.com', 'A')] });
  assert.equal((await askRaw(responder, packet)).length, 0);
});

test('an alias to a name that nobody here knows is left to who asks, and an error to who wants all of it', async () => {
  const { responder } = testResponder({ settings: { files } });
  const alias = ['old.example.com. 3600 DNAME new.example.net.', 'x.old.example.com. 3600 CNAME x.new.example.net.'];
  const found = async (asked: number) => summary(await ask(responder, 'x.old.example.com', 'A', { flags: asked }));
  assert.deepEqual(await found(0), ['NOERROR AA', ...alias]);
  assert.deepEqual(await found(flags.RD), ['SERVFAIL AA', ...alias]);
});

const aliasOf = (externalName: string) => {
  const service = dnsService({ type: 'ExternalName', externalName, clusterIP: '', clusterIPs: [] }, 'db');
  return [...cluster, { type: 'service', new: service } as const];
};
const db = 'db.shop.svc.cluster.local';

test('an ExternalName of a name in a zone file is answered from there, without an upstream or a question to it', async () => {
  for (const resolver of [undefined, upstream('www A 192.0.2.99')]) {
    const { responder } = testResponder({ changes: aliasOf('alias.example.com'), resolver, settings: { files } });
    assert.deepEqual(summary(await ask(responder, db, 'A')), [
      'NOERROR AA',
      `${db}. 5 CNAME alias.example.com.`,
      'alias.example.com. 3600 CNAME www.example.com.',
      'www.example.com. 300 A 192.0.2.10',
    ]);
  }
});

test('an ExternalName and a zone file that lead to each other end in SERVFAIL, each alias said once', async () => {
  const text = `$TTL 60\n@ SOA ns ns 1 1 1 1 1\nback CNAME ${db}.\n`;
  const settings = { files: [{ path: fileOf('back.zone', text), zones: ['example.com'], reloadSeconds: 0 }] };
  const { responder } = testResponder({ changes: aliasOf('back.example.com'), settings });
  assert.deepEqual(summary(await ask(responder, db, 'A')), [
    'SERVFAIL AA',
    `${db}. 5 CNAME back.example.com.`,
    `back.example.com. 60 CNAME ${db}.`,
  ]);
});

test('aliases that lead in a circle end in SERVFAIL', async () => {
  const text = '$TTL 60\n@ SOA ns ns 1 1 1 1 1\na CNAME b\nb CNAME a\n';
  const settings = { files: [{ path: fileOf('circle.zone', text), zones: ['example.com'], reloadSeconds: 0 }] };
  const { responder } = testResponder({ settings });
  const answer = await ask(responder, 'a.example.com', 'A');
  assert.equal(answer.rcode, rcodes.SERVFAIL);
  assert.deepEqual(summary(answer).slice(1), [
    'a.example.com. 60 CNAME b.example.com.',
    'b.example.com. 60 CNAME a.example.com.',
  ]);
});

const mistakes: readonly [title: string, text: string, error: RegExp][] = [
  ['no SOA', '$TTL 1\nwww A 192.0.2.1\n', /one SOA record/],
  ['a bad address', '$TTL 1\n@ SOA a b 1 1 1 1 1\nwww A 192.0.2\n', /zone:3: "192.0.2" is no IPv4 address/],
  ['a bad type', '$TTL 1\n@ SOA a b 1 1 1 1 1\nwww AAAAA ::1\n', /zone:3: "AAAAA" is no record type/],
  ['data beside an alias', '$TTL 1\n@ SOA a b 1 1 1 1 1\nwww CNAME a\nwww A 192.0.2.1\n', /an alias and other records/],
  ['a word too many', '$TTL 1\n@ SOA a b 1 1 1 1 1\nwww A 192.0.2.1 x\n', /zone:3: "x" is one word too many/],
  ['a parenthesis too few', '$TTL 1\n@ SOA a b ( 1 1 1 1 1\n', /zone:2: a parenthesis is opened/],
  ['a name outside', '$TTL 1\n@ SOA a b 1 1 1 1 1\nwww.example.net. A 192.0.2.1\n', /outside the zone/],
  ['an unknown directive', '$FOO\n', /zone:1: "\$FOO" is not supported/],
];

for (const [title, text, error] of mistakes) {
  test(`a zone file with ${title} is an error that says where`, () => {
    const settings = { files: [{ path: fileOf('wrong.zone', text), zones: ['example.com'], reloadSeconds: 0 }] };
    assert.throws(() => testResponder({ settings }), { message: error });
  });
}
