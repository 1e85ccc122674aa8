import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AskOptions } from '../fixtures.ts';
import {
  ask,
  clientPodsOf,
  dnsNamespace,
  dnsPod,
  dnsService,
  dnsSlice,
  headlessService,
  knowsNames,
  summary,
  testResponder,
} from '../fixtures.ts';
import type { TestResponderOptions } from '../fixtures.ts';
import type { RecordChange } from '../records.ts';
import { defaultCluster } from '../settings/cluster-server.ts';
import type { VisibilityRule } from '../settings/settings.ts';
import { extendedErrorsOf, writeEdns } from '../wire/edns.ts';
import { rcodes } from '../wire/types.ts';

const pod = '10.244.0.1';
const first = 'www.example.com.shop.svc.cluster.local';

const objects: readonly RecordChange[] = [
  { type: 'namespace', new: dnsNamespace() },
  { type: 'namespace', new: dnsNamespace('bank') },
  { type: 'service', new: dnsService() },
  { type: 'service', new: dnsService({ clusterIP: '10.96.0.2', clusterIPs: ['10.96.0.2'] }, 'vault', 'bank') },
];

/** Asks as a Pod of `shop` would. */
async function answer(
  name: string,
  type: string,
  options: TestResponderOptions,
  asking: AskOptions = {},
): Promise<string[]> {
  const settings = { cluster: defaultCluster, ...options.settings };
  const { responder } = testResponder({
    changes: objects,
    clientPods: clientPodsOf(dnsPod(pod)),
    ...options,
    settings,
  });
  return summary(await ask(responder, name, type, { from: pod, ...asking }));
}

const autopath = { settings: { autopath: { search: ['corp.example'] } } };
const nxdomain = ['NXDOMAIN AA', 'auth cluster.local. SOA'];

test('the first name of a search list is answered with the one that exists, A and AAAA alike', async () => {
  const resolver = knowsNames({ 'www.example.com A': '192.0.2.1' });
  assert.deepEqual(await answer(first, 'A', { ...autopath, resolver }), [
    'NOERROR',
    `${first}. 0 CNAME www.example.com.`,
    'www.example.com. 60 A 192.0.2.1',
  ]);
  assert.deepEqual(await answer(first, 'AAAA', { ...autopath, resolver }), [
    'NOERROR',
    `${first}. 0 CNAME www.example.com.`,
  ]);
});

test('names of the cluster, of the search list of the nodes, and as they stand come in this order', async () => {
  const resolver = knowsNames({ 'db.corp.example A': '192.0.2.2', 'db A': '192.0.2.3' });
  assert.deepEqual((await answer('vault.bank.shop.svc.cluster.local', 'A', { ...autopath, resolver })).slice(1), [
    'vault.bank.shop.svc.cluster.local. 0 CNAME vault.bank.svc.cluster.local.',
    'vault.bank.svc.cluster.local. 5 A 10.96.0.2',
  ]);
  assert.deepEqual((await answer('db.shop.svc.cluster.local', 'A', { ...autopath, resolver })).slice(1, 2), [
    'db.shop.svc.cluster.local. 0 CNAME db.corp.example.',
  ]);
});

test('a name of one family is taken for both, whichever is asked for first', async () => {
  const resolver = knowsNames({ 'db.corp.example AAAA': '2001:db8::1', 'db A': '192.0.2.3' });
  for (const type of ['A', 'AAAA']) {
    const [, alias] = await answer('db.shop.svc.cluster.local', type, { ...autopath, resolver });
    assert.equal(alias, 'db.shop.svc.cluster.local. 0 CNAME db.corp.example.', type);
  }
});

test('what exists as asked is answered as asked', async () => {
  assert.deepEqual(await answer('cart.shop.svc.cluster.local', 'A', autopath), [
    'NOERROR AA',
    'cart.shop.svc.cluster.local. 5 A 10.96.0.1',
  ]);
});

test('a name that exists nowhere, or whose upstream fails, is left to the search list of the asker', async () => {
  assert.deepEqual(await answer(first, 'A', { ...autopath, resolver: knowsNames({}) }), nxdomain);
  assert.deepEqual(await answer(first, 'A', autopath), nxdomain, 'without an upstream');
});

test('other types and other names are not completed', async () => {
  const resolver = knowsNames({ 'www.example.com A': '192.0.2.1', 'www.example.com TXT': '192.0.2.1' });
  assert.deepEqual(await answer(first, 'TXT', { ...autopath, resolver }), nxdomain);
  assert.deepEqual(await answer('www.example.com.svc.cluster.local', 'A', { ...autopath, resolver }), nxdomain);
});

