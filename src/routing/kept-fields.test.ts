import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Service } from '../api/core/service.ts';
import { EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import { testService, testSlice } from './fixtures.ts';
import { keepForRouting } from './kept-fields.ts';
import { createRouter } from './router.ts';

const service = testService(
  {
    type: 'LoadBalancer',
    selector: { app: 'cart' },
    sessionAffinity: 'ClientIP',
    trafficDistribution: 'PreferSameZone',
  },
  {
    labels: { app: 'cart' },
    annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}', other: 'kept' },
    managedFields: [{ manager: 'kubectl' }],
  },
  { loadBalancer: { ingress: [{ ip: '203.0.113.1' }] } },
);
const slice = testSlice(
  ['10.0.0.1 @a pod=cart-1 zone=x', '10.0.0.2 @b !ready pod=cart-2', '10.0.0.3 terminating'],
  {},
  { ownerReferences: [{ apiVersion: 'v1', kind: 'Service', name: 'cart', uid: 'u' }] },
);

test('routing decides the same from what is kept', () => {
  const [whole, kept] = [createRouter({ nodeName: 'a' }), createRouter({ nodeName: 'a' })];
  whole.apply({ type: 'service', new: service }, { type: 'slice', new: slice });
  kept.apply(
    { type: 'service', new: keepForRouting(Service, service) },
    { type: 'slice', new: keepForRouting(EndpointSlice, slice) },
  );
  assert.ok([...whole.frontends()].length > 0);
  assert.deepEqual([...kept.frontends()], [...whole.frontends()]);
});

test('what nobody reads is not kept, and the objects stay as they were', () => {
  const { metadata, spec } = keepForRouting(Service, service);
  assert.deepEqual(metadata.annotations, { other: 'kept' });
  assert.equal(metadata.managedFields, undefined);
  assert.equal(spec?.selector, undefined);
  assert.equal(keepForRouting(EndpointSlice, slice).metadata.ownerReferences, undefined);
  assert.ok(service.spec?.selector !== undefined && slice.metadata.ownerReferences !== undefined);
});

test('equal conditions are one object', () => {
  const { endpoints } = keepForRouting(EndpointSlice, testSlice(['10.0.0.1', '10.0.0.2']));
  assert.ok(endpoints?.[0]?.conditions === endpoints?.[1]?.conditions);
});

test('an object that is not of its type is kept as it is, for whoever says so', () => {
  const wrong = JSON.parse('{"metadata":{"name":"x"},"endpoints":[null]}') as EndpointSlice;
  assert.equal(keepForRouting(EndpointSlice, wrong), wrong);
});
