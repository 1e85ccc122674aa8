import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  dnsNamespace,
  dnsService,
  dnsSlice,
  headlessService,
  testResponder,
  type TestResponder,
  type TestResponderOptions,
} from '../fixtures.ts';
import type { RecordChange } from '../records.ts';
import { writeEdns } from '../wire/edns.ts';
import { parseName } from '../wire/names.ts';
import { writeMessage } from '../wire/writer.ts';

/** Whole numbers below `limit`, the same ones every time (xorshift). */
function numbers(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}

type Pick = (limit: number) => number;

function oneOf<T>(items: readonly T[], pick: Pick): T {
  const item = items[pick(items.length)];
  if (item === undefined) throw new RangeError('nothing to choose from');
  return item;
}

const names = `
  cart.shop.svc many.shop.svc few.shop.svc alias.shop.svc dual.shop.svc late.shop.svc
  _http._tcp.cart.shop.svc _tcp.cart.shop.svc _http._tcp.many.shop.svc _dns._udp.cart.shop.svc
  a.few.shop.svc 10-244-3-7.many.shop.svc b.few.shop.svc x.cart.shop.svc www.google.com.shop.svc
  c.cart.shop.svc 10-244-9-1.cart.shop.svc c.nothing.shop.svc
  nothing.shop.svc a.b.nothing.shop.svc cart.ghost.svc ghost.svc shop.svc svc com.shop.svc
  10-0-0-1.shop.pod 10-0-0-1.ghost.pod shop.pod pod ns.dns dns x.dns dns-version a.dns-version wrong example.com
`
  .trim()
  .split(/\s+/)
  .map((name) => `${name}.cluster.local`);
const otherNames = ['cluster.local', '1.0.96.10.in-addr.arpa', '9.9.96.10.in-addr.arpa', '7.3.244.10.in-addr.arpa'];
const allNames = [...names, ...otherNames, 'example.com', 'localhost', '.'].map((name) => parseName(name) ?? '\0');
const types = [1, 1, 1, 28, 28, 33, 255, 5, 6, 2, 12, 16, 0, 41, 250, 251, 252, 65, 65535];

/** A name in some case, as an asker against spoofing writes it (draft-vixie-dnsext-dns0x20). */
function mixed(name: string, pick: Pick): string {
  return name.replaceAll(/[a-z]/g, (letter) => (pick(2) === 0 ? letter : letter.toUpperCase()));
}

function optOf(pick: Pick): Uint8Array | undefined {
  const opt = Buffer.from(writeEdns(0, pick(2) === 0));
  opt.writeUInt16BE(oneOf([0, 512, 600, 1232, 4096, 65_535], pick), 3);
  switch (pick(8)) {
    case 0:
      return Buffer.from(writeEdns(0, false, undefined, Buffer.from('000a00080102030405060708', 'hex')));
    case 1:
      opt[6] = pick(3);
      return opt;
    case 2:
    case 3:
    case 4:
      return undefined;
    default:
      return opt;
  }
}

/** A question, of which one in four is damaged in some bytes, cut or longer. */
function questionBytes(pick: Pick): Buffer {
  const name = oneOf(allNames, pick);
  const question = {
    name: pick(3) === 0 ? mixed(name, pick) : name,
    type: oneOf(types, pick),
    class: pick(20) ? 1 : 3,
  };
  const flags = pick(4) === 0 ? pick(0x10000) & 0x07ff : 0x0100;
  const bytes = writeMessage({ id: pick(0x10000), flags, questions: [question], opt: optOf(pick) });
  if (pick(4) > 0) return bytes;
  for (let count = pick(4); count > 0; count -= 1) bytes[pick(pick(2) === 0 ? 14 : bytes.length)] = pick(256);
  if (pick(4) === 0) return bytes.subarray(0, pick(bytes.length + 1));
  return pick(4) === 0 ? Buffer.concat([bytes, Buffer.alloc(1 + pick(20), pick(256))]) : bytes;
}