const uncertain: readonly [who: string, pods: ReturnType<typeof clientPodsOf>][] = [
  ['nobody known', clientPodsOf()],
  ['a Pod of another namespace', clientPodsOf(dnsPod(pod, {}, 'bank'))],
  ['one of two Pods with one address', clientPodsOf(dnsPod(pod), dnsPod(pod, {}, 'shop', 'second'))],
  ['a Pod on the network of its node', clientPodsOf(dnsPod(pod, { hostNetwork: true }))],
  ['a Pod with a search list of its own', clientPodsOf(dnsPod(pod, { dnsConfig: { searches: ['a.example'] } }))],
  ['a Pod that does not look names up here', clientPodsOf(dnsPod(pod, { dnsPolicy: 'Default' }))],
];

for (const [who, clientPods] of uncertain) {
  test(`the search list of ${who} is not gone through`, async () => {
    const resolver = knowsNames({ 'www.example.com A': '192.0.2.1' });
    assert.deepEqual(await answer(first, 'A', { ...autopath, resolver, clientPods }), nxdomain);
    assert.deepEqual(resolver.asked, []);
  });
}

test('a completed answer is for its asker alone: the next asker of the name gets what is right for that', async () => {
  const resolver = knowsNames({ 'www.example.com A': '192.0.2.1' });
  const settings = { cluster: defaultCluster, ...autopath.settings };
  const { responder } = testResponder({ changes: objects, clientPods: clientPodsOf(dnsPod(pod)), resolver, settings });
  assert.equal((await ask(responder, first, 'A', { from: pod })).rcode, rcodes.NOERROR);
  assert.equal((await ask(responder, first, 'A', { from: '10.244.0.9' })).rcode, rcodes.NXDOMAIN);
});

test('policy sees every name on the way of a search list', async () => {
  const acl = [{ action: 'block', types: [], clients: [], zones: ['example.com'] }] as const;
  const resolver = knowsNames({ 'www.example.com A': '192.0.2.1' });
  const settings = { ...autopath.settings, acl };
  assert.deepEqual(await answer(first, 'A', { settings, resolver }), nxdomain);
  assert.deepEqual(resolver.asked, ['www.example.com.corp.example A']);
  const visibility: VisibilityRule[] = [{ action: 'hide', from: ['shop'], to: ['bank'] }];
  const hiding = { settings: { ...autopath.settings, visibility } };
  assert.deepEqual(await answer('vault.bank.shop.svc.cluster.local', 'A', hiding), nxdomain);
});

const hide: readonly VisibilityRule[] = [{ action: 'hide', from: ['shop'], to: ['bank'] }];
const vault = 'vault.bank.svc.cluster.local';
const ledger: readonly RecordChange[] = [
  ...objects,
  { type: 'service', new: headlessService({ clusterIPs: ['None'] }, 'cart') },
  { type: 'slice', new: dnsSlice(['10.244.7.1 host=cart-0']) },
  {
    type: 'service',
    new: dnsService({ type: 'ExternalName', externalName: vault, clusterIP: '', clusterIPs: [] }, 'safe'),
  },
];

test('names of a hidden namespace do not exist for others', async () => {
  const options = { settings: { visibility: hide } };
  const names = [vault, `_http._tcp.${vault}`, 'bank.svc.cluster.local', '10-244-0-9.bank.pod.cluster.local'];
  for (const name of names) assert.deepEqual(await answer(name, 'A', options), nxdomain, name);
  assert.deepEqual(await answer('2.0.96.10.in-addr.arpa', 'PTR', options), [
    'NXDOMAIN AA',
    'auth 96.10.in-addr.arpa. SOA',
  ]);
  assert.equal((await answer('cart.shop.svc.cluster.local', 'A', options))[0], 'NOERROR AA', 'its own do');
});

test('an alias does not lead into a hidden namespace', async () => {
  const safe = 'safe.shop.svc.cluster.local';
  const options = { settings: { visibility: hide }, changes: ledger };
  assert.deepEqual(await answer(safe, 'A', options), [
    'NXDOMAIN AA',
    `${safe}. 5 CNAME ${vault}.`,
    'auth cluster.local. SOA',
  ]);
});

test('of the names of one address only those are told that are not hidden', async () => {
  const sliceOf = (namespace: string): RecordChange => ({
    type: 'slice',
    new: dnsSlice(['10.244.7.1 host=one'], {
      metadata: { name: 's', namespace, labels: { 'kubernetes.io/service-name': 'peers' } },
    }),
  });
  const headless = headlessService({}, 'peers');
  const changes: readonly RecordChange[] = [
    { type: 'service', new: headless },
    { type: 'service', new: { ...headless, metadata: { name: 'peers', namespace: 'bank' } } },
    sliceOf('shop'),
    sliceOf('bank'),
  ];
  const asked = ['1.7.244.10.in-addr.arpa', 'PTR'] as const;
  assert.equal((await answer(...asked, { changes })).length, 3, 'both without rules');
  assert.deepEqual(await answer(...asked, { changes, settings: { visibility: hide } }), [
    'NOERROR AA',
    '1.7.244.10.in-addr.arpa. 5 PTR one.peers.shop.svc.cluster.local.',
  ]);
});

