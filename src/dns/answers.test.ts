import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AskOptions } from './fixtures.ts';
import {
  ask,
  askRaw,
  dnsNamespace,
  dnsService,
  dnsSlice,
  headlessService,
  summary,
  testResponder,
} from './fixtures.ts';
import type { Resolved, Resolver } from './forward/resolver.ts';
import type { RecordChange } from './records.ts';
import { recordsOf } from './reply.ts';
import { defaultCluster } from './settings/cluster-server.ts';
import { extendedErrorsOf, writeEdns } from './wire/edns.ts';
import { readMessage } from './wire/message.ts';
import type { Question } from './wire/message.ts';
import { formatName, parseName } from './wire/names.ts';
import { stringsRdata } from './wire/rdata.ts';
import { classIn, flags, rcodes, typeNumbers } from './wire/types.ts';
import { writeMessage } from './wire/writer.ts';

const cart = 'cart.shop.svc.cluster.local';
const alias = 'db.shop.svc.cluster.local';

function aliasTo(externalName: string): RecordChange {
  return {
    type: 'service',
    new: dnsService({ type: 'ExternalName', externalName, clusterIP: '', clusterIPs: [] }, 'db'),
  };
}

const objects: readonly RecordChange[] = [
  { type: 'namespace', new: dnsNamespace() },
  { type: 'service', new: dnsService() },
];

/** An upstream that answers everything in the same way, and remembers what it was asked. */
function upstream(answer: (question: Question) => Partial<Resolved>): Resolver & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    resolve: async ({ question }) => {
      asked.push(formatName(question.name));
      return { rcode: rcodes.NOERROR, answers: [], authorities: [], from: 'test', ...answer(question) };
    },
    isOwnProbe: () => false,
    noteGiven: () => undefined,
    findLoops: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  };
}

const knowsAll = (): ReturnType<typeof upstream> =>
  upstream(({ name, type }) => ({
    answers: recordsOf(name, type, 60, [
      type === typeNumbers.A ? Uint8Array.of(192, 0, 2, 1) : stringsRdata(['hello']),
    ]),
  }));

interface Case {
  readonly rule: string;
  readonly external: string;
  readonly type?: string;
  readonly name?: string;
  readonly resolver?: Resolver;
  readonly options?: AskOptions;
  readonly answer: readonly string[];
}

