import assert from 'node:assert/strict';
import type { Client, Transport } from '../../../src/dns/client.ts';
import {
  dnsNamespace,
  dnsPod,
  dnsService,
  dnsSlice,
  headlessService,
  testResponder,
} from '../../../src/dns/fixtures.ts';
import type { Answered, Responder } from '../../../src/dns/responder.ts';
import { Signer } from '../../../src/dns/transfer/tsig.ts';
import { readMessage } from '../../../src/dns/wire/message.ts';
import type { Message } from '../../../src/dns/wire/message.ts';
import { parseName } from '../../../src/dns/wire/names.ts';
import type { Name } from '../../../src/dns/wire/names.ts';
import { soaRdata } from '../../../src/dns/wire/rdata.ts';
import { flags, rcodeName, typeNumbers } from '../../../src/dns/wire/types.ts';
import { writeMessage } from '../../../src/dns/wire/writer.ts';
import { mutatePacket, randomName, randomOpt } from '../dns-packets.ts';
import type { Random } from '../random.ts';
import type { Target } from '../target.ts';

const names = [
  'cart.shop.svc.cluster.local',
  'many.shop.svc.cluster.local',
  '_http._tcp.many.shop.svc.cluster.local',
  'shop.svc.cluster.local',
  'cluster.local',
  'dns-version.cluster.local',
  'nope.shop.svc.cluster.local',
  '10-244-3-7.shop.pod.cluster.local',
  '1.0.96.10.in-addr.arpa',
  'a.hosts.example',
  'one.template.example',
  'old.example',
  'example.com',
  'localhost',
  'version.bind',
].map((text) => parseName(text) ?? '\0');

const { A, AAAA, SRV, PTR, SOA, NS, ANY, AXFR, IXFR, OPT, CNAME, TXT } = typeNumbers;
const types = [A, A, AAAA, AAAA, SRV, PTR, SOA, NS, ANY, AXFR, IXFR, OPT, CNAME, TXT, 0, 65_535];
const key = { name: 'fuzz', algorithm: 'hmac-sha256', secret: 'c2VjcmV0' } as const;
const nowSeconds = 1_700_000_000;

const cluster = [
  { type: 'namespace', new: dnsNamespace() },
  { type: 'service', new: dnsService() },
  { type: 'service', new: headlessService({}, 'many') },
  {
    type: 'slice',
    new: dnsSlice(
      Array.from({ length: 150 }, (_, index) => `10.244.3.${index}`),
      { metadata: { name: 'many-1', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'many' } } },
    ),
  },
  { type: 'pod', new: dnsPod('10.244.3.7') },
] as const;

/** The cluster alone: plain questions are answered straight from their packets. */
const plain = testResponder({ changes: [...cluster] }).responder;
/** With a handler of every kind that needs nobody else. */
const whole = testResponder({
  changes: [...cluster],
  hasIpv6: () => false,
  settings: {
    rewrite: [{ kind: 'name', match: { kind: 'suffix', text: 'old.example' }, to: 'hosts.example', isLast: true }],
    acl: [{ action: 'block', types: ['TXT'], clients: ['192.0.2.0/24'], zones: ['example.com'] }],
    dns64: { prefix: '64:ff9b::/96', translateAll: false, allowIpv4: true },
    minimal: true,
    hosts: {
      zones: ['.'],
      file: undefined,
      lines: ['192.0.2.9 a.hosts.example'],
      ttlSeconds: 60,
      reverse: true,
      fallthrough: ['.'],
    },
    templates: [
      {
        zones: ['template.example'],
        type: 'ANY',
        match: ['^(?<word>[^.]*)\\.'],
        answers: ['{name} 60 IN A 192.0.2.1', '{name} 60 IN TXT "{word}"'],
        authorities: [],
        additionals: [],
        rcode: 'NOERROR',
        fallthrough: [],
      },
    ],
    aaaa: 'auto',
    transfer: [{ zones: ['cluster.local'], clients: ['192.0.2.0/24'], notify: [], keys: [key] }],
  },
}).responder;

/** Questions to the responder of a cluster, and what it answers to each, over UDP and streams. */
export const dnsQuery: Target = {
  name: 'dns-query',
  form: 'bytes',
  generate: randomQuery,
  mutate: mutatePacket,
  check(packet) {
    const responder = packet.length > 1 && ((packet[1] ?? 0) & 3) === 0 ? whole : plain;
    const kind = checkTransport(responder, packet, 'udp');
    if (((packet[1] ?? 0) & 12) !== 0) return kind;
    return typeof kind === 'string' ? checkTransport(responder, packet, 'tcp') : kind;
  },
};

function questionName(random: Random): Name {
  return random.oneIn(8) ? randomName(random) : random.pick(names);
}

function randomQuery(random: Random): Buffer {
  const name = questionName(random);
  const type = random.pick(types);
  const of = random.oneIn(16) ? random.pick([0, 3, 4, 254, 255]) : 1;
  const soa = { name, type: SOA, class: 1, ttl: 0, rdata: soaRdata(name, name, soaNumbers(random)) };
  const packet = writeMessage({
    id: random.next() & 0xffff,
    flags: (random.oneIn(2) ? flags.RD : 0) | (random.oneIn(8) ? flags.CD : 0),
    questions: random.oneIn(32) ? [] : [{ name, type, class: of }],
    authorities: type === IXFR ? [soa] : [],
    opt: random.oneIn(2) ? randomOpt(random) : undefined,
  });
  if (!random.oneIn(64)) return packet;
  return new Signer({ ...key, secret: random.oneIn(4) ? '' : key.secret }).sign(packet, nowSeconds + random.below(400));
}

