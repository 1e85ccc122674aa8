import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, dnsNamespace, dnsService, dnsSlice, summary, testResponder } from './fixtures.ts';
import { emptyServer } from './settings/cluster-server.ts';
import { readZone } from './settings/values.ts';
import { nameKey, parseKey, parseName } from './wire/names.ts';

/** Only A to Z have another case (RFC 4343 3): `Ä` and `ä` are other bytes, and the Kelvin sign is no `k`. */

const hosts = { zones: ['.'], file: undefined, ttlSeconds: 60, reverse: false, fallthrough: ['.'] };

async function codes(settings: Partial<typeof emptyServer>, ...names: readonly string[]): Promise<string[]> {
  const { responder } = testResponder({ settings: { ...emptyServer, ...settings } });
  return Promise.all(names.map(async (name) => summary(await ask(responder, name, 'A'))[0] ?? ''));
}

test('letters of ASCII fold, and nothing else does', () => {
  assert.equal(parseKey('ÄB\\067.Example'), parseName('Äbc.example'));
  assert.notEqual(parseKey('Ä.example'), parseKey('ä.example'));
  assert.notEqual(parseKey('\u212A.example'), parseKey('k.example'));
  assert.equal(parseKey('İ.example')?.charCodeAt(0), 2);
  const bytes = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code));
  for (const byte of bytes) assert.equal(nameKey(byte), /[A-Z]/.test(byte) ? byte.toLowerCase() : byte);
});

test('a zone of the settings keeps what is not ASCII as it is written', () => {
  assert.equal(readZone({ text: 'ÄB.Example.', file: 'f', line: 1 }), 'Äb.example');
});

test('a hosts line is found in any case of its ASCII letters, and only in its case of others', async () => {
  const lines = ['192.0.2.1 ÄB.example'];
  const given = { hosts: { ...hosts, lines } };
  assert.deepEqual(await codes(given, 'ÄB.example', 'Äb.EXAMPLE', 'äb.example'), [
    'NOERROR AA',
    'NOERROR AA',
    'SERVFAIL',
  ]);
});

test('a name that is not ASCII is rewritten as it is written', async () => {
  const rewrite = [
    { kind: 'name', match: { kind: 'suffix', text: 'ä.example' }, to: 'b.example', isLast: true },
  ] as const;
  const given = { rewrite, hosts: { ...hosts, lines: ['192.0.2.1 x.b.example'] } };
  assert.deepEqual(await codes(given, 'x.ä.example', 'x.Ä.example'), ['NOERROR AA', 'SERVFAIL']);
});

test('a template keeps the zone it is for as it is written', async () => {
  const template = { zones: ['Ä.example'], type: 'A', match: [], answers: ['{name} 60 IN A 192.0.2.1'] };
  const others = { authorities: [], additionals: [], rcode: 'NOERROR', fallthrough: [] };
  const given = { templates: [{ ...template, ...others }] };
  assert.deepEqual(await codes(given, 'x.Ä.EXAMPLE', 'x.ä.example'), ['NOERROR AA', 'SERVFAIL']);
});

test('a hostname of an endpoint that is not ASCII is no label: the endpoint is named by its address', async () => {
  const slice = dnsSlice(['10.244.0.5 host=šdmin']);
  const { responder } = testResponder({
    changes: [
      { type: 'namespace', new: dnsNamespace() },
      { type: 'service', new: dnsService({ clusterIP: 'None', clusterIPs: ['None'] }) },
      { type: 'slice', new: slice },
    ],
  });
  const [code, pointer] = summary(await ask(responder, '5.0.244.10.in-addr.arpa', 'PTR'));
  assert.equal(code, 'NOERROR AA');
  assert.match(pointer ?? '', / 10-244-0-5\.cart\.shop\.svc\.cluster\.local\.$/);
});