const cases: readonly Case[] = [
  {
    rule: 'R10: an ExternalName is an alias, answered with what its target has',
    external: 'db.example.com',
    resolver: knowsAll(),
    answer: ['NOERROR AA', `${alias}. 5 CNAME db.example.com.`, 'db.example.com. 60 A 192.0.2.1'],
  },
  {
    rule: 'R10: also with a final dot and in capitals',
    external: 'DB.Example.com.',
    type: 'CNAME',
    answer: ['NOERROR AA', `${alias}. 5 CNAME db.example.com.`],
  },
  {
    rule: 'R10: an alias of a Service of the cluster',
    external: cart,
    answer: ['NOERROR AA', `${alias}. 5 CNAME ${cart}.`, `${cart}. 5 A 10.96.0.1`],
  },
  {
    rule: 'D1: when the upstream fails, the alias comes with SERVFAIL, never as NODATA',
    external: 'db.example.com',
    resolver: upstream(() => ({ rcode: rcodes.SERVFAIL })),
    answer: ['SERVFAIL AA', `${alias}. 5 CNAME db.example.com.`],
  },
  {
    rule: 'D1: the same without an upstream',
    external: 'db.example.com',
    answer: ['SERVFAIL AA', `${alias}. 5 CNAME db.example.com.`],
  },
  {
    rule: 'D2: an alias of a cluster name that does not exist has its code',
    external: 'nope.shop.svc.cluster.local',
    answer: ['NXDOMAIN AA', `${alias}. 5 CNAME nope.shop.svc.cluster.local.`, 'auth cluster.local. SOA'],
  },
  {
    rule: 'D2: so has an alias of an outside name that does not exist',
    external: 'nope.example.com',
    resolver: upstream(() => ({ rcode: rcodes.NXDOMAIN })),
    answer: ['NXDOMAIN AA', `${alias}. 5 CNAME nope.example.com.`],
  },
  {
    rule: 'D3: an alias is followed for every type',
    external: 'db.example.com',
    type: 'TXT',
    resolver: knowsAll(),
    answer: ['NOERROR AA', `${alias}. 5 CNAME db.example.com.`, 'db.example.com. 60 TXT "hello"'],
  },
  {
    rule: 'D4: SRV of an alias',
    external: cart,
    type: 'SRV',
    answer: ['NOERROR AA', `${alias}. 5 CNAME ${cart}.`, `${cart}. 5 SRV 0 100 80 ${cart}.`],
  },
  {
    rule: 'an alias of a cluster name without that type is NODATA',
    external: cart,
    type: 'AAAA',
    answer: ['NOERROR AA', `${alias}. 5 CNAME ${cart}.`, 'auth cluster.local. SOA'],
  },
  {
    rule: 'nothing is below an ExternalName',
    external: 'db.example.com',
    name: `_http._tcp.${alias}`,
    type: 'SRV',
    answer: ['NXDOMAIN AA', 'auth cluster.local. SOA'],
  },
  {
    rule: 'without recursion desired only the alias is given',
    external: 'db.example.com',
    resolver: knowsAll(),
    options: { flags: 0 },
    answer: ['NOERROR AA', `${alias}. 5 CNAME db.example.com.`],
  },
];

for (const { rule, external, type = 'A', name = alias, resolver, options, answer } of cases) {
  test(rule, async () => {
    const { responder } = testResponder({ changes: [...objects, aliasTo(external)], resolver });
    assert.deepEqual(summary(await ask(responder, name, type, options)), answer);
  });
}

test('an alias that leads to itself ends', async () => {
  const { responder } = testResponder({ changes: [...objects, aliasTo(alias)] });
  const message = await ask(responder, alias, 'A', { transport: 'tcp' });
  assert.equal(message.rcode, rcodes.SERVFAIL);
});

test('queries for the cluster and its ranges never leave; others do', async () => {
  const resolver = knowsAll();
  const { responder } = testResponder({ changes: objects, resolver });
  for (const name of [
    'nope.cluster.local',
    'a.b.c.svc.cluster.local',
    '9.9.96.10.in-addr.arpa',
    '1.0.244.10.in-addr.arpa',
    'localhost',
    'x.invalid',
  ]) {
    await ask(responder, name, 'A');
  }
  assert.deepEqual(resolver.asked, []);
  assert.deepEqual(summary(await ask(responder, 'example.com', 'A')), ['NOERROR', 'example.com. 60 A 192.0.2.1']);
  assert.deepEqual(resolver.asked, ['example.com.']);
});

test('localhost is this machine', async () => {
  const { responder } = testResponder();
  assert.deepEqual(summary(await ask(responder, 'localhost', 'A')), ['NOERROR AA', 'localhost. 86400 A 127.0.0.1']);
  assert.deepEqual(summary(await ask(responder, 'a.localhost', 'AAAA')), ['NOERROR AA', 'a.localhost. 86400 AAAA ::1']);
});

test('D17: ANY of an outside name is not passed on (RFC 8482)', async () => {
  const resolver = knowsAll();
  const { responder } = testResponder({ resolver });
  assert.deepEqual(summary(await ask(responder, 'example.com', 'ANY')), [
    'NOERROR',
    'example.com. 3600 HINFO "RFC8482" ""',
  ]);
  assert.deepEqual(resolver.asked, []);
});