function soaNumbers(random: Random) {
  return { serial: random.next(), refresh: 1, retry: 1, expire: 1, minimum: 1 };
}

function clientOf(transport: Transport): Client {
  return { transport, address: () => '192.0.2.7' };
}

const clients = { udp: clientOf('udp'), tcp: clientOf('tcp') };
const out = Buffer.alloc(70_000);
const quickOut = Buffer.alloc(1300);

function checkTransport(responder: Responder, packet: Buffer, transport: 'udp' | 'tcp'): string | Promise<string> {
  const answered = responder.answer(packet, clients[transport]);
  if (answered instanceof Promise) return answered.then((late) => checkAnswer(responder, packet, late, transport));
  const kind = checkAnswer(responder, packet, answered, transport);
  if (transport === 'udp') checkQuick(responder, packet, answered);
  return kind;
}

function isResponse(packet: Buffer): boolean {
  return packet.length < 12 || (packet.readUInt16BE(2) & flags.QR) !== 0;
}

function checkAnswer(
  responder: Responder,
  packet: Buffer,
  answered: Answered | undefined,
  transport: 'udp' | 'tcp',
): string {
  if (answered === undefined) return 'no answer';
  assert.ok(!isResponse(packet), 'an answer gets no answer');
  if (answered.reply.transfer !== undefined) return checkTransfer(responder, packet, answered);
  const length = responder.write(answered, out, 0);
  assert.ok(length <= responder.size(answered), 'the answer is longer than was said before');
  const message = checkReply(packet, out.subarray(0, length));
  assert.ok(length <= limitOf(packet, message, transport), `${length} bytes are too many for the asker`);
  return kindOf(message);
}

/** What both kinds of answers have in common. */
function checkReply(packet: Buffer, bytes: Buffer): Message {
  const message = readMessage(bytes);
  if ('malformed' in message)
    throw new Error(`the answer is malformed: ${message.malformed}: ${bytes.toString('hex')}`);
  const word = packet.readUInt16BE(2);
  assert.equal(message.id, packet.readUInt16BE(0));
  assert.ok((message.flags & flags.QR) !== 0, 'the answer is marked as one');
  assert.equal(message.flags & 0x7800, word & 0x7800, 'the answer has the opcode of the question');
  const [question, more] = message.questions;
  assert.ok(more === undefined, 'there is one question at most');
  if (question !== undefined) {
    const asked = packet.subarray(12, 12 + question.name.length + 4);
    assert.deepEqual(bytes.subarray(12, 12 + asked.length), asked, 'the question is repeated as it was');
  }
  if (message.edns === undefined) assert.ok(message.rcode < 16, 'codes from 16 on need EDNS');
  return message;
}

/** An asker without EDNS takes 512 bytes; RFC 6891 lets nobody take less. Streams carry 64 KiB. */
function limitOf(packet: Buffer, message: Message, transport: 'udp' | 'tcp'): number {
  if (transport === 'tcp') return 65_535;
  if (message.edns === undefined) return 512;
  const asked = readMessage(packet);
  const size = 'malformed' in asked ? 1232 : (asked.edns?.udpSize ?? 512);
  return Math.min(1232, Math.max(512, size));
}

/** Only the first messages: a mutation does not change the zone. */
function checkTransfer(responder: Responder, packet: Buffer, answered: Answered): string {
  let count = 0;
  for (const bytes of responder.messages(answered)) {
    checkReply(packet, bytes);
    assert.ok(bytes.length <= 65_535, 'a message of a transfer fits a frame');
    count += 1;
  }
  return `transfer of ${Math.min(count, 3)} messages`;
}

function kindOf({ rcode, flags: word, edns, answers, authorities, questions }: Message): string {
  const marks = (word & (flags.AA | flags.TC)).toString(16);
  const options = [...new Set((edns?.options ?? []).map(({ code }) => code))].sort().join();
  const some = (list: readonly unknown[]): number => Math.min(list.length, 2);
  return `${rcodeName(rcode)} ${marks} ${some(questions)}${some(answers)}${some(authorities)} ${edns ? `edns ${options}` : ''}`;
}

/** The answer straight from the packet is the ordinary one but for the turn of its addresses. */
function checkQuick(responder: Responder, packet: Buffer, answered: Answered | undefined): void {
  quickOut.fill(0xee, 1232);
  const length = responder.quick(packet, 0, packet.length, quickOut, 0);
  if (length === 0) return;
  assert.ok(
    quickOut.subarray(1232).every((byte) => byte === 0xee),
    'nothing is written behind the answer',
  );
  assert.ok(answered !== undefined, 'the ordinary path would not have answered');
  const ordinary = responder.write(answered, out, 0);
  // The reader copies the identifier and the question where they stand in the request.
  assert.equal(length, ordinary, 'both answers have one length');
  const quick = quickOut.subarray(0, length);
  const sorted = (bytes: Buffer): string => Buffer.from(bytes).sort().toString('hex');
  assert.ok(quick.subarray(0, 12).equals(out.subarray(0, 12)), 'both answers have one header');
  assert.equal(sorted(quick), sorted(out.subarray(0, length)), 'both answers say the same');
}
