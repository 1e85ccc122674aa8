import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { isolateNetwork } from '../linux/namespaces.ts';
import { dnsNamespace, dnsService, testResponder } from './fixtures.ts';
import type { Listener } from './listen/listener.ts';
import { listenTcp } from './listen/tcp.ts';
import { listenUdpBatch } from './listen/udp-batch.ts';

/**
 * The checks of ISC's genreport (RFC 8906), by Debian's dig: no flag or option of a request may break its answer, and
 * nothing unknown may be echoed.
 */
const run = promisify(execFile);
const name = 'cart.shop.svc.cluster.local';

const listeners: Listener[] = [];

before(async () => {
  isolateNetwork();
  const { responder } = testResponder({
    changes: [
      { type: 'namespace', new: dnsNamespace() },
      { type: 'service', new: dnsService() },
    ],
  });
  for (const address of ['127.0.0.1', '::1']) {
    const tcp = await listenTcp({ address, port: listeners[0]?.port ?? 0 }, responder);
    listeners.push(tcp, listenUdpBatch({ address, port: tcp.port }, responder));
  }
});

after(async () => {
  for (const listener of listeners) await listener[Symbol.asyncDispose]();
});

async function ask(...args: string[]): Promise<string> {
  const port = String(listeners[0]?.port);
  const { stdout } = await run('dig', ['-p', port, '+tries=1', '+time=3', '+noall', '+comments', '+answer', ...args]);
  return stdout;
}

interface Check {
  readonly check: string;
  readonly args: readonly string[];
  readonly status?: string;
  readonly has?: readonly RegExp[];
  readonly hasNot?: readonly RegExp[];
}

const answered = /10\.96\.0\.1/;
const plain = ['+noedns', '+noad', '+norec'];

const checks: readonly Check[] = [
  { check: 'dns', args: plain, has: [answered], hasNot: [/OPT PSEUDO/] },
  { check: 'aa', args: [...plain, '+aaflag'], has: [answered, /flags: qr aa;/] },
  { check: 'ad', args: ['+noedns', '+norec', '+ad'], has: [answered], hasNot: [/flags:.* ad/] },
  { check: 'cd', args: [...plain, '+cd'], has: [answered, /flags: qr aa cd;/] },
  { check: 'ra', args: [...plain, '+raflag'], has: [answered] },
  { check: 'rd', args: ['+noedns', '+noad', '+rec'], has: [answered, /flags: qr aa rd;/] },
  { check: 'tc', args: [...plain, '+tcflag'], has: [answered], hasNot: [/flags:.* tc/] },
  { check: 'zflag', args: [...plain, '+zflag'], has: [answered], hasNot: [/MBZ/] },
  {
    check: 'opcode',
    args: ['+noedns', '+norec', '+opcode=15', '+header-only'],
    status: 'NOTIMP',
    has: [/QUERY: 0, ANSWER: 0/],
  },
  {
    check: 'opcode with all flags',
    args: ['+noedns', '+rec', '+opcode=15', '+header-only', '+aaflag', '+ad', '+cd', '+raflag', '+tcflag', '+zflag'],
    status: 'NOTIMP',
    hasNot: [/flags:.* (tc|ad|cd)/, /MBZ/],
  },
  { check: 'header only', args: [...plain, '+header-only'], status: 'FORMERR' },
  { check: 'type666', args: [...plain, '-t', 'TYPE666'], has: [/ANSWER: 0, AUTHORITY: 1/] },
  { check: 'tcp', args: [...plain, '+tcp'], has: [answered] },
  { check: 'edns', args: ['+norec', '+edns=0', '+nocookie'], has: [answered, /EDNS: version: 0, flags:; udp: 1232/] },
  {
    check: 'edns1',
    args: ['+norec', '+edns=1', '+noednsneg', '+nocookie'],
    status: 'BADVERS',
    has: [/EDNS: version: 0/],
    hasNot: [/SOA/],
  },
  { check: 'edns@512', args: ['+norec', '+edns=0', '+nocookie', '+bufsize=512'], has: [answered] },
  { check: 'ednsopt', args: ['+norec', '+edns=0', '+nocookie', '+ednsopt=100'], has: [answered], hasNot: [/OPT=100/] },
  {
    check: 'edns1opt',
    args: ['+norec', '+edns=1', '+noednsneg', '+nocookie', '+ednsopt=100'],
    status: 'BADVERS',
    hasNot: [/OPT=100/],
  },
  { check: 'do', args: ['+norec', '+edns=0', '+nocookie', '+dnssec'], has: [answered, /flags: do;/] },
  { check: 'docd', args: ['+norec', '+edns=0', '+nocookie', '+dnssec', '+cd'], has: [answered, /flags: do;/] },
  {
    check: 'edns1do',
    args: ['+norec', '+edns=1', '+noednsneg', '+nocookie', '+dnssec'],
    status: 'BADVERS',
    has: [/flags: do;/],
  },
  { check: 'ednsflags', args: ['+norec', '+edns=0', '+nocookie', '+ednsflags=0x80'], has: [answered], hasNot: [/MBZ/] },
  {
    check: 'optlist',
    args: ['+norec', '+edns=0', '+nsid', '+subnet=0.0.0.0/0', '+expire', '+cookie'],
    has: [answered, /COOKIE: [0-9a-f]{48} \(good\)/, /NSID: .*"ns1"/],
    hasNot: [/CLIENT-SUBNET|EXPIRE/],
  },
  { check: 'ednsnsid', args: ['+norec', '+edns=0', '+nocookie', '+nsid'], has: [answered, /NSID: .*"ns1"/] },
  {
    check: 'ednscookie',
    args: ['+norec', '+edns=0', '+cookie=0102030405060708'],
    has: [answered, /COOKIE: 0102030405060708[0-9a-f]{32} \(good\)/],
  },
  { check: 'ednsexpire', args: ['+norec', '+edns=0', '+nocookie', '+expire'], has: [answered], hasNot: [/EXPIRE/] },
  {
    check: 'ednssubnet',
    args: ['+norec', '+edns=0', '+nocookie', '+subnet=192.0.2.0/24'],
    has: [answered],
    hasNot: [/CLIENT-SUBNET/],
  },
  {
    check: 'ednstcp',
    args: ['+norec', '+edns=0', '+nocookie', '+bufsize=512', '+dnssec', '+tcp'],
    has: [answered, /udp: 1232/],
  },
  { check: 'bind11', args: ['+edns=0', '+cookie', '+dnssec'], has: [answered] },
  { check: 'dig11', args: ['+edns=0', '+cookie', '+ad', '+rec'], has: [answered] },
  { check: 'class CH', args: [...plain, '-c', 'CH', '-t', 'TXT'], status: 'REFUSED' },
  { check: 'AXFR', args: [...plain, '-t', 'TYPE252'], status: 'REFUSED' },
];

