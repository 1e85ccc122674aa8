import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conform, hasTypes } from './conform.ts';
import { EndpointSlice } from './discovery/endpoint-slice.ts';

const slice = {
  kind: 'EndpointSlice',
  apiVersion: 'discovery.k8s.io/v1',
  metadata: { name: 'web-x', generation: 2, creationTimestamp: '2026-11-01T10:00:00Z', labels: { app: 'web' } },
  addressType: 'IPv4',
  endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready: true }, nodeName: 'node-a' }],
  ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
};

const wrong: Readonly<Record<string, object>> = {
  'a number where text belongs': { addressType: 4 },
  'text where a list belongs': { endpoints: 'none' },
  'a list where an object belongs': { metadata: [] },
  'text where a number belongs, deep inside': { ports: [{ port: '80' }] },
  'a port that is no integer': { ports: [{ port: 80.5 }] },
  'a port beyond 32 bits': { ports: [{ port: 2 ** 31 }] },
  'a number among labels': { metadata: { labels: { app: 1 } } },
  'a time that is none': { metadata: { creationTimestamp: 'yesterday' } },
};

test('an object as servers send it has the types of its message, also with fields that are not known', () => {
  assert.ok(hasTypes(EndpointSlice.message, slice));
  assert.ok(hasTypes(EndpointSlice.message, { ...slice, newerField: { any: 1 } }));
});

for (const [what, change] of Object.entries(wrong)) {
  test(`${what} is seen, and refused by what conforms`, () => {
    const object = { ...slice, ...change };
    assert.equal(hasTypes(EndpointSlice.message, object), false);
    assert.throws(() => conform(EndpointSlice.message, object), /cannot unmarshal|cannot parse/);
  });
}

test('null, which means absent, is left to what conforms', () => {
  assert.equal(hasTypes(EndpointSlice.message, { ...slice, endpoints: null }), false);
  assert.deepEqual(conform(EndpointSlice.message, { ...slice, endpoints: null }).value.endpoints, undefined);
});
