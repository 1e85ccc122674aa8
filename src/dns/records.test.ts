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
import type { RecordChange, RecordsConfig } from './records.ts';

const ns: RecordChange = { type: 'namespace', new: dnsNamespace() };
const zone = 'cluster.local';
const cart = `cart.shop.svc.${zone}`;

const cluster: readonly RecordChange[] = [ns, { type: 'service', new: dnsService() }];
const dual: readonly RecordChange[] = [
  ns,
  { type: 'service', new: dnsService({ clusterIPs: ['10.96.0.1', 'fd00::1'] }) },
];
const headless: readonly RecordChange[] = [
  ns,
  { type: 'service', new: headlessService() },
  { type: 'slice', new: dnsSlice(['10.244.0.1 host=web-0', '10.244.0.2', '10.244.0.3 !ready']) },
  { type: 'slice', new: dnsSlice(['fd01::1 host=web-0'], {}, 'cart-2') },
];
const asleep: readonly RecordChange[] = [
  ns,
  { type: 'service', new: headlessService() },
  { type: 'slice', new: dnsSlice(['10.244.0.1 !ready']) },
];
const multi: readonly RecordChange[] = [
  ns,
  {
    type: 'service',
    new: dnsService({
      ports: [
        { name: 'http', port: 80, protocol: 'TCP' },
        { name: 'dns', port: 53, protocol: 'UDP' },
      ],
    }),
  },
];
const unnamed: readonly RecordChange[] = [ns, { type: 'service', new: dnsService({ ports: [{ port: 80 }] }) }];

const set = 'clusterset.local';
const imported: readonly RecordChange[] = [
  ns,
  { type: 'import', new: serviceImport('ClusterSetIP', ['10.42.0.1']) },
  { type: 'slice', new: importedSlice(['10.2.0.1'], 'east') },
];
const importedHeadless: readonly RecordChange[] = [
  ns,
  { type: 'import', new: serviceImport('Headless') },
  { type: 'slice', new: importedSlice(['10.2.0.1 host=web-0'], 'east') },
  { type: 'slice', new: importedSlice(['10.3.0.1 host=web-0'], 'west') },
];
const zonal: readonly RecordChange[] = [
  ns,
  { type: 'service', new: headlessService() },
  { type: 'slice', new: dnsSlice(['10.244.0.1 zone=a', '10.244.0.2 zone=B']) },
];
const podSlice: RecordChange = { type: 'slice', new: dnsSlice(['10.244.0.1 pod=cart-7f', '10.244.0.2 pod=cart.2']) };

const unsaid = dnsSlice([], { endpoints: [{ addresses: ['10.244.0.1'] }], addressType: 'IPv4' });
const twoPorts = [
  { name: 'http', port: 8080, protocol: 'TCP' },
  { name: 'dns', port: 5300, protocol: 'UDP' },
] as const;

const nxdomain = ['NXDOMAIN AA', 'auth cluster.local. SOA'];
const nodata = ['NOERROR AA', 'auth cluster.local. SOA'];

interface Case {
  readonly rule: string;
  readonly objects: readonly RecordChange[];
  readonly ask: readonly [name: string, type: string];
  readonly answer: readonly string[];
  readonly config?: Partial<RecordsConfig>;
}

