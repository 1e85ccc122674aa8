import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Client } from '../../client/client.ts';
import { isolateNetwork } from '../../linux/namespaces.ts';
import { silentLogger } from '../../observe/log.ts';
import { createMetrics } from '../../observe/metrics.ts';
import type { Dns, SocketAddress } from '../config.ts';
import { questionOf } from '../dig.ts';
import { dnsNamespace, dnsService, dnsSlice, headlessService, testCaches } from '../fixtures.ts';
import { formatRecord } from '../presentation.ts';
import { startDns } from '../run.ts';
import { clusterServer } from '../settings/cluster-server.ts';
import type { TsigKey } from '../settings/settings.ts';
import { readMessage } from '../wire/message.ts';
import type { ResourceRecord } from '../wire/message.ts';
import { flags, rcodeName, typeNumbers } from '../wire/types.ts';
import { writeMessage } from '../wire/writer.ts';
import { questionsNear } from './generated-questions.ts';
import type { Asked } from './generated-questions.ts';
import { startKnot, startNsd } from './other-servers.ts';

const key: TsigKey = { name: 'away', algorithm: 'hmac-sha256', secret: 'c2VjcmV0IHNlY3JldCBzZWNyZXQ=' };
const cluster = 'cluster.local';
const reverse = '96.10.in-addr.arpa';
const zones = [cluster, reverse, 'example'];

/** Everything that RFC 1034 4.3.2 knows: aliases, wildcards, delegations, DNAME, names that only have names below them. */
const fileZone = `$ORIGIN example.
$TTL 300
@       SOA ns hostmaster 7 3600 600 86400 60
@       NS ns
@       MX 10 mail
@       TXT "one" "two"
ns      A 192.0.2.1
ns      AAAA 2001:db8::1
mail    A 192.0.2.2
www     CNAME web
web     A 192.0.2.3
web     A 192.0.2.4
loop    CNAME loop2
loop2   CNAME loop
away    CNAME www.elsewhere.
nowhere CNAME missing.deep
*.wild  A 192.0.2.5
*.wild  TXT "any"
a.wild  A 192.0.2.6
below.b.wild A 192.0.2.7
*.alias CNAME web
x.y.deep A 192.0.2.8
sub     NS ns.sub
sub     NS ns
ns.sub  A 192.0.2.9
old     DNAME new
web.new A 192.0.2.10
_sip._udp SRV 1 2 5060 mail
`;

let folder: string;
let dns: Dns;
const objects = testCaches({} as Client);
const stack = new AsyncDisposableStack();
const peers = { knot: { address: '127.0.0.1', port: 5301 }, nsd: { address: '127.0.0.1', port: 5302 } };
const primary = { address: '127.0.0.1', port: 5300 };

before(async () => {
  isolateNetwork();
  folder = await mkdtemp(join(tmpdir(), 'differential-'));
  await writeFile(join(folder, 'example.zone'), fileZone);
  const settings = clusterServer({ listen: [primary], cidrs: ['10.96.0.0/16'] });
  const transfer = [{ zones: ['.'], clients: [], notify: Object.values(peers), keys: [key] }];
  const files = [{ path: join(folder, 'example.zone'), zones: ['example'], reloadSeconds: 0 }];
  dns = await startDns({
    client: {} as Client,
    caches: objects.caches,
    settings: { ...settings, servers: settings.servers.map((server) => ({ ...server, transfer, files })) },
    logger: silentLogger,
    metrics: createMetrics(),
  });
  fill();
  await dns.synced;
  const options = { zones, primary, key };
  stack.use(await startKnot({ ...options, at: peers.knot, folder: join(folder, 'knot') }));
  stack.use(await startNsd({ ...options, at: peers.nsd, folder: join(folder, 'nsd') }));
  for (const zone of zones) await untilSame(zone);
});

