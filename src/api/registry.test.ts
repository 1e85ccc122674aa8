import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ApiObject } from './meta/object-meta.ts';
import { kindOfObject, kindOfResource, kinds, servedKinds } from './registry.ts';
import type { Field, FieldType, Message } from './schema.ts';

function reachable(): ReadonlyMap<string, Message> {
  const found = new Map<string, Message>();
  const visit = (message: Message): void => {
    if (found.has(message.name)) return;
    found.set(message.name, message);
    for (const { type } of message.byName.values()) {
      const inner: FieldType = type.type === 'list' ? type.item : type.type === 'map' ? type.value : type;
      if (inner.type === 'object') visit(inner.message);
    }
  };
  for (const kind of kinds) visit(kind.message);
  return found;
}

const messages = reachable();

function itemFields({ type }: Field): ReadonlyMap<string, Field> | undefined {
  return type.type === 'list' && type.item.type === 'object' ? type.item.message.byName : undefined;
}

test('the whole closure of the kinds is there', () => {
  assert.ok(messages.size > 220, String(messages.size));
});

test('no message uses a protobuf number twice', () => {
  for (const message of messages.values()) {
    const seen = new Set<string>();
    for (const [name, field] of message.byName) {
      if (field.number === 0) continue;
      const key = `${field.within ?? ''}/${field.number}`;
      assert.ok(!seen.has(key), `${message.name}.${name} repeats ${key}`);
      seen.add(key);
    }
  }
});

test('merge keys and map keys name fields of the elements', () => {
  for (const message of messages.values()) {
    for (const [name, field] of message.byName) {
      const keys = [...(field.mapKeys ?? []), ...(field.mergeKey === undefined ? [] : [field.mergeKey])];
      for (const key of keys) assert.ok(itemFields(field)?.has(key), `${message.name}.${name}: ${key}`);
      if (field.listType === 'map') assert.ok((field.mapKeys ?? []).length > 0, `${message.name}.${name}`);
    }
  }
});

test('the classic merge keys are right', () => {
  const ports = messages.get('core.v1.ServiceSpec')?.byName.get('ports');
  assert.equal(ports?.mergeKey, 'port');
  assert.deepEqual(ports?.mapKeys, ['port', 'protocol']);
  assert.equal(messages.get('core.v1.PodSpec')?.byName.get('containers')?.mergeKey, 'name');
  assert.equal(messages.get('core.v1.PodSpec')?.byName.get('volumes')?.strategy, 'merge,retainKeys');
  assert.equal(messages.get('core.v1.Container')?.byName.get('ports')?.mergeKey, 'containerPort');
  assert.equal(messages.get('meta.v1.LabelSelector')?.atomic, true);
  assert.equal(messages.get('apps.v1.DeploymentSpec')?.byName.get('strategy')?.strategy, 'retainKeys');
});

test('kinds are found by resource, by object and by name', () => {
  assert.equal(kindOfResource('', 'v1', 'services')?.kind, 'Service');
  assert.equal(kindOfResource('apps', 'v1', 'deployments')?.apiVersion, 'apps/v1');
  assert.equal(kindOfResource('', 'v1', 'deployments'), undefined);
  assert.equal(kindOfResource('autoscaling', 'v1', 'scales'), undefined);
  assert.equal(kindOfObject('autoscaling/v1', 'Scale')?.kind, 'Scale');
  assert.equal(kindOfObject('discovery.k8s.io/v1', 'EndpointSlice')?.plural, 'endpointslices');
});

test('columns and selectable fields work on an object that has only a name', () => {
  const bare: ApiObject & { readonly spec: object; readonly involvedObject: object; readonly addressType: string } = {
    metadata: { name: 'x' },
    spec: { containers: [] },
    involvedObject: {},
    addressType: 'IPv4',
  };
  for (const kind of servedKinds) {
    for (const column of kind.columns) {
      assert.notEqual(column.cell(bare, 0), undefined, `${kind.kind}: ${column.name}`);
    }
    for (const [name, get] of Object.entries(kind.selectableFields)) {
      assert.equal(typeof get(bare), 'string', `${kind.kind}: ${name}`);
    }
  }
});
