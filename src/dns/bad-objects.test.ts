import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ask,
  dnsNamespace,
  dnsService,
  dnsSlice,
  headlessService,
  importedSlice,
  serviceImport,
  summary,
  testResponder,
} from './fixtures.ts';
import type { RecordChange } from './records.ts';
import { writeEdns } from './wire/edns.ts';
import { formatName } from './wire/names.ts';
import { flags } from './wire/types.ts';

/** Objects that an API server should not have, or not in this order. */
const cart = 'cart.shop.svc.cluster.local';
const shop: RecordChange = { type: 'namespace', new: dnsNamespace() };
const headless: RecordChange = { type: 'service', new: headlessService() };
const slice = (...given: Parameters<typeof dnsSlice>): RecordChange => ({ type: 'slice', new: dnsSlice(...given) });
const long = 'l'.repeat(63);

interface Case {
  readonly input: string;
  readonly changes: readonly RecordChange[];
  readonly ask: readonly [name: string, type: string];
  readonly answer: readonly string[];
}

const nxdomain = ['NXDOMAIN AA', 'auth cluster.local. SOA'];

const cases: readonly Case[] = [
  {
    input: 'an address twice in a slice and again in another',
    changes: [headless, slice(['10.244.0.1', '10.244.0.1']), slice(['10.244.0.1'], {}, 'cart-2')],
    ask: [cart, 'A'],
    answer: ['NOERROR AA', `${cart}. 5 A 10.244.0.1`],
  },
  {
    input: 'the same, by SRV',
    changes: [headless, slice(['10.244.0.1', '10.244.0.1']), slice(['10.244.0.1'], {}, 'cart-2')],
    ask: [`_http._tcp.${cart}`, 'SRV'],
    answer: [
      'NOERROR AA',
      `_http._tcp.${cart}. 5 SRV 0 100 8080 10-244-0-1.${cart}.`,
      `add 10-244-0-1.${cart}. 5 A 10.244.0.1`,
    ],
  },
  {
    input: 'the same, by address',
    changes: [headless, slice(['10.244.0.1', '10.244.0.1']), slice(['10.244.0.1'], {}, 'cart-2')],
    ask: ['1.0.244.10.in-addr.arpa', 'PTR'],
    answer: ['NOERROR AA', `1.0.244.10.in-addr.arpa. 5 PTR 10-244-0-1.${cart}.`],
  },
  {
    input: 'what is no address, among addresses',
    changes: [headless, slice(['10.244.0.256', 'x', '', '10.244.0.1', '010.1.2.3', '::1'])],
    ask: [cart, 'A'],
    answer: ['NOERROR AA', `${cart}. 5 A 10.244.0.1`],
  },
  {
    input: 'addresses of names only',
    changes: [headless, slice(['db.example.com'], { addressType: 'FQDN' })],
    ask: [cart, 'A'],
    answer: nxdomain,
  },
  {
    input: 'a cluster IP that is none',
    changes: [{ type: 'service', new: dnsService({ clusterIP: 'x', clusterIPs: ['x', '10.96.0.1'] }) }],
    ask: [cart, 'A'],
    answer: ['NOERROR AA', `${cart}. 5 A 10.96.0.1`],
  },
  {
    input: 'hostnames that differ by case only',
    changes: [headless, slice(['10.244.0.1 host=Web-0', '10.244.0.2 host=web-0'])],
    ask: [`wEB-0.${cart}`, 'AAAA'],
    answer: ['NOERROR AA', 'auth cluster.local. SOA'],
  },
  {
    input: 'a hostname that is no label: the address stands for it',
    changes: [headless, slice([`10.244.0.1 host=${long}x`])],
    ask: [`_http._tcp.${cart}`, 'SRV'],
    answer: [
      'NOERROR AA',
      `_http._tcp.${cart}. 5 SRV 0 100 8080 10-244-0-1.${cart}.`,
      `add 10-244-0-1.${cart}. 5 A 10.244.0.1`,
    ],
  },
  {
    input: 'a hostname with a dot: the address stands for it',
    changes: [headless, slice(['10.244.0.1 host=a.b'])],
    ask: ['1.0.244.10.in-addr.arpa', 'PTR'],
    answer: ['NOERROR AA', `1.0.244.10.in-addr.arpa. 5 PTR 10-244-0-1.${cart}.`],
  },
  {
    input: 'Services whose names differ by case only, of which one goes',
    changes: [
      { type: 'service', new: dnsService({}, 'Cart') },
      { type: 'service', new: dnsService() },
      { type: 'service', old: dnsService({}, 'Cart') },
    ],
    ask: [cart, 'A'],
    answer: ['NOERROR AA', `${cart}. 5 A 10.96.0.1`],
  },
  {
    input: 'a Service svc in a Namespace svc',
    changes: [
      { type: 'namespace', new: dnsNamespace('svc') },
      { type: 'service', new: dnsService({}, 'svc', 'svc') },
    ],
    ask: ['svc.svc.svc.cluster.local', 'A'],
    answer: ['NOERROR AA', 'svc.svc.svc.cluster.local. 5 A 10.96.0.1'],
  },
  {
    input: 'a Namespace svc, asked for with a search list',
    changes: [shop, { type: 'namespace', new: dnsNamespace('svc') }, { type: 'service', new: dnsService() }],
    ask: ['cart.shop.svc.svc.svc.cluster.local', 'A'],
    answer: nxdomain,
  },
  {
    input: 'a slice before its Service, and a Service before its Namespace',
    changes: [slice(['10.244.0.1']), headless, shop],
    ask: [cart, 'A'],
    answer: ['NOERROR AA', `${cart}. 5 A 10.244.0.1`],
  },
  {
    input: 'the end of what never was, and its beginning afterwards',
    changes: [
      { type: 'service', old: headlessService() },
      { type: 'slice', old: dnsSlice(['10.244.0.9']) },
      headless,
      slice(['10.244.0.1']),
    ],
    ask: [cart, 'A'],
    answer: ['NOERROR AA', `${cart}. 5 A 10.244.0.1`],
  },
  {
    input: 'the end twice',
    changes: [
      headless,
      slice(['10.244.0.1']),
      { type: 'slice', old: dnsSlice(['10.244.0.1']) },
      { type: 'slice', old: dnsSlice(['10.244.0.1']) },
    ],
    ask: [cart, 'A'],
    answer: nxdomain,
  },
  {
    input: 'a beginning twice',
    changes: [headless, slice(['10.244.0.1']), headless, slice(['10.244.0.2'])],
    ask: [cart, 'A'],
    answer: ['NOERROR AA', `${cart}. 5 A 10.244.0.2`],
  },
];