const cases: readonly Case[] = [
  {
    rule: 'R1: the version of the schema',
    objects: [],
    ask: [`dns-version.${zone}`, 'TXT'],
    answer: ['NOERROR AA', `dns-version.${zone}. 28800 TXT "1.1.0"`],
  },
  { rule: 'R1: nothing else at dns-version', objects: [], ask: [`dns-version.${zone}`, 'A'], answer: nodata },
  {
    rule: 'R2: A of a cluster IP',
    objects: cluster,
    ask: [cart, 'A'],
    answer: ['NOERROR AA', `${cart}. 5 A 10.96.0.1`],
  },
  { rule: 'R2: an IPv4 Service has no AAAA, but exists', objects: cluster, ask: [cart, 'AAAA'], answer: nodata },
  {
    rule: 'R3: AAAA of a dual-stack Service',
    objects: dual,
    ask: [cart, 'AAAA'],
    answer: ['NOERROR AA', `${cart}. 5 AAAA fd00::1`],
  },
  {
    rule: 'R4: SRV of a named port, with the address',
    objects: cluster,
    ask: [`_http._tcp.${cart}`, 'SRV'],
    answer: ['NOERROR AA', `_http._tcp.${cart}. 5 SRV 0 100 80 ${cart}.`, `add ${cart}. 5 A 10.96.0.1`],
  },
  {
    rule: 'R4: the bare name answers SRV for all ports',
    objects: multi,
    ask: [cart, 'SRV'],
    answer: [
      'NOERROR AA',
      `${cart}. 5 SRV 0 50 80 ${cart}.`,
      `${cart}. 5 SRV 0 50 53 ${cart}.`,
      `add ${cart}. 5 A 10.96.0.1`,
    ],
  },
  {
    rule: 'R4: a port under the wrong protocol does not exist',
    objects: multi,
    ask: [`_http._udp.${cart}`, 'SRV'],
    answer: nxdomain,
  },
  {
    rule: 'R4: an unnamed port has no name of its own',
    objects: unnamed,
    ask: [`_._tcp.${cart}`, 'SRV'],
    answer: nxdomain,
  },
  { rule: 'R4: a named port has no address', objects: cluster, ask: [`_http._tcp.${cart}`, 'A'], answer: nodata },
  {
    rule: 'R5: PTR of a cluster IP',
    objects: cluster,
    ask: ['1.0.96.10.in-addr.arpa', 'PTR'],
    answer: ['NOERROR AA', `1.0.96.10.in-addr.arpa. 5 PTR ${cart}.`],
  },
  {
    rule: 'R5: PTR of an IPv6 cluster IP',
    objects: dual,
    ask: ['1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa', 'PTR'],
    answer: ['NOERROR AA', `1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa. 5 PTR ${cart}.`],
  },
  {
    rule: 'R6: a headless Service has its ready endpoints',
    objects: headless,
    ask: [cart, 'A'],
    answer: ['NOERROR AA', `${cart}. 5 A 10.244.0.1`, `${cart}. 5 A 10.244.0.2`],
  },
  {
    rule: 'R6: each family by itself',
    objects: headless,
    ask: [cart, 'AAAA'],
    answer: ['NOERROR AA', `${cart}. 5 AAAA fd01::1`],
  },
  {
    rule: 'R7: an endpoint by its hostname',
    objects: headless,
    ask: [`web-0.${cart}`, 'A'],
    answer: ['NOERROR AA', `web-0.${cart}. 5 A 10.244.0.1`],
  },
  {
    rule: 'R7: the same hostname in the other family',
    objects: headless,
    ask: [`web-0.${cart}`, 'AAAA'],
    answer: ['NOERROR AA', `web-0.${cart}. 5 AAAA fd01::1`],
  },
  {
    rule: 'R7: an endpoint without hostname by its dashed address',
    objects: headless,
    ask: [`10-244-0-2.${cart}`, 'A'],
    answer: ['NOERROR AA', `10-244-0-2.${cart}. 5 A 10.244.0.2`],
  },
  {
    rule: 'R7: an endpoint that is not ready has no name',
    objects: headless,
    ask: [`10-244-0-3.${cart}`, 'A'],
    answer: nxdomain,
  },
  {
    rule: 'R8: SRV of a headless Service, one for each endpoint, with target ports',
    objects: headless,
    ask: [`_http._tcp.${cart}`, 'SRV'],
    answer: [
      'NOERROR AA',
      `_http._tcp.${cart}. 5 SRV 0 50 8080 web-0.${cart}.`,
      `_http._tcp.${cart}. 5 SRV 0 50 8080 10-244-0-2.${cart}.`,
      `add web-0.${cart}. 5 A 10.244.0.1`,
      `add web-0.${cart}. 5 AAAA fd01::1`,
      `add 10-244-0-2.${cart}. 5 A 10.244.0.2`,
    ],
  },
  {
    rule: 'R9: PTR of a headless endpoint',
    objects: headless,
    ask: ['1.0.244.10.in-addr.arpa', 'PTR'],
    answer: ['NOERROR AA', `1.0.244.10.in-addr.arpa. 5 PTR web-0.${cart}.`],
  },
  {
    rule: 'R9: endpoints of Services with a cluster IP have no PTR',
    objects: [...cluster, { type: 'slice', new: dnsSlice(['10.244.0.1']) }],
    ask: ['1.0.244.10.in-addr.arpa', 'PTR'],
    answer: ['NXDOMAIN AA', 'auth 244.10.in-addr.arpa. SOA'],
  },
  {
    rule: 'R11: a headless Service without ready endpoints does not exist',
    objects: asleep,
    ask: [cart, 'A'],
    answer: nxdomain,
  },
  { rule: 'R11: nor do its ports', objects: asleep, ask: [`_http._tcp.${cart}`, 'SRV'], answer: nxdomain },
  {
    rule: 'R11: one family without endpoints is NODATA, not NXDOMAIN',
    objects: [ns, { type: 'service', new: headlessService() }, { type: 'slice', new: dnsSlice(['10.244.0.1']) }],
    ask: [cart, 'AAAA'],
    answer: nodata,
  },
  { rule: 'a Service that does not exist', objects: cluster, ask: [`nope.shop.svc.${zone}`, 'A'], answer: nxdomain },
  { rule: 'a Namespace that does not exist', objects: cluster, ask: [`cart.nope.svc.${zone}`, 'A'], answer: nxdomain },
  { rule: 'a Namespace is a name without records', objects: cluster, ask: [`shop.svc.${zone}`, 'A'], answer: nodata },
  { rule: 'an unknown Namespace is no name', objects: cluster, ask: [`nope.svc.${zone}`, 'A'], answer: nxdomain },
  { rule: 'svc is a name without records', objects: [], ask: [`svc.${zone}`, 'A'], answer: nodata },
  { rule: 'pod is a name without records', objects: [], ask: [`pod.${zone}`, 'A'], answer: nodata },
  {
    rule: 'anything else below the zone does not exist',
    objects: cluster,
    ask: [`cart.shop.${zone}`, 'A'],
    answer: nxdomain,
  },
  {
    rule: 'an endpoint of a cluster IP Service has no name',
    objects: cluster,
    ask: [`10-96-0-1.${cart}`, 'A'],
    answer: nxdomain,
  },
  {
    rule: 'names deeper than ports do not exist',
    objects: cluster,
    ask: [`x._http._tcp.${cart}`, 'A'],
    answer: nxdomain,
  },
  {
    rule: 'names are found in any case',
    objects: cluster,
    ask: ['CaRt.Shop.SVC.Cluster.LOCAL', 'A'],
    answer: ['NOERROR AA', 'CaRt.Shop.SVC.Cluster.LOCAL. 5 A 10.96.0.1'],
  },
  { rule: 'SOA at the apex', objects: [], ask: [zone, 'SOA'], answer: ['NOERROR AA', `${zone}. SOA`] },
  {
    rule: 'NS at the apex, with the address of this server',
    objects: [],
    config: { serverAddresses: ['10.96.0.10'] },
    ask: [zone, 'NS'],
    answer: ['NOERROR AA', `${zone}. 5 NS ns.dns.${zone}.`, `add ns.dns.${zone}. 5 A 10.96.0.10`],
  },
  {
    rule: 'the server has an address',
    objects: [],
    config: { serverAddresses: ['10.96.0.10'] },
    ask: [`ns.dns.${zone}`, 'A'],
    answer: ['NOERROR AA', `ns.dns.${zone}. 5 A 10.96.0.10`],
  },
  { rule: 'no address at the apex', objects: [], ask: [zone, 'A'], answer: nodata },
  {
    rule: 'a Pod name is rewritten to its address',
    objects: [ns],
    ask: [`10-244-0-9.shop.pod.${zone}`, 'A'],
    answer: ['NOERROR AA', `10-244-0-9.shop.pod.${zone}. 5 A 10.244.0.9`],
  },
  {
    rule: 'an IPv6 Pod name',
    objects: [ns],
    ask: [`fd01--9.shop.pod.${zone}`, 'AAAA'],
    answer: ['NOERROR AA', `fd01--9.shop.pod.${zone}. 5 AAAA fd01::9`],
  },
  {
    rule: 'a Pod name of the other family is NODATA',
    objects: [ns],
    ask: [`10-244-0-9.shop.pod.${zone}`, 'AAAA'],
    answer: nodata,
  },
  { rule: 'a Pod name that is no address', objects: [ns], ask: [`web.shop.pod.${zone}`, 'A'], answer: nxdomain },
  {
    rule: 'a Pod name in a Namespace that does not exist',
    objects: [],
    ask: [`10-244-0-9.shop.pod.${zone}`, 'A'],
    answer: nxdomain,
  },
  {
    rule: 'Pod names may be turned off',
    objects: [ns],
    config: { pods: 'disabled' },
    ask: [`10-244-0-9.shop.pod.${zone}`, 'A'],
    answer: nxdomain,
  },
  {
    rule: 'verified Pod names need a Pod',
    objects: [ns],
    config: { pods: 'verified' },
    ask: [`10-244-0-9.shop.pod.${zone}`, 'A'],
    answer: nxdomain,
  },
  {
    rule: 'D13: verified Pod names know all addresses of a Pod',
    objects: [
      ns,
      {
        type: 'pod',
        new: {
          metadata: { name: 'p', namespace: 'shop' },
          spec: { containers: [] },
          status: { podIP: '10.244.0.9', podIPs: [{ ip: '10.244.0.9' }, { ip: 'fd01::9' }] },
        },
      },
    ],
    config: { pods: 'verified' },
    ask: [`fd01--9.shop.pod.${zone}`, 'AAAA'],
    answer: ['NOERROR AA', `fd01--9.shop.pod.${zone}. 5 AAAA fd01::9`],
  },
  {
    rule: 'an address of the cluster without a name',
    objects: [],
    ask: ['9.9.96.10.in-addr.arpa', 'PTR'],
    answer: ['NXDOMAIN AA', 'auth 96.10.in-addr.arpa. SOA'],
  },
  {
    rule: 'D5: _tcp below a Service is an empty non-terminal',
    objects: cluster,
    ask: [`_tcp.${cart}`, 'A'],
    answer: nodata,
  },
  {
    rule: 'D5: but only for a protocol that has a named port',
    objects: cluster,
    ask: [`_udp.${cart}`, 'A'],
    answer: nxdomain,
  },
  { rule: 'D5: dns below the zone is an empty non-terminal', objects: [], ask: [`dns.${zone}`, 'A'], answer: nodata },
  {
    rule: 'D5: part of an address is an empty non-terminal',
    objects: cluster,
    ask: ['0.96.10.in-addr.arpa', 'PTR'],
    answer: ['NOERROR AA', 'auth 96.10.in-addr.arpa. SOA'],
  },
  { rule: 'D6: SOA of a name that does not exist', objects: cluster, ask: [`nope.${zone}`, 'SOA'], answer: nxdomain },
  {
    rule: 'D15: of several names for one address those with a hostname stay',
    objects: [
      ...headless,
      { type: 'service', new: headlessService({}, 'all') },
      {
        type: 'slice',
        new: dnsSlice(['10.244.0.1'], {
          metadata: { name: 'all-1', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'all' } },
        }),
      },
    ],
    ask: ['1.0.244.10.in-addr.arpa', 'PTR'],
    answer: ['NOERROR AA', `1.0.244.10.in-addr.arpa. 5 PTR web-0.${cart}.`],
  },
  {
    rule: 'D17: ANY gets one record set',
    objects: dual,
    ask: [cart, 'ANY'],
    answer: ['NOERROR AA', `${cart}. 5 A 10.96.0.1`],
  },
  {
    rule: 'R6: an endpoint that says nothing of its readiness is ready',
    objects: [ns, { type: 'service', new: headlessService() }, { type: 'slice', new: unsaid }],
    ask: [cart, 'A'],
    answer: ['NOERROR AA', `${cart}. 5 A 10.244.0.1`],
  },
  {
    rule: 'R7: several addresses under one hostname',
    objects: [
      ns,
      { type: 'service', new: headlessService() },
      { type: 'slice', new: dnsSlice(['10.244.0.1 host=web-0', '10.244.0.2 host=Web-0']) },
    ],
    ask: [`web-0.${cart}`, 'A'],
    answer: ['NOERROR AA', `web-0.${cart}. 5 A 10.244.0.1`, `web-0.${cart}. 5 A 10.244.0.2`],
  },
  {
    rule: 'R7: an IPv6 endpoint without hostname, whose address ends in colons',
    objects: [ns, { type: 'service', new: headlessService() }, { type: 'slice', new: dnsSlice(['fd01::']) }],
    ask: [`fd01--0.${cart}`, 'AAAA'],
    answer: ['NOERROR AA', `fd01--0.${cart}. 5 AAAA fd01::`],
  },
  {
    rule: 'R8: N endpoints times M ports, each once though an endpoint is in two slices',
    objects: [
      ns,
      { type: 'service', new: headlessService() },
      { type: 'slice', new: dnsSlice(['10.244.0.1 host=a', '10.244.0.2 host=b'], { ports: twoPorts }) },
      { type: 'slice', new: dnsSlice(['10.244.0.1 host=a'], { ports: twoPorts }, 'cart-2') },
    ],
    ask: [cart, 'SRV'],
    answer: [
      'NOERROR AA',
      ...['a', 'b'].flatMap((host) => [8080, 5300].map((port) => `${cart}. 5 SRV 0 25 ${port} ${host}.${cart}.`)),
      `add a.${cart}. 5 A 10.244.0.1`,
      `add b.${cart}. 5 A 10.244.0.2`,
    ],
  },
  {
    rule: 'R8: only the ports of one name',
    objects: [
      ns,
      { type: 'service', new: headlessService() },
      { type: 'slice', new: dnsSlice(['10.244.0.1 host=a'], { ports: twoPorts }) },
    ],
    ask: [`_dns._udp.${cart}`, 'SRV'],
    answer: ['NOERROR AA', `_dns._udp.${cart}. 5 SRV 0 100 5300 a.${cart}.`, `add a.${cart}. 5 A 10.244.0.1`],
  },
  {
    rule: 'R8: a headless Service without ports has addresses only',
    objects: [
      ns,
      { type: 'service', new: headlessService({ ports: [] }) },
      { type: 'slice', new: dnsSlice(['10.244.0.1'], { ports: [] }) },
    ],
    ask: [cart, 'SRV'],
    answer: nodata,
  },
  {
    rule: 'R9: PTR of an IPv6 endpoint',
    objects: headless,
    ask: [`1.${'0.'.repeat(27)}1.0.d.f.ip6.arpa`, 'PTR'],
    answer: ['NOERROR AA', `1.${'0.'.repeat(27)}1.0.d.f.ip6.arpa. 5 PTR web-0.${cart}.`],
  },
  {
    rule: 'slices of names have no addresses',
    objects: [
      ns,
      { type: 'service', new: headlessService() },
      { type: 'slice', new: dnsSlice(['db.example.com'], { addressType: 'FQDN' }) },
    ],
    ask: [cart, 'A'],
    answer: nxdomain,
  },
  {
    rule: 'a Namespace named svc is one as others are',
    objects: [
      { type: 'namespace', new: dnsNamespace('svc') },
      { type: 'service', new: dnsService({}, 'cart', 'svc') },
    ],
    ask: [`cart.svc.svc.${zone}`, 'A'],
    answer: ['NOERROR AA', `cart.svc.svc.${zone}. 5 A 10.96.0.1`],
  },
  {
    rule: 'D12: the zone of a cluster set has the version of its own schema',
    objects: [],
    config: { multicluster: [set] },
    ask: [`dns-version.${set}`, 'TXT'],
    answer: ['NOERROR AA', `dns-version.${set}. 28800 TXT "1.0.0"`],
  },
  {
    rule: 'a cluster set: address of a ServiceImport',
    objects: imported,
    config: { multicluster: [set] },
    ask: [`cart.shop.svc.${set}`, 'A'],
    answer: ['NOERROR AA', `cart.shop.svc.${set}. 5 A 10.42.0.1`],
  },
  {
    rule: 'a cluster set: SRV of a named port',
    objects: imported,
    config: { multicluster: [set] },
    ask: [`_http._tcp.cart.shop.svc.${set}`, 'SRV'],
    answer: [
      'NOERROR AA',
      `_http._tcp.cart.shop.svc.${set}. 5 SRV 0 100 80 cart.shop.svc.${set}.`,
      `add cart.shop.svc.${set}. 5 A 10.42.0.1`,
    ],
  },
  ...['east', '10-2-0-1', '10-2-0-1.east'].map((label) => ({
    rule: `a cluster set: ${label} leads to no cluster of a Service with an address of the set`,
    objects: imported,
    config: { multicluster: [set] },
    ask: [`${label}.cart.shop.svc.${set}`, 'A'] as const,
    answer: ['NXDOMAIN AA', `auth ${set}. SOA`],
  })),
  {
    rule: 'a cluster set: its addresses have no reverse names',
    objects: imported,
    config: { multicluster: [set], cidrs: ['10.42.0.0/16'] },
    ask: ['1.0.42.10.in-addr.arpa', 'PTR'],
    answer: ['NXDOMAIN AA', 'auth 42.10.in-addr.arpa. SOA'],
  },
  {
    rule: 'a cluster set: a headless ServiceImport has the endpoints of all clusters',
    objects: importedHeadless,
    config: { multicluster: [set] },
    ask: [`cart.shop.svc.${set}`, 'A'],
    answer: ['NOERROR AA', `cart.shop.svc.${set}. 5 A 10.2.0.1`, `cart.shop.svc.${set}. 5 A 10.3.0.1`],
  },
  {
    rule: 'a cluster set: endpoints have the id of their cluster in their name',
    objects: importedHeadless,
    config: { multicluster: [set] },
    ask: [`web-0.west.cart.shop.svc.${set}`, 'A'],
    answer: ['NOERROR AA', `web-0.west.cart.shop.svc.${set}. 5 A 10.3.0.1`],
  },
  {
    rule: 'a cluster set: a cluster by itself is an empty non-terminal',
    objects: importedHeadless,
    config: { multicluster: [set] },
    ask: [`west.cart.shop.svc.${set}`, 'A'],
    answer: ['NOERROR AA', `auth ${set}. SOA`],
  },
  {
    rule: 'a cluster set: SRV leads to endpoints by their cluster',
    objects: importedHeadless,
    config: { multicluster: [set] },
    ask: [`_http._tcp.cart.shop.svc.${set}`, 'SRV'],
    answer: [
      'NOERROR AA',
      `_http._tcp.cart.shop.svc.${set}. 5 SRV 0 50 8080 web-0.east.cart.shop.svc.${set}.`,
      `_http._tcp.cart.shop.svc.${set}. 5 SRV 0 50 8080 web-0.west.cart.shop.svc.${set}.`,
      `add web-0.east.cart.shop.svc.${set}. 5 A 10.2.0.1`,
      `add web-0.west.cart.shop.svc.${set}. 5 A 10.3.0.1`,
    ],
  },
  {
    rule: 'a cluster set: what is not imported does not exist',
    objects: [...cluster, { type: 'slice', new: importedSlice(['10.2.0.1'], 'east') }],
    config: { multicluster: [set] },
    ask: [`cart.shop.svc.${set}`, 'A'],
    answer: ['NXDOMAIN AA', `auth ${set}. SOA`],
  },
  {
    rule: 'topology: pin gives the endpoints of one zone',
    objects: zonal,
    config: { zonal: true },
    ask: [`b.pin._zone.${cart}`, 'A'],
    answer: ['NOERROR AA', `b.pin._zone.${cart}. 5 A 10.244.0.2`],
  },
  {
    rule: 'topology: pin in a zone without endpoints is empty',
    objects: zonal,
    config: { zonal: true },
    ask: [`c.pin._zone.${cart}`, 'A'],
    answer: nodata,
  },
  {
    rule: 'topology: prefer gives the endpoints of one zone',
    objects: zonal,
    config: { zonal: true },
    ask: [`a.prefer._zone.${cart}`, 'A'],
    answer: ['NOERROR AA', `a.prefer._zone.${cart}. 5 A 10.244.0.1`],
  },
  {
    rule: 'topology: prefer in a zone without endpoints gives all',
    objects: zonal,
    config: { zonal: true },
    ask: [`c.prefer._zone.${cart}`, 'A'],
    answer: ['NOERROR AA', `c.prefer._zone.${cart}. 5 A 10.244.0.1`, `c.prefer._zone.${cart}. 5 A 10.244.0.2`],
  },
  {
    rule: 'topology: SRV of a zone',
    objects: zonal,
    config: { zonal: true },
    ask: [`a.pin._zone.${cart}`, 'SRV'],
    answer: [
      'NOERROR AA',
      `a.pin._zone.${cart}. 5 SRV 0 100 8080 10-244-0-1.${cart}.`,
      `add 10-244-0-1.${cart}. 5 A 10.244.0.1`,
    ],
  },
  ...['_zone', 'pin._zone', 'prefer._zone'].map((label) => ({
    rule: `topology: ${label} is an empty non-terminal`,
    objects: zonal,
    config: { zonal: true },
    ask: [`${label}.${cart}`, 'A'] as const,
    answer: nodata,
  })),
  { rule: 'topology: not unless asked for', objects: zonal, ask: [`a.pin._zone.${cart}`, 'A'], answer: nxdomain },
  {
    rule: 'topology: a Service with a cluster IP has no zones',
    objects: cluster,
    config: { zonal: true },
    ask: [`a.pin._zone.${cart}`, 'A'],
    answer: nxdomain,
  },
  {
    rule: 'Services without a ready endpoint are hidden where that is wanted',
    objects: [...cluster, { type: 'slice', new: dnsSlice(['10.244.0.1 !ready']) }],
    config: { hidesEmptyServices: true },
    ask: [cart, 'A'],
    answer: nxdomain,
  },
  {
    rule: 'also their reverse names',
    objects: [...cluster, { type: 'slice', new: dnsSlice(['10.244.0.1 !ready']) }],
    config: { hidesEmptyServices: true },
    ask: ['1.0.96.10.in-addr.arpa', 'PTR'],
    answer: ['NXDOMAIN AA', 'auth 96.10.in-addr.arpa. SOA'],
  },
  {
    rule: 'but not those with one',
    objects: [...cluster, { type: 'slice', new: dnsSlice(['10.244.0.1 !ready', '10.244.0.2']) }],
    config: { hidesEmptyServices: true },
    ask: [cart, 'A'],
    answer: ['NOERROR AA', `${cart}. 5 A 10.96.0.1`],
  },
  {
    rule: 'endpoints have the names of their Pods where that is wanted',
    objects: [...cluster, { type: 'service', new: headlessService() }, podSlice],
    config: { namesEndpointsByPod: true },
    ask: [`cart-7f.${cart}`, 'A'],
    answer: ['NOERROR AA', `cart-7f.${cart}. 5 A 10.244.0.1`],
  },
  {
    rule: 'a name of a Pod that is no label gives way to the address',
    objects: [...cluster, { type: 'service', new: headlessService() }, podSlice],
    config: { namesEndpointsByPod: true },
    ask: [`10-244-0-2.${cart}`, 'A'],
    answer: ['NOERROR AA', `10-244-0-2.${cart}. 5 A 10.244.0.2`],
  },
  {
    rule: 'endpoints of a Service with a cluster IP have names as those of a headless one',
    objects: [...cluster, { type: 'slice', new: dnsSlice(['10.244.0.1 host=web-0', '10.244.0.2']) }],
    ask: [`web-0.${cart}`, 'A'],
    answer: ['NOERROR AA', `web-0.${cart}. 5 A 10.244.0.1`],
  },
  {
    rule: 'also those without a hostname',
    objects: [...cluster, { type: 'slice', new: dnsSlice(['10.244.0.1 host=web-0', '10.244.0.2']) }],
    ask: [`10-244-0-2.${cart}`, 'A'],
    answer: ['NOERROR AA', `10-244-0-2.${cart}. 5 A 10.244.0.2`],
  },
  ...[cart, `shop.svc.${zone}`, `10-244-0-9.shop.pod.${zone}`, '1.0.96.10.in-addr.arpa'].map((name) => ({
    rule: `${name} does not exist where its namespace is not shown`,
    objects: cluster,
    config: { namespaces: ['other'] },
    ask: [name, 'A'] as const,
    answer: name.endsWith('arpa') ? ['NXDOMAIN AA', 'auth 96.10.in-addr.arpa. SOA'] : nxdomain,
  })),
  {
    rule: 'and does where it is',
    objects: cluster,
    config: { namespaces: ['other', 'shop'] },
    ask: [cart, 'A'],
    answer: ['NOERROR AA', `${cart}. 5 A 10.96.0.1`],
  },
  { rule: 'a type nobody knows is NODATA', objects: cluster, ask: [cart, 'TYPE666'], answer: nodata },
];