const ways = ['127.0.0.1', '::1'].flatMap((address) => [[`@${address}`], [`@${address}`, '+tcp']]);

for (const { check, args, status = 'NOERROR', has = [], hasNot = [] } of checks) {
  test(`compliance: ${check}, over UDP and TCP, IPv4 and IPv6`, async () => {
    const texts = await Promise.all(ways.map((way) => ask(name, ...args, ...way)));
    for (const [index, text] of texts.entries()) {
      const way = ways[index]?.join(' ') ?? '';
      assert.match(text, new RegExp(`status: ${status},`), way);
      for (const pattern of has) assert.match(text, pattern, way);
      for (const pattern of hasNot) assert.doesNotMatch(text, pattern, way);
    }
  });
}

test('compliance: every type gets an answer or NODATA', async () => {
  const types = [
    'A',
    'NS',
    'MD',
    'MF',
    'CNAME',
    'SOA',
    'MB',
    'MG',
    'MR',
    'NULL',
    'WKS',
    'PTR',
    'HINFO',
    'MINFO',
    'MX',
    'TXT',
    'RP',
    'AFSDB',
    'X25',
    'ISDN',
    'RT',
    'NSAP',
    'SIG',
    'KEY',
    'PX',
    'GPOS',
    'AAAA',
    'LOC',
    'NXT',
    'SRV',
    'NAPTR',
    'KX',
    'CERT',
    'A6',
    'DNAME',
    'APL',
    'DS',
    'SSHFP',
    'IPSECKEY',
    'RRSIG',
    'NSEC',
    'DNSKEY',
    'DHCID',
    'NSEC3',
    'TLSA',
    'SMIMEA',
    'HIP',
    'CDS',
    'CSYNC',
    'SVCB',
    'HTTPS',
    'SPF',
    'EUI48',
    'URI',
    'CAA',
    'DLV',
  ];
  const text = await ask('@127.0.0.1', ...types.flatMap((type) => [name, type]), '+noedns');
  const statuses = [...text.matchAll(/status: (\w+)/g)].map(([, status]) => status);
  assert.equal(statuses.length, types.length);
  assert.deepEqual([...new Set(statuses)], ['NOERROR']);
});
