import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { before, test } from 'node:test';
import { formatIp } from '../lib/ip.ts';
import { isolateNetwork } from '../linux/namespaces.ts';
import { systemClock } from '../observe/clock.ts';
import { silentLogger } from '../observe/log.ts';
import { createMetrics } from '../observe/metrics.ts';
import type { SocketAddress } from './config.ts';
import { ask, clientPodsOf, dnsNamespace, dnsPod, dnsService, testResponder } from './fixtures.ts';
import { createSystemNetwork } from './forward/system-network.ts';
import { createForwarder } from './forward/forwarder.ts';
import type { RecordChange } from './records.ts';
import { recordsOf } from './reply.ts';
import type { Responder } from './responder.ts';
import { clusterServer } from './settings/cluster-server.ts';
import type { ServerSettings } from './settings/settings.ts';
import { readMessage } from './wire/message.ts';
import type { Message } from './wire/message.ts';
import { formatName } from './wire/names.ts';
import { soaRdata } from './wire/rdata.ts';
import { flags, rcodes, typeNumbers } from './wire/types.ts';
import { writeMessage } from './wire/writer.ts';

/** What a Pod of a cluster with IPv4 looks up, replayed as glibc and musl do it, against a server with and without help. */

before(() => isolateNetwork());

const { A, AAAA, SOA } = typeNumbers;
const pod = '10.244.0.1';
const nodeDomain = 'corp.example';
const search = ['shop.svc.cluster.local', 'svc.cluster.local', 'cluster.local', nodeDomain];

const outside = Array.from(
  { length: 40 },
  (_, index) => `${['api', 'www.cdn', 's3.eu-1'][index % 3]}.n${index}.example`,
);
/** Outside names that exist; all of them have addresses of both families. */
const known = new Set([...outside, `git.${nodeDomain}`]);

const objects: readonly RecordChange[] = [
  { type: 'namespace', new: dnsNamespace() },
  { type: 'namespace', new: dnsNamespace('bank') },
  ...['cart', 'web', 'queue'].map((name): RecordChange => ({ type: 'service', new: dnsService({}, name) })),
  { type: 'service', new: dnsService({}, 'vault', 'bank') },
];

/** A hundred lookups: half of outside names, the rest of the cluster in all the ways that people write its names. */
function* lookups(): Generator<string> {
  for (let index = 0; index < 48; index += 1) yield outside[(index * index) % outside.length] ?? '';
  for (let index = 0; index < 22; index += 1) yield ['cart', 'web', 'queue'][index % 3] ?? '';
  for (let index = 0; index < 14; index += 1) yield 'vault.bank';
  for (let index = 0; index < 6; index += 1) yield 'vault.bank.svc';
  for (let index = 0; index < 6; index += 1) yield 'vault.bank.svc.cluster.local';
  yield* ['git', 'git', 'typo.nowhere.example', 'nothing'];
}

interface Tally {
  asked: number;
  /** Answers without an address that the asker can use. */
  useless: number;
}

type AskName = (name: string, type: 'A' | 'AAAA') => Promise<Message>;

/** IPv4 addresses of an answer: all that this asker has a route to. */
function usable(message: Message): string[] {
  return message.answers.filter(({ type }) => type === A).map(({ rdata }) => formatIp(rdata));
}

/**
 * Looks a name up with `ndots:5` as C libraries do: A and AAAA of every candidate at once. glibc goes on after NXDOMAIN and
 * after an empty answer; musl goes on after NXDOMAIN only.
 */
async function lookUp(name: string, library: 'glibc' | 'musl', askName: AskName, tally: Tally): Promise<string> {
  const asSearched = search.map((domain) => `${name}.${domain}`);
  for (const candidate of [...asSearched, name]) {
    const both = await Promise.all([askName(candidate, 'A'), askName(candidate, 'AAAA')]);
    tally.asked += 2;
    tally.useless += both.filter((message) => usable(message).length === 0).length;
    const found = both.flatMap(usable);
    if (found.length > 0) return found.toSorted().join(' ');
    if (library === 'musl' && both.every(({ rcode }) => rcode === rcodes.NOERROR)) return 'nothing';
  }
  return 'nothing';
}