for (const {
  rule,
  objects,
  config,
  ask: [name, type],
  answer,
} of cases) {
  test(rule, async () => {
    const { responder } = testResponder({ changes: objects, config });
    assert.deepEqual(summary(await ask(responder, name, type, { transport: 'tcp' })).slice(0, 1), answer.slice(0, 1));
    const message = await ask(responder, name, type, { transport: 'tcp' });
    assert.deepEqual(sorted(summary(message)), sorted(answer));
    // Slices before Services and Namespaces: the order in which objects come must not matter.
    const backwards = testResponder({ changes: objects.toReversed(), config });
    assert.deepEqual(sorted(summary(await ask(backwards.responder, name, type, { transport: 'tcp' }))), sorted(answer));
  });
}

/** Address records take turns, so their order says nothing. */
function sorted(lines: readonly string[]): string[] {
  return lines.toSorted();
}

test('a change is seen by the very next question, for every kind of object', async () => {
  const { responder, records } = testResponder({ changes: headless });
  const addresses = async (name: string): Promise<string[]> =>
    summary(await ask(responder, name, 'A', { transport: 'tcp' })).toSorted();
  assert.equal((await addresses(cart)).length, 3);
  records.apply([{ type: 'slice', new: dnsSlice(['10.244.0.7']) }], 1_700_000_001);
  assert.deepEqual(await addresses(cart), [`${cart}. 5 A 10.244.0.7`, 'NOERROR AA'].toSorted());
  records.apply([{ type: 'service', new: dnsService() }], 1_700_000_002);
  assert.deepEqual(await addresses(cart), [`${cart}. 5 A 10.96.0.1`, 'NOERROR AA'].toSorted());
  records.apply([{ type: 'service', old: dnsService() }], 1_700_000_003);
  assert.deepEqual(await addresses(cart), nxdomain.toSorted());
  records.apply([{ type: 'namespace', old: dnsNamespace() }], 1_700_000_004);
  assert.deepEqual(await addresses(`shop.svc.${zone}`), nxdomain.toSorted());
});

