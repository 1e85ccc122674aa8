import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, dnsService, dnsSlice, headlessService, summary, testResponder } from '../fixtures.ts';
import { createCaches } from '../../client/caches.ts';
import { createFakeApi } from '../../client/fake.ts';
import { Service } from '../../api/core/service.ts';
import { systemClock } from '../../observe/clock.ts';
import { silentLogger } from '../../observe/log.ts';
import { noSuchPath } from '../../api/errors.ts';
import { formatName, parseName } from '../wire/names.ts';
import { ExternalNames } from './external-names.ts';
import type { ExternalChange, ExternalConfig } from './external-names.ts';
import { followExternal } from './follow-external.ts';
import { Gateway, Ingress } from './kinds.ts';
import type { Route } from './kinds.ts';

const zone = 'example.org';
const web = `web.shop.${zone}`;

function names(changes: readonly ExternalChange[], config: Partial<ExternalConfig> = {}): ExternalNames {
  const all = new ExternalNames({
    zones: [zone],
    ttlSeconds: 5,
    headless: false,
    namespaces: [],
    serverAddresses: ['192.0.2.53'],
    ...config,
  });
  all.apply(changes, 1);
  return all;
}

function balanced(ingress: readonly { ip?: string; hostname?: string }[], name = 'web'): ExternalChange {
  return {
    type: 'service',
    new: { ...dnsService({ type: 'LoadBalancer' }, name), status: { loadBalancer: { ingress } } },
  };
}

const ingress = (hosts: readonly string[], ip = '192.0.2.80', name = 'front'): Ingress => ({
  metadata: { name, namespace: 'shop' },
  spec: { rules: hosts.map((host) => ({ host })) },
  status: { loadBalancer: { ingress: [{ ip }] } },
});

const gateway = (value = '192.0.2.90'): Gateway => ({
  metadata: { name: 'edge', namespace: 'infra' },
  spec: { listeners: [{ name: 'http', hostname: `*.apps.${zone}` }] },
  status: { addresses: [{ type: value.endsWith('.net') ? 'Hostname' : 'IPAddress', value }] },
});

const route = (accepted: 'True' | 'False' | 'Unknown' = 'Unknown'): Route => {
  const parentRef = { name: 'edge', namespace: 'infra' };
  const condition = { type: 'Accepted', status: accepted, reason: 'x', lastTransitionTime: '', message: '' };
  return {
    metadata: { name: 'cart', namespace: 'shop' },
    spec: { parentRefs: [parentRef], hostnames: [`cart.${zone}`, 'elsewhere.example.com'] },
    status: { parents: [{ parentRef, conditions: [condition] }] },
  };
};

const http = (change: Route): ExternalChange => ({ type: 'route', kind: 'HTTPRoute', new: change });
const nxdomain = ['NXDOMAIN AA', `auth ${zone}. SOA`];
const nodata = ['NOERROR AA', `auth ${zone}. SOA`];