for (const {
  input,
  changes,
  ask: [name, type],
  answer,
} of cases) {
  test(`the API has ${input}`, async () => {
    assert.deepEqual(summary(await ask(testResponder({ changes }).responder, name, type)), answer);
  });
}

test('five thousand endpoints are cut to what a message can have, over TCP too, and take turns', async () => {
  const many = Array.from({ length: 5000 }, (_, index) => `10.244.${index >> 8}.${index & 255}`);
  const { responder } = testResponder({ changes: [headless, slice(many)] });
  const message = await ask(responder, cart, 'A', { transport: 'tcp', opt: writeEdns(0, false) });
  assert.ok(message.answers.length > 4000 && (message.flags & flags.TC) !== 0);
  const other = await ask(responder, cart, 'A', { transport: 'tcp', opt: writeEdns(0, false) });
  assert.notDeepEqual(message.answers[0], other.answers[0]);
  assert.ok((await ask(responder, `_http._tcp.${cart}`, 'SRV', { transport: 'tcp' })).answers.length > 100);
});

test('endpoints of a cluster set whose names would be longer than names can be are left out of SRV', async () => {
  const imported = serviceImport('Headless');
  const labels = { 'multicluster.kubernetes.io/service-name': long, 'multicluster.kubernetes.io/source-cluster': long };
  const changes: readonly RecordChange[] = [
    { type: 'import', new: { ...imported, metadata: { name: long, namespace: long } } },
    {
      type: 'slice',
      new: {
        ...importedSlice([`10.244.0.1 host=${long}`, '10.244.0.2 host=a'], long),
        metadata: { name: 's', namespace: long, labels },
      },
    },
  ];
  const { responder } = testResponder({ changes, config: { multicluster: ['clusterset.local'] } });
  const base = `${long}.${long}.svc.clusterset.local`;
  const message = await ask(responder, `_http._tcp.${base}`, 'SRV', { transport: 'tcp' });
  assert.deepEqual(
    message.additionals.map(({ name }) => formatName(name)),
    [`a.${long}.${base}.`],
  );
  assert.equal(message.answers.length, 1);
});

test('a port whose name is too long for a label has no name, and a list of all names is whole', () => {
  const ports = [{ name: long, port: 80, protocol: 'TCP' as const }];
  const { records } = testResponder({ changes: [{ type: 'service', new: dnsService({ ports }) }] });
  const [zone] = records.zones;
  assert.ok(zone);
  for (const { name } of records.listed(zone)) assert.ok(!name.includes(`_${long}`), formatName(name));
});