test('negative answers are kept as long as the zone says, and its SOA for five minutes at most', async () => {
  const { responder } = testResponder({ changes: cluster, config: { ttlSeconds: 3600 } });
  const { authorities } = await ask(responder, `nope.${zone}`, 'A');
  const [soa] = authorities;
  assert.equal(soa?.ttl, 300);
  assert.equal(Buffer.from(soa.rdata).readUInt32BE(soa.rdata.length - 4), 3600, 'the minimum (RFC 2308 4)');
});

test('the serial of the zone is the time of the last change that names can show', () => {
  const { records } = testResponder({ changes: cluster });
  records.apply([{ type: 'slice', new: dnsSlice(['10.244.0.7']) }], 1_700_000_001);
  assert.equal(records.serial, 1_700_000_000, 'endpoints of a Service with a cluster IP have no names');
  records.apply([{ type: 'service', new: headlessService() }], 1_700_000_002);
  assert.equal(records.serial, 1_700_000_002);
});

test('names that are not of the cluster are left to others', () => {
  const { records } = testResponder({ changes: cluster });
  for (const name of [
    '\x07example\x03com\0',
    '\x01xlocal\0',
    '\x0bfoo-cluster\x05local\0',
    '\x011\x011\x011\x011\x07in-addr\x04arpa\0',
  ]) {
    assert.equal(records.find(name).kind, 'outside', JSON.stringify(name));
  }
});