const hosts = Array.from({ length: 150 }, (_, index) => `10.244.3.${index}`);
const sliceOf = (service: string, endpoints: readonly string[]): RecordChange => ({
  type: 'slice',
  new: dnsSlice(endpoints, {
    metadata: { name: `${service}-1`, namespace: 'shop', labels: { 'kubernetes.io/service-name': service } },
  }),
});
const start: readonly RecordChange[] = [
  { type: 'namespace', new: dnsNamespace() },
  { type: 'service', new: dnsService() },
  { type: 'service', new: headlessService({}, 'many') },
  { type: 'service', new: headlessService({}, 'few') },
  { type: 'service', new: dnsService({ type: 'ExternalName', externalName: 'cart.shop.svc.cluster.local' }, 'alias') },
  { type: 'service', new: dnsService({ clusterIPs: ['10.96.0.9', 'fd00::9'] }, 'dual') },
  { type: 'service', new: dnsService({ clusterIP: '10.96.0.8', clusterIPs: ['10.96.0.8'] }, 'cart', 'ghost') },
  sliceOf('many', hosts),
  sliceOf('few', ['10.244.0.1 host=a', '10.244.0.2']),
];
/** What happens while questions are asked: each changes what some name is answered. */
const changes: readonly RecordChange[] = [
  { type: 'service', new: dnsService({ clusterIP: '10.96.0.2', clusterIPs: ['10.96.0.2'] }) },
  { type: 'service', new: dnsService() },
  { type: 'service', old: dnsService() },
  { type: 'service', new: dnsService({}, 'late') },
  { type: 'service', old: dnsService({}, 'late') },
  { type: 'service', new: dnsService({}, 'com') },
  { type: 'service', old: dnsService({}, 'com') },
  { type: 'service', new: dnsService({}, 'nothing') },
  { type: 'service', old: dnsService({}, 'nothing') },
  { type: 'namespace', new: dnsNamespace('ghost') },
  { type: 'namespace', old: dnsNamespace('ghost') },
  sliceOf('few', ['10.244.0.1 host=a', '10.244.0.2 host=b', '10.244.0.7']),
  sliceOf('few', ['10.244.0.1 !ready']),
  sliceOf('few', ['10.244.0.1 host=a', '10.244.0.2']),
  sliceOf('many', hosts),
  sliceOf('cart', ['10.244.9.1', '10.244.9.2 host=c']),
  sliceOf('cart', ['10.244.9.1 !ready']),
  sliceOf('nothing', ['10.244.9.3 host=c']),
];

/** The answer of a responder in bytes; one that would come later is none. */
function answerOf({ responder }: TestResponder, packet: Buffer, isQuick: boolean): Buffer {
  const out = Buffer.alloc(1300);
  const written = isQuick ? responder.quick(packet, 0, packet.length, out, 0) : 0;
  if (written > 0) return out.subarray(0, written);
  const answered = responder.answer(packet, { transport: 'udp', address: () => '192.0.2.7' });
  if (answered === undefined || answered instanceof Promise) return Buffer.alloc(0);
  return out.subarray(0, responder.write(answered, out, 0));
}

test('200,000 questions, plain and damaged, get the same bytes with and without prebuilt answers, while names change', () => {
  const pick = numbers(20_261);
  let clockMs = 0;
  const options: TestResponderOptions = { changes: start, now: () => (clockMs += 10) };
  const quick = testResponder(options);
  const ordinary = testResponder(options);
  // This one makes every answer anew.
  ordinary.cluster.memo.get = () => undefined;
  let quickly = 0;
  for (let round = 0; round < 200_000; round += 1) {
    if (round % 100 === 0) {
      const change = oneOf(changes, pick);
      for (const { records } of [quick, ordinary]) records.apply([change], 1_700_000_000 + round);
    }
    const packet = questionBytes(pick);
    const expected = answerOf(ordinary, packet, false);
    const given = answerOf(quick, packet, true);
    if (Buffer.compare(expected, given) !== 0) {
      assert.equal(given.toString('hex'), expected.toString('hex'), `round ${round}: ${packet.toString('hex')}`);
    }
    const again = quick.responder.quick(packet, 0, packet.length, Buffer.alloc(1300), 0);
    if (again === 0) continue;
    quickly += 1;
    // Answers take turns, in both.
    answerOf(ordinary, packet, false);
  }
  assert.ok(quickly > 40_000, `only ${quickly} questions found their answer ready`);
});