test('D19: recursion is offered when there is an upstream', async () => {
  const withUpstream = await ask(testResponder({ changes: objects, resolver: knowsAll() }).responder, cart, 'A');
  assert.notEqual(withUpstream.flags & flags.RA, 0);
  const without = await ask(testResponder({ changes: objects }).responder, cart, 'A');
  assert.equal(without.flags & flags.RA, 0);
});

test('D16: a server that has not read the cluster denies nothing, and says why', async () => {
  const { responder } = testResponder({ knowledge: 'none' });
  for (const name of [cart, '9.9.96.10.in-addr.arpa']) {
    const message = await ask(responder, name, 'A', { opt: writeEdns(0, false) });
    assert.equal(message.rcode, rcodes.SERVFAIL);
    assert.equal(extendedErrorsOf(message.edns?.options ?? [])[0]?.code, 14);
  }
});

const shared = {
  settings: {
    cluster: { ...defaultCluster, cidrs: ['0.0.0.0/0'], fallthrough: ['in-addr.arpa', 'shop.svc.cluster.local'] },
  },
  config: { cidrs: ['0.0.0.0/0'] },
};

test('where missing names are left to others these are asked, also for what aliases lead to', async () => {
  const resolver = knowsAll();
  const changes = [...objects, aliasTo('nope.shop.svc.cluster.local')];
  const { responder } = testResponder({ changes, resolver, ...shared });
  for (const name of ['9.9.168.192.in-addr.arpa', '168.192.in-addr.arpa', 'nope.shop.svc.cluster.local', alias]) {
    assert.equal((await ask(responder, name, 'A')).rcode, rcodes.NOERROR, name);
  }
  assert.deepEqual(resolver.asked, [
    '9.9.168.192.in-addr.arpa.',
    '168.192.in-addr.arpa.',
    'nope.shop.svc.cluster.local.',
    'nope.shop.svc.cluster.local.',
  ]);
  assert.equal((await ask(responder, 'nope.svc.cluster.local', 'A')).rcode, rcodes.NXDOMAIN, 'not in such a zone');
  assert.deepEqual(summary(await ask(responder, '1.0.96.10.in-addr.arpa', 'PTR')), [
    'NOERROR AA',
    `1.0.96.10.in-addr.arpa. 5 PTR ${cart}.`,
  ]);
});

test('D16: also where missing names are left to others nobody is asked before the cluster is read', async () => {
  const resolver = knowsAll();
  const { responder } = testResponder({ knowledge: 'none', resolver, ...shared });
  for (const name of ['1.0.96.10.in-addr.arpa', cart]) {
    assert.equal((await ask(responder, name, 'PTR')).rcode, rcodes.SERVFAIL);
  }
  assert.deepEqual(resolver.asked, []);
});

test('the last known state is answered as stale', async () => {
  const { responder } = testResponder({ changes: objects, knowledge: 'restored' });
  const message = await ask(responder, cart, 'A', { opt: writeEdns(0, false) });
  assert.deepEqual(summary(message), ['NOERROR AA', `${cart}. 5 A 10.96.0.1`]);
  assert.equal(extendedErrorsOf(message.edns?.options ?? [])[0]?.code, 3);
});

test('D7: a request without question is a format error', async () => {
  const { responder } = testResponder();
  const message = readMessage(await askRaw(responder, writeMessage({ id: 9, flags: 0, questions: [] })));
  assert.ok(!('malformed' in message));
  assert.deepEqual([message.id, message.rcode, message.questions.length], [9, rcodes.FORMERR, 0]);
});

test('D9, D10, D11: EDNS is answered with our size, DO kept, unknown bits zero and no option echoed', async () => {
  const { responder } = testResponder({ changes: objects });
  const clientSubnet = [0, 8, 0, 4, 0, 1, 0, 0];
  const unknown = [0, 100, 0, 0];
  const options = [...clientSubnet, ...unknown];
  const opt = Uint8Array.from([0, 0, 41, 0xff, 0xff, 0, 0, 0xff, 0xff, 0, options.length, ...options]);
  const bytes = await askRaw(
    responder,
    writeMessage({ id: 1, flags: 0, questions: [{ name: parseName(cart) ?? '\0', type: 1, class: classIn }], opt }),
  );
  assert.deepEqual([...bytes.subarray(-11)], [0, 0, 41, 0x04, 0xd0, 0, 0, 0x80, 0, 0, 0]);
});