after(async () => {
  await stack.disposeAsync();
  await dns[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** A hundred Services of every kind, in two of three Namespaces. */
function fill(): void {
  objects.namespace.apply(['shop', 'other', 'empty'].map((name) => ({ type: 'ADDED', object: dnsNamespace(name) })));
  const ports = [
    { name: 'http', port: 80, protocol: 'TCP' as const },
    { name: 'dns', port: 53, protocol: 'UDP' as const },
    { port: 99, protocol: 'TCP' as const },
  ];
  const services = Array.from({ length: 60 }, (_, index) => {
    const ips = [`10.96.1.${index}`, ...(index % 3 === 0 ? [`fd00::${index}`] : [])];
    return dnsService(
      { clusterIP: ips[0], clusterIPs: ips, ports },
      `svc-${index}`,
      index % 2 === 0 ? 'shop' : 'other',
    );
  });
  const alias = (name: string, externalName: string) => dnsService({ type: 'ExternalName', externalName }, name);
  objects.service.apply(
    [
      ...services,
      ...['many', 'few', 'none'].map((name) => headlessService({ ports }, name)),
      alias('outside', 'www.example.com'),
      alias('inside', 'svc-0.shop.svc.cluster.local'),
      alias('chain', 'inside.shop.svc.cluster.local'),
      alias('dangling', 'missing.shop.svc.cluster.local'),
      alias('file', 'www.example'),
      alias('ring', 'ring2.shop.svc.cluster.local'),
      alias('ring2', 'ring.shop.svc.cluster.local'),
    ].map((object) => ({ type: 'ADDED', object })),
  );
  const slice = (owner: string, endpoints: readonly string[], name = owner) =>
    dnsSlice(endpoints, { metadata: { name, namespace: 'shop', labels: { 'kubernetes.io/service-name': owner } } });
  objects.slice.apply(
    [
      slice('many', ['10.244.0.1 host=a', '10.244.0.2 host=b', '10.244.0.3', '10.244.0.4 !ready', '10.244.0.5 host=a']),
      slice('many', ['fd00:1::1 host=a', 'fd00:1::2'], 'many-6'),
      slice('few', ['10.96.0.77']),
      slice('none', ['10.244.0.9 !ready']),
      slice('svc-0', ['10.244.0.1', '10.244.0.2 host=named']),
    ].map((object) => ({ type: 'ADDED', object })),
  );
  objects.sync();
}

/** What must be the same everywhere. */
interface Said {
  readonly rcode: string;
  readonly isAuthoritative: boolean;
  readonly answers: readonly string[];
  readonly soa: string;
  readonly referral: readonly string[];
}

/** Asks one server many questions, some hundred at once; an answer that does not come is asked for again. */
async function askAll(questions: readonly Asked[], { address, port }: SocketAddress): Promise<Said[]> {
  const socket = createSocket('udp4');
  const said: Said[] = [];
  const opt = Buffer.from([0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0]);
  for (let start = 0; start < questions.length; start += 100) {
    const some = questions.slice(start, start + 100);
    const left = new Set(some.keys());
    const onMessage = (packet: Buffer): void => {
      const id = packet.readUInt16BE(0);
      if (left.delete(id)) said[start + id] = saidIn(packet);
      if (left.size === 0) socket.emit('whole');
    };
    socket.on('message', onMessage);
    for (let tries = 0; left.size > 0; tries += 1) {
      assert.ok(tries < 5, `port ${port} does not answer ${JSON.stringify(some[[...left][0] ?? 0])}`);
      const whole = once(socket, 'whole', { signal: AbortSignal.timeout(2000) }).catch(() => undefined);
      for (const id of left) {
        const { name, type } = some[id] ?? { name: '.', type: 'A' };
        socket.send(writeMessage({ id, flags: 0, questions: [questionOf(name, type)], opt }), port, address);
      }
      await whole;
    }
    socket.off('message', onMessage);
  }
  socket.close();
  return said;
}

function saidIn(packet: Buffer): Said {
  const message = readMessage(packet);
  assert.ok(!('malformed' in message));
  assert.equal(message.flags & flags.TC, 0, 'an answer was cut');
  const texts = (records: readonly ResourceRecord[], type?: number): string[] =>
    records
      .filter((record) => type === undefined || record.type === type)
      .map((record) => formatRecord(record, ' ').toLowerCase())
      .sort();
  const isAuthoritative = (message.flags & flags.AA) !== 0;
  const isReferral = !isAuthoritative && message.answers.length === 0;
  return {
    rcode: rcodeName(message.rcode),
    isAuthoritative,
    answers: texts(message.answers),
    soa: texts(message.authorities, typeNumbers.SOA).join(),
    referral: isReferral ? texts(message.authorities, typeNumbers.NS) : [],
  };
}

/** Resolves once both have the zone that we have now. */
async function untilSame(zone: string): Promise<void> {
  const soaOf = async (at: SocketAddress) => (await askAll([{ name: zone, type: 'SOA' }], at))[0]?.answers.join();
  const deadline = Date.now() + 20_000;
  for (const at of Object.values(peers)) {
    while ((await soaOf(at)) !== (await soaOf(primary))) {
      assert.ok(Date.now() < deadline, `port ${at.port} does not have ${zone}: ${await soaOf(at)}`);
      await wait(50);
    }
  }
}

/** Where we answer something else than a server that only has the records of the zone, and why. */
const explained: readonly {
  readonly why: string;
  readonly fits: (asked: Asked, ours: Said, theirs: Said) => boolean;
}[] = [
  {
    why: 'Namespaces, `pod` and parts of addresses exist without a record below them, which a transfer cannot say',
    fits: ({ name }, ours, theirs) =>
      /^((empty\.svc|(\w+\.)?pod)\.cluster\.local|(\d+\.)?96\.10\.in-addr\.arpa)$/.test(name) &&
      theirs.rcode === 'NXDOMAIN' &&
      ours.rcode === 'NOERROR' &&
      ours.answers.length === 0 &&
      ours.soa === theirs.soa,
  },
  {
    why: 'names of Pods, and of endpoints of Services with a cluster IP, are made when they are asked for',
    fits: ({ name }, ours, theirs) =>
      /^([\w-]+\.\w+\.pod|(10-244-0-1|named)\.svc-0\.shop\.svc)\.cluster\.local$/.test(name) &&
      theirs.rcode === 'NXDOMAIN' &&
      ours.rcode === 'NOERROR',
  },
  {
    why: 'ANY gets one set of records, any, not all (RFC 8482 4.1)',
    fits: ({ type }, ours, theirs) =>
      type === 'ANY' && ours.answers.length > 0 && theirs.answers.length > 0 && ours.rcode === theirs.rcode,
  },
  {
    why: 'an alias that leads into another zone of ours is followed (RFC 1034 4.3.2), as NSD does; Knot leaves it to who asks',
    fits: ({ name }, ours, theirs) =>
      name === 'file.shop.svc.cluster.local' &&
      theirs.answers.length === 1 &&
      ours.rcode === theirs.rcode &&
      ours.answers.includes(theirs.answers[0] ?? ''),
  },
  {
    why: 'aliases that lead back to themselves are an error (RFC 1034 3.6.2)',
    fits: ({ name }, ours, theirs) =>
      /^(loop|ring)2?\./.test(name) &&
      ours.rcode === 'SERVFAIL' &&
      ours.answers.every((record) => theirs.answers.includes(record)),
  },
];

test('Knot and NSD answer 30,000 questions from the zones that they got from us as we do, or it is known why not', async () => {
  const existing = await transferredNames();
  assert.ok(existing.length > 200, `${existing.length} names`);
  const questions = questionsNear(existing, zones, 30_000);
  const ours = await askAll(questions, primary);
  for (const [peer, at] of Object.entries(peers)) {
    const theirs = await askAll(questions, at);
    const differences = new Map<string, string>();
    let explainedCount = 0;
    for (const [index, asked] of questions.entries()) {
      const [our, their] = [ours[index], theirs[index]];
      assert.ok(our && their);
      if (JSON.stringify(our) === JSON.stringify(their)) continue;
      const lower = { ...asked, name: asked.name.toLowerCase() };
      if (explained.some(({ fits }) => fits(lower, our, their))) explainedCount += 1;
      else
        differences.set(
          `${lower.name} ${asked.type}`,
          `ours ${JSON.stringify(our)}\n  ${peer} ${JSON.stringify(their)}`,
        );
    }
    const shown = [...differences].slice(0, 40).map(([asked, both]) => `${asked}\n  ${both}`);
    assert.equal(differences.size, 0, `${differences.size} unexplained:\n${shown.join('\n')}`);
    assert.ok(explainedCount > 0 && explainedCount < questions.length / 20, `${explainedCount} explained`);
  }
});

/** Names with records in the zones, as Debian's dig gets them. */
async function transferredNames(): Promise<string[]> {
  const found = new Set<string>();
  for (const zone of zones) {
    const server = [
      `@${primary.address}`,
      '-p',
      String(primary.port),
      '-y',
      `${key.algorithm}:${key.name}:${key.secret}`,
    ];
    const { stdout } = await promisify(execFile)('dig', [...server, zone, 'AXFR', '+noall', '+answer']);
    for (const [name = ''] of stdout.matchAll(/^\S+(?=\.\s)/gm)) if (name.endsWith(zone)) found.add(name);
  }
  return [...found];
}

test('a change reaches Knot and NSD by NOTIFY', async () => {
  const soa = async () => (await askAll([{ name: cluster, type: 'SOA' }], primary))[0]?.answers.join();
  const known = await soa();
  const service = dnsService({ clusterIP: '10.96.9.9', clusterIPs: ['10.96.9.9'] }, 'fresh');
  objects.service.apply([
    { type: 'ADDED', object: { ...service, metadata: { ...service.metadata, resourceVersion: '9' } } },
  ]);
  assert.notEqual(await soa(), known);
  await untilSame(cluster);
  for (const at of Object.values(peers)) {
    const [said] = await askAll([{ name: 'fresh.shop.svc.cluster.local', type: 'A' }], at);
    assert.deepEqual(said?.answers, ['fresh.shop.svc.cluster.local. 5 in a 10.96.9.9']);
  }
});
