import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Endpoint, EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import { packSlices } from './slice-packing.ts';
import type { EndpointGroup, SliceTemplate } from './slice-packing.ts';

const template: SliceTemplate = {
  namespace: 'default',
  generateName: 'web-',
  ownerReference: { apiVersion: 'v1', kind: 'Service', name: 'web', uid: 'u', controller: true },
  labels: { 'kubernetes.io/service-name': 'web' },
  maxEndpoints: 3,
};
const ports = [{ name: '', protocol: 'TCP' as const, port: 80 }];

function endpoint(address: string, ready = true): Endpoint {
  return { addresses: [address], conditions: { ready } };
}

function group(addresses: readonly string[]): EndpointGroup {
  return { addressType: 'IPv4', ports, endpoints: addresses.map((address) => endpoint(address)) };
}

function slice(name: string, addresses: readonly string[]): EndpointSlice {
  const { namespace, labels, ownerReference } = template;
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name, namespace, labels, ownerReferences: [ownerReference] },
    addressType: 'IPv4',
    ports,
    endpoints: addresses.map((address) => endpoint(address)),
  };
}

/** `name: a b c`, one line a slice. */
function show(slices: readonly EndpointSlice[]): string[] {
  return slices.map(({ metadata, endpoints = [] }) => {
    return `${metadata.name ?? 'new'}: ${endpoints.map(({ addresses }) => addresses[0]).join(' ')}`.trim();
  });
}

const cases = [
  {
    title: 'nothing to do writes nothing',
    existing: { s1: ['a', 'b'] },
    desired: ['b', 'a'],
    create: [],
    update: [],
    delete: [],
  },
  {
    title: 'a change stays in its slice, and new ones fill slices that change anyway',
    existing: { s1: ['a', 'b', 'c'], s2: ['d', 'e'] },
    desired: ['a', 'b', 'd', 'e', 'x'],
    create: [],
    update: ['s1: a b x'],
    delete: [],
  },
  {
    title: 'new ones go to the slice they fit closest',
    existing: { s1: ['a'], s2: ['b', 'c'] },
    desired: ['a', 'b', 'c', 'x'],
    create: [],
    update: ['s2: b c x'],
    delete: [],
  },
  {
    title: 'what does not fit gets a new slice',
    existing: { s1: ['a', 'b', 'c'] },
    desired: ['a', 'b', 'c', 'x'],
    create: ['new: x'],
    update: [],
    delete: [],
  },
  {
    title: 'a slice that lost all is deleted when another stays',
    existing: { s1: ['a'], s2: ['b'] },
    desired: ['a'],
    create: [],
    update: [],
    delete: ['s2: b'],
  },
  {
    title: 'the last slice stays as the placeholder',
    existing: { s1: ['a'], s2: ['b'] },
    desired: [],
    create: [],
    update: ['s1:'],
    delete: ['s2: b'],
  },
  { title: 'nothing at all makes a placeholder', existing: {}, desired: [], create: ['new:'], update: [], delete: [] },
];

for (const { title, existing, desired, ...expected } of cases) {
  test(title, () => {
    const slices = Object.entries(existing).map(([name, addresses]) => slice(name, addresses));
    const changes = packSlices(slices, [group(desired)], template);
    const shown = { create: show(changes.create), update: show(changes.update), delete: show(changes.delete) };
    assert.deepEqual(shown, expected);
  });
}

test('a slice of other ports is turned into the one that is needed', () => {
  const other = { ...slice('s1', ['a']), ports: [{ name: '', protocol: 'TCP' as const, port: 81 }] };
  const changes = packSlices([other], [group(['a'])], template);
  assert.deepEqual([changes.create, show(changes.update), changes.delete], [[], ['s1: a'], []]);
  assert.equal(changes.update[0]?.ports?.[0]?.port, 80);
});

test('labels alone are a reason to write, and foreign annotations stay', () => {
  const old = slice('s1', ['a']);
  const annotated = { ...old, metadata: { ...old.metadata, labels: {}, annotations: { mine: 'x', trigger: 'old' } } };
  const annotations = { trigger: undefined };
  const { update } = packSlices([annotated], [group(['a'])], { ...template, annotations });
  assert.deepEqual(update[0]?.metadata.labels, template.labels);
  assert.deepEqual(update[0]?.metadata.annotations, { mine: 'x' });
});

test('after packing every endpoint is shown once, in no slice too large, and a second pass writes nothing', () => {
  const names = fc.uniqueArray(
    fc.integer({ min: 1, max: 40 }).map((n) => `10.0.0.${n}`),
    { maxLength: 20 },
  );
  const before = fc.array(
    fc.uniqueArray(
      fc.integer({ min: 1, max: 40 }).map((n) => `10.0.0.${n}`),
      { maxLength: 3 },
    ),
    {
      maxLength: 6,
    },
  );
  fc.assert(
    fc.property(names, before, (desired, old) => {
      const existing = old.map((addresses, index) => slice(`s${index}`, addresses));
      const changes = packSlices(existing, [group(desired)], template);
      const touched = new Set([...changes.update, ...changes.delete].map(({ metadata }) => metadata.name));
      const untouched = existing.filter(({ metadata }) => !touched.has(metadata.name));
      const created = changes.create.map((each, index) => ({
        ...each,
        metadata: { ...each.metadata, name: `c${index}` },
      }));
      const after = [...untouched, ...changes.update, ...created];
      const shown = after.flatMap(({ endpoints = [] }) => endpoints.map(({ addresses }) => addresses[0]));
      assert.deepEqual(shown.sort(), [...desired].sort());
      assert.ok(after.every(({ endpoints = [] }) => endpoints.length <= 3));
      assert.ok(after.length > 0);
      const again = packSlices(after, [group(desired)], template);
      assert.deepEqual(again, { create: [], update: [], delete: [] });
    }),
  );
});