test('a client without EDNS gets none', async () => {
  const { responder } = testResponder({ changes: objects });
  assert.equal((await ask(responder, cart, 'A')).edns, undefined);
});

const many: readonly RecordChange[] = [
  { type: 'service', new: headlessService() },
  { type: 'slice', new: dnsSlice(Array.from({ length: 200 }, (_, index) => `10.244.0.${index}`)) },
];

test('D14: an answer is cut to 512, to what the client takes, and to 1232 at most, with TC', async () => {
  const { responder } = testResponder({ changes: many });
  const question = { name: parseName(cart) ?? '\0', type: typeNumbers.A, class: classIn };
  for (const [size, limit] of [
    [undefined, 512],
    [100, 512],
    [800, 800],
    [65_535, 1232],
  ] as const) {
    const opt = size === undefined ? undefined : Buffer.from(writeEdns(0, false));
    opt?.writeUInt16BE(size ?? 0, 3);
    const bytes = await askRaw(responder, writeMessage({ id: 1, flags: 0, questions: [question], opt }));
    assert.ok(bytes.length <= limit && bytes.length > limit - 16, `${bytes.length} of ${limit}`);
    const message = readMessage(bytes);
    assert.ok(!('malformed' in message));
    assert.notEqual(message.flags & flags.TC, 0);
  }
  const whole = await ask(responder, cart, 'A', { transport: 'tcp' });
  assert.equal(whole.answers.length, 200);
  assert.equal(whole.flags & flags.TC, 0);
});

test('addresses take turns, also in answers that are cut', async () => {
  const { responder } = testResponder({ changes: many });
  const first = new Set<string>();
  const seen = new Set<string>();
  for (let i = 0; i < 200; i += 1) {
    const { answers } = await ask(responder, cart, 'A');
    first.add(String(answers[0]?.rdata));
    for (const { rdata } of answers) seen.add(String(rdata));
  }
  assert.equal(first.size, 200);
  assert.equal(seen.size, 200);
});

test('an SRV answer leaves out addresses before it is cut', async () => {
  const slice = dnsSlice(
    Array.from({ length: 6 }, (_, index) => `10.244.0.${index} host=a-rather-long-host-name-${index}`),
  );
  const { responder } = testResponder({
    changes: [
      { type: 'service', new: headlessService() },
      { type: 'slice', new: slice },
    ],
  });
  const { flags: word, answers, additionals } = await ask(responder, `_http._tcp.${cart}`, 'SRV');
  assert.equal(word & flags.TC, 0);
  assert.equal(answers.length, 6);
  assert.ok(additionals.length < 6);
});

test('D18: answers are compressed: an address costs 16 bytes', async () => {
  const { responder } = testResponder({ changes: many });
  const packet = writeMessage({ id: 1, flags: 0, questions: [{ name: parseName(cart) ?? '\0', type: 1, class: 1 }] });
  assert.equal((await askRaw(responder, packet, 'tcp')).length, packet.length + 200 * 16);
});

test('negative answers are right for names of any length', async () => {
  const { responder } = testResponder({ changes: objects });
  for (let length = 1; length <= 63; length += 1) {
    const message = await ask(responder, `${'x'.repeat(length)}.cluster.local`, 'A');
    assert.deepEqual(summary(message), ['NXDOMAIN AA', 'auth cluster.local. SOA']);
    const again = await ask(responder, `ns.dns${'.y'.repeat(length)}.cluster.local`, 'A');
    assert.deepEqual(summary(again), ['NXDOMAIN AA', 'auth cluster.local. SOA']);
  }
});
