import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { explain } from '../explain.ts';
import { questionOf } from '../dig.ts';
import { dnsService, dnsSlice, headlessService } from '../fixtures.ts';
import { createRecords } from '../records.ts';
import { ExternalNames } from './external-names.ts';
import type { ExternalChange } from './external-names.ts';
import type { Gateway, Ingress, Route } from './kinds.ts';

const host = fc.constantFrom('www.example.org', '*.apps.example.org', 'a.apps.example.org', 'web.shop.example.org');
const alias = fc.constantFrom('one.example.net', 'two.example.net');
const ip = fc.constantFrom('192.0.2.1', '192.0.2.2');

const service = fc
  .record({
    name: fc.constantFrom('web', 'api'),
    addresses: fc.array(
      fc.oneof(
        ip.map((each) => ({ ip: each })),
        fc.constant({ hostname: 'lb.example.net' }),
      ),
    ),
    isHeadless: fc.boolean(),
  })
  .map(({ name, addresses: ingress, isHeadless }) => ({
    ...(isHeadless ? headlessService({}, name) : dnsService({ type: 'LoadBalancer' }, name)),
    status: { loadBalancer: { ingress } },
  }));
const slice = fc
  .record({ of: fc.constantFrom('web', 'api'), address: fc.constantFrom('10.244.0.1', '10.244.0.2 host=a') })
  .map(({ of, address }) =>
    dnsSlice([address], {
      metadata: { name: `${of}-1`, namespace: 'shop', labels: { 'kubernetes.io/service-name': of } },
    }),
  );
const ingress = fc.record({ name: fc.constantFrom('one', 'two'), host, ip }).map((it): Ingress => ({
  metadata: { name: it.name, namespace: 'shop' },
  spec: { rules: [{ host: it.host }] },
  status: { loadBalancer: { ingress: [{ ip: it.ip }] } },
}));
const gateway = fc
  .record({ name: fc.constantFrom('edge', 'core'), host, value: fc.oneof(ip, alias) })
  .map((it): Gateway => ({
    metadata: { name: it.name, namespace: 'shop' },
    spec: { listeners: [{ hostname: it.host }] },
    status: { addresses: [{ type: it.value.endsWith('.net') ? 'Hostname' : 'IPAddress', value: it.value }] },
  }));
const route = fc
  .record({ name: fc.constantFrom('r', 's'), gateway: fc.constantFrom('edge', 'core'), host })
  .map((it): Route => ({
    metadata: { name: it.name, namespace: 'shop' },
    spec: { parentRefs: [{ name: it.gateway }], hostnames: [it.host] },
  }));

/** A change to an object, or that it is gone. */
const either = <T>(objects: fc.Arbitrary<T>, change: (is: { old?: T; new?: T }) => ExternalChange) =>
  fc.tuple(objects, fc.boolean()).map(([object, isGone]) => change(isGone ? { old: object } : { new: object }));

const change: fc.Arbitrary<ExternalChange> = fc.oneof(
  either(service, (it) => ({ type: 'service', ...it })),
  either(slice, (it) => ({ type: 'slice', ...it })),
  either(ingress, (it) => ({ type: 'ingress', ...it })),
  either(gateway, (it) => ({ type: 'gateway', ...it })),
  either(route, (it) => ({ type: 'route', kind: 'HTTPRoute', ...it })),
);

function leftovers(changes: readonly ExternalChange[]): ExternalChange[] {
  const left = new Map<string, ExternalChange>();
  for (const it of changes) {
    const key = `${it.type}/${(it.new ?? it.old)?.metadata.name}`;
    if (it.new) left.set(key, it);
    else left.delete(key);
  }
  return [...left.values()];
}

const questions = [
  ...[
    'www',
    'apps',
    'a.apps',
    'b.apps',
    'c.a.apps',
    'shop',
    'web.shop',
    'api.shop',
    'a.web.shop',
    '_http._tcp.web.shop',
  ].map((name) => `${name}.example.org`),
  '192.0.2.1',
  '10.244.0.1',
].flatMap((name) => (/^\d/.test(name) ? [questionOf(name)] : ['A', 'SRV'].map((type) => questionOf(name, type))));

function everything(external: ExternalNames): string[] {
  const records = createRecords({ clusterDomain: 'cluster.local' });
  return questions.map(({ name, type }) => explain({ records, external }, name, type).toSorted().join('; '));
}

test('after any changes the names are as if they had been made from the objects that are left', () => {
  fc.assert(
    fc.property(fc.boolean(), fc.array(change, { maxLength: 25 }), (headless, changes) => {
      const config = { zones: ['example.org'], ttlSeconds: 5, headless, namespaces: [], serverAddresses: [] };
      const step = new ExternalNames(config);
      for (const it of changes) step.apply([it], 1);
      const fresh = new ExternalNames(config);
      fresh.apply(leftovers(changes).toReversed(), 1);
      assert.deepEqual(everything(step), everything(fresh));
    }),
    { numRuns: 500 },
  );
});