/** Others on loopback that count what they are asked, and how much of it is of no use. */
async function openUpstream(tally: Tally): Promise<{ readonly where: SocketAddress } & AsyncDisposable> {
  const socket = createSocket('udp4');
  const soa = soaRdata('\0', '\0', { serial: 1, refresh: 60, retry: 60, expire: 60, minimum: 60 });
  socket.on('message', (packet, peer) => {
    const query = readMessage(packet);
    assert.ok(!('malformed' in query));
    const [question] = query.questions;
    assert.ok(question);
    const { name, type } = question;
    const isKnown = known.has(formatName(name).slice(0, -1).toLowerCase());
    const address = new Map<number, Uint8Array>([
      [A, Uint8Array.of(192, 0, 2, 1)],
      [AAAA, Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)],
    ]).get(type);
    tally.asked += 1;
    if (!isKnown || type !== A) tally.useless += 1;
    const answers = recordsOf(name, type, 60, isKnown && address ? [address] : []);
    const authorities = answers.length > 0 ? [] : recordsOf('\0', SOA, 60, [soa]);
    const word = flags.QR | flags.RA | (isKnown ? rcodes.NOERROR : rcodes.NXDOMAIN);
    const reply = { id: query.id, flags: word, questions: query.questions, answers, authorities };
    socket.send(writeMessage(reply), peer.port, peer.address);
  });
  const bound = once(socket, 'listening');
  socket.bind(0, '127.0.0.1');
  await bound;
  return {
    where: { address: '127.0.0.1', port: socket.address().port },
    async [Symbol.asyncDispose]() {
      socket.close();
      await once(socket, 'close');
    },
  };
}

interface Replayed {
  readonly found: readonly string[];
  readonly answers: Tally;
  readonly upstream: Tally;
}

async function replay(library: 'glibc' | 'musl', help: Partial<ServerSettings>): Promise<Replayed> {
  const upstream: Tally = { asked: 0, useless: 0 };
  await using others = await openUpstream(upstream);
  const [plain] = clusterServer({ listen: [], upstreams: [others.where] }).servers;
  assert.ok(plain?.cache);
  await using resolver = createForwarder({
    forwards: plain.forwards,
    cache: plain.cache,
    logger: silentLogger,
    metrics: createMetrics(),
    labels: { server: 'dns://:53', zones: '.', view: '' },
    clock: systemClock,
    network: createSystemNetwork(),
  });
  const settings = { ...plain, aaaa: 'ask' as const, ...help };
  const clientPods = clientPodsOf(dnsPod(pod));
  using responder: Responder = testResponder({
    changes: objects,
    resolver,
    settings,
    clientPods,
    hasIpv6: () => false,
  }).responder;
  const answers: Tally = { asked: 0, useless: 0 };
  const found: string[] = [];
  for (const name of lookups()) {
    found.push(await lookUp(name, library, (each, type) => ask(responder, each, type, { from: pod }), answers));
  }
  return { found, answers, upstream };
}

const help: Partial<ServerSettings> = { aaaa: 'auto', autopath: { search: [nodeDomain] } };

for (const library of ['glibc', 'musl'] as const) {
  test(`${library} finds the same addresses with a quarter of the waste at most`, async (context) => {
    const without = await replay(library, {});
    const withHelp = await replay(library, help);
    assert.deepEqual(withHelp.found, without.found);
    assert.equal(withHelp.found.filter((each) => each !== 'nothing').length, 98);
    const waste = ({ answers, upstream }: Replayed): number => answers.useless + upstream.useless;
    const gone = 1 - waste(withHelp) / waste(without);
    context.diagnostic(`without ${JSON.stringify(without, ['answers', 'upstream', 'asked', 'useless'])}`);
    context.diagnostic(`with ${JSON.stringify(withHelp, ['answers', 'upstream', 'asked', 'useless'])}`);
    context.diagnostic(`${(gone * 100).toFixed(1)} % of the waste is gone`);
    assert.ok(gone >= 0.75, `${gone} of the waste is gone`);
    assert.ok(withHelp.upstream.useless <= without.upstream.useless, 'nothing more is asked of others');
  });
}