const cases: readonly {
  readonly rule: string;
  readonly objects: readonly ExternalChange[];
  readonly ask: readonly [name: string, type: string];
  readonly answer: readonly string[];
  readonly config?: Partial<ExternalConfig>;
}[] = [
  {
    rule: 'the address of a load balancer',
    objects: [balanced([{ ip: '192.0.2.1' }, { ip: '2001:db8::1' }])],
    ask: [web, 'A'],
    answer: ['NOERROR AA', `${web}. 5 A 192.0.2.1`],
  },
  {
    rule: 'of both families',
    objects: [balanced([{ ip: '192.0.2.1' }, { ip: '2001:db8::1' }])],
    ask: [web, 'AAAA'],
    answer: ['NOERROR AA', `${web}. 5 AAAA 2001:db8::1`],
  },
  {
    rule: 'external IPs of a Service',
    objects: [{ type: 'service', new: dnsService({ externalIPs: ['192.0.2.7'] }, 'web') }],
    ask: [web, 'A'],
    answer: ['NOERROR AA', `${web}. 5 A 192.0.2.7`],
  },
  {
    rule: 'the name of a load balancer is an alias',
    objects: [balanced([{ hostname: 'lb.example.net' }])],
    ask: [web, 'CNAME'],
    answer: ['NOERROR AA', `${web}. 5 CNAME lb.example.net.`],
  },
  {
    rule: 'SRV of a named port',
    objects: [balanced([{ ip: '192.0.2.1' }])],
    ask: [`_http._tcp.${web}`, 'SRV'],
    answer: ['NOERROR AA', `_http._tcp.${web}. 5 SRV 0 100 80 ${web}.`, `add ${web}. 5 A 192.0.2.1`],
  },
  {
    rule: 'PTR of an outside address',
    objects: [balanced([{ ip: '192.0.2.1' }])],
    ask: ['1.2.0.192.in-addr.arpa', 'PTR'],
    answer: ['NOERROR AA', `1.2.0.192.in-addr.arpa. 5 PTR ${web}.`],
  },
  { rule: 'a Service without outside address', objects: [balanced([])], ask: [web, 'A'], answer: nxdomain },
  {
    rule: 'the namespace of a Service is an empty non-terminal',
    objects: [balanced([{ ip: '192.0.2.1' }])],
    ask: [`shop.${zone}`, 'A'],
    answer: nodata,
  },
  { rule: 'other namespaces do not exist', objects: [balanced([])], ask: [`shop.${zone}`, 'A'], answer: nxdomain },
  {
    rule: 'Pods behind a Service have no names here',
    objects: [balanced([{ ip: '192.0.2.1' }])],
    ask: [`10-244-0-1.${web}`, 'A'],
    answer: nxdomain,
  },
  {
    rule: 'namespaces that are not shown have no names here',
    objects: [balanced([{ ip: '192.0.2.1' }])],
    config: { namespaces: ['other'] },
    ask: [web, 'A'],
    answer: nxdomain,
  },
  {
    rule: 'headless Services where that is wanted',
    objects: [
      { type: 'service', new: headlessService() },
      { type: 'slice', new: dnsSlice(['10.244.0.1 host=cart-0']) },
    ],
    config: { headless: true },
    ask: [`cart-0.cart.shop.${zone}`, 'A'],
    answer: ['NOERROR AA', `cart-0.cart.shop.${zone}. 5 A 10.244.0.1`],
  },
  {
    rule: 'headless Services where that is not wanted',
    objects: [
      { type: 'service', new: headlessService() },
      { type: 'slice', new: dnsSlice(['10.244.0.1']) },
    ],
    ask: [`cart.shop.${zone}`, 'A'],
    answer: nxdomain,
  },
  {
    rule: 'NS at the apex, with the address of this server',
    objects: [],
    ask: [zone, 'NS'],
    answer: ['NOERROR AA', `${zone}. 5 NS ns.dns.${zone}.`, `add ns.dns.${zone}. 5 A 192.0.2.53`],
  },
  {
    rule: 'the host of an Ingress',
    objects: [{ type: 'ingress', new: ingress([`www.${zone}`]) }],
    ask: [`WWW.${zone}`, 'A'],
    answer: ['NOERROR AA', `WWW.${zone}. 5 A 192.0.2.80`],
  },
  {
    rule: 'a host of two Ingresses has the addresses of both',
    objects: [
      { type: 'ingress', new: ingress([`www.${zone}`]) },
      { type: 'ingress', new: ingress([`www.${zone}`], '192.0.2.81', 'other') },
    ],
    ask: [`www.${zone}`, 'A'],
    answer: ['NOERROR AA', `www.${zone}. 5 A 192.0.2.80`, `www.${zone}. 5 A 192.0.2.81`],
  },
  {
    rule: 'the names above a host are empty non-terminals',
    objects: [{ type: 'ingress', new: ingress([`a.b.${zone}`]) }],
    ask: [`b.${zone}`, 'A'],
    answer: nodata,
  },
  {
    rule: 'a host with a wildcard stands for names below it',
    objects: [{ type: 'gateway', new: gateway() }],
    ask: [`any.apps.${zone}`, 'A'],
    answer: ['NOERROR AA', `any.apps.${zone}. 5 A 192.0.2.90`],
  },
  {
    rule: 'but not for names below another host (RFC 4592)',
    objects: [
      { type: 'gateway', new: gateway() },
      { type: 'ingress', new: ingress([`b.apps.${zone}`]) },
    ],
    ask: [`a.b.apps.${zone}`, 'A'],
    answer: nxdomain,
  },
  {
    rule: 'the name of a Gateway is an alias',
    objects: [{ type: 'gateway', new: gateway('edge.example.net') }],
    ask: [`any.apps.${zone}`, 'CNAME'],
    answer: ['NOERROR AA', `any.apps.${zone}. 5 CNAME edge.example.net.`],
  },
  {
    rule: 'a hostname of a route leads to its Gateway',
    objects: [http(route('True')), { type: 'gateway', new: gateway() }],
    ask: [`cart.${zone}`, 'A'],
    answer: ['NOERROR AA', `cart.${zone}. 5 A 192.0.2.90`],
  },
  {
    rule: 'not when the Gateway has refused the route',
    objects: [http(route('False')), { type: 'gateway', new: gateway() }],
    ask: [`cart.${zone}`, 'A'],
    answer: nxdomain,
  },
  {
    rule: 'nor without the Gateway',
    objects: [http(route('True'))],
    ask: [`cart.${zone}`, 'A'],
    answer: nxdomain,
  },
];