test('a hidden namespace sees itself, and others see it that no rule is about', async () => {
  const options = { settings: { visibility: hide } };
  for (const namespace of ['bank', 'else']) {
    const clientPods = clientPodsOf(dnsPod(pod, {}, namespace));
    assert.equal((await answer(vault, 'A', { ...options, clientPods })).length, 2, namespace);
  }
});

test('who is not known counts as one of those that names are hidden from', async () => {
  assert.deepEqual(await answer(vault, 'A', { settings: { visibility: hide } }, { from: '203.0.113.1' }), nxdomain);
  const clientPods = clientPodsOf(dnsPod(pod, {}, 'else'), dnsPod(pod, {}, 'else', 'second'));
  assert.deepEqual(await answer(vault, 'A', { settings: { visibility: hide }, clientPods }), nxdomain);
});

test('the first rule that fits counts', async () => {
  const visibility: VisibilityRule[] = [
    { action: 'show', from: ['shop'], to: ['bank'] },
    { action: 'hide', from: [], to: ['bank'] },
  ];
  assert.equal((await answer(vault, 'A', { settings: { visibility } })).length, 2);
  assert.deepEqual(await answer(vault, 'A', { settings: { visibility } }, { from: '10.244.0.9' }), nxdomain);
});

test('a question that is rewritten to a hidden name is denied, and nothing that was kept is given away', async () => {
  const rewrite = [{ kind: 'name', match: { kind: 'exact', text: 'v' }, to: vault, isLast: true }] as const;
  const settings = { cluster: defaultCluster, visibility: hide, rewrite };
  const clientPods = clientPodsOf(dnsPod(pod), dnsPod('10.244.0.2', {}, 'bank'));
  const { responder } = testResponder({ changes: objects, settings, clientPods });
  assert.equal((await ask(responder, vault, 'A', { from: '10.244.0.2' })).answers.length, 1);
  assert.equal((await ask(responder, vault, 'A', { from: pod })).rcode, rcodes.NXDOMAIN);
  assert.equal((await ask(responder, 'v', 'A', { from: pod })).rcode, rcodes.NXDOMAIN);
});

const dual = { 'www.example.com A': '192.0.2.1', 'www.example.com AAAA': '2001:db8::1' };

test('AAAA of outside names is not asked for where nobody has IPv6', async () => {
  const resolver = knowsNames(dual);
  const options = { settings: { aaaa: 'auto' }, resolver, hasIpv6: () => false } as const;
  assert.deepEqual(await answer('www.example.com', 'AAAA', options), ['NOERROR', 'auth . SOA']);
  assert.deepEqual(resolver.asked, []);
  assert.deepEqual(await answer('www.example.com', 'A', options), ['NOERROR', 'www.example.com. 60 A 192.0.2.1']);
  const { responder } = testResponder({ ...options, settings: { aaaa: 'auto' } });
  const message = await ask(responder, 'www.example.com', 'AAAA', { opt: writeEdns(0, false) });
  assert.equal(extendedErrorsOf(message.edns?.options ?? [])[0]?.code, 29);
});

test('it is where somebody may have, where signatures are checked, and where that is wanted', async () => {
  const real = ['NOERROR', 'www.example.com. 60 AAAA 2001:db8::1'];
  const [resolver, lacks] = [knowsNames(dual), () => false];
  const auto = { aaaa: 'auto' } as const;
  assert.deepEqual(await answer('www.example.com', 'AAAA', { settings: auto, resolver }), real);
  assert.deepEqual(
    await answer('www.example.com', 'AAAA', { settings: { aaaa: 'ask' }, resolver, hasIpv6: lacks }),
    real,
  );
  const signed = { opt: writeEdns(0, true) };
  assert.deepEqual(await answer('www.example.com', 'AAAA', { settings: auto, resolver, hasIpv6: lacks }, signed), real);
});

test('AAAA of the cluster, and of what the settings name, is answered all the same', async () => {
  const six = dnsService({ clusterIPs: ['fd00::1'] }, 'six');
  const hosts = {
    zones: ['.'],
    file: undefined,
    lines: ['fd00::7 seven.example'],
    ttlSeconds: 5,
    reverse: false,
    fallthrough: ['.'],
  };
  const options = {
    settings: { aaaa: 'none', hosts },
    changes: [...objects, { type: 'service', new: six }],
    resolver: knowsNames({}),
  } as const;
  assert.equal((await answer('six.shop.svc.cluster.local', 'AAAA', options)).length, 2);
  assert.equal((await answer('seven.example', 'AAAA', options)).length, 2);
});