for (const { rule, objects, ask: asked, answer, config } of cases) {
  test(rule, async () => {
    for (const order of [objects, objects.toReversed()]) {
      const { responder } = testResponder({ external: names(order, config) });
      const message = await ask(responder, asked[0], asked[1], { transport: 'tcp' });
      assert.deepEqual(summary(message).toSorted(), answer.toSorted());
    }
  });
}

test('a change is seen by the next question', async () => {
  const external = names([{ type: 'gateway', new: gateway() }, http(route()), balanced([{ ip: '192.0.2.1' }])]);
  const { responder } = testResponder({ external });
  const first = async (name: string, type = 'A'): Promise<string | undefined> =>
    summary(await ask(responder, name, type))
      .slice(0, 2)
      .join(' ');
  assert.equal(await first(`cart.${zone}`), `NOERROR AA cart.${zone}. 5 A 192.0.2.90`);
  assert.equal(await first(web), `NOERROR AA ${web}. 5 A 192.0.2.1`);
  external.apply([{ type: 'gateway', new: gateway('192.0.2.91') }, balanced([{ ip: '192.0.2.2' }])], 2);
  assert.equal(await first(`cart.${zone}`), `NOERROR AA cart.${zone}. 5 A 192.0.2.91`);
  assert.equal(await first(web), `NOERROR AA ${web}. 5 A 192.0.2.2`);
  assert.match((await first('1.2.0.192.in-addr.arpa', 'PTR')) ?? '', /^SERVFAIL|^REFUSED/);
  external.apply(
    [
      { type: 'gateway', old: gateway() },
      { type: 'route', kind: 'HTTPRoute', old: route() },
      { type: 'service', old: dnsService({}, 'web') },
    ],
    3,
  );
  for (const name of [`cart.${zone}`, web, `shop.${zone}`, `x.apps.${zone}`]) {
    assert.match((await first(name)) ?? '', /^NXDOMAIN/, name);
  }
});

test('what is missing is explained', () => {
  const external = names([balanced([{ ip: '192.0.2.1' }])]);
  const why = (name: string): string => external.why(parseName(name) ?? '\0');
  assert.match(why(`nope.shop.${zone}`), /^there is no Service shop\/nope with an outside address/);
  assert.match(why(`_x._tcp.${web}`), /^Service shop\/web has no port _x\._tcp/);
  assert.match(why(`other.${zone}`), /Namespace other has an outside address, nor is it a host/);
  assert.equal(formatName(external.zones[0]?.name ?? '\0'), `${zone}.`);
});

test('objects are followed from the API, also where it does not serve the Gateway API', async () => {
  const api = createFakeApi();
  api.intercept = ({ kind }) => (/Gateway|Route/.test(kind) ? noSuchPath() : undefined);
  await using caches = createCaches(api.client);
  api.put(Ingress, ingress([`www.${zone}`]));
  api.put(Service, { ...dnsService({ type: 'LoadBalancer', externalIPs: ['192.0.2.1'] }, 'web') });
  const external = names([]);
  using following = followExternal(external, { caches, logger: silentLogger, clock: systemClock });
  assert.equal(following.knowledge(), 'none');
  await following.synced;
  assert.equal(following.knowledge(), 'synced');
  for (const name of [web, `www.${zone}`]) assert.equal(external.find(parseName(name) ?? '\0').kind, 'data', name);
});
