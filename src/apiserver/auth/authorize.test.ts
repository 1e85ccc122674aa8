import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Attributes } from './authorize.ts';
import { authorize, forbiddenMessage } from './authorize.ts';
import type { Identity } from './identity.ts';
import { anonymous, serviceAccountIdentity } from './identity.ts';

const admin: Identity = { name: 'root', groups: ['system:masters', 'system:authenticated'] };
const node: Identity = { name: 'system:node:n1', groups: ['system:nodes', 'system:authenticated'] };
const robot = serviceAccountIdentity('shop', 'robot', 'u');

function on(verb: string, resource: string, group = '', more: object = {}): Attributes {
  return { type: 'resource', verb, resource, group, namespace: 'shop', ...more };
}

const path = (name: string): Attributes => ({ type: 'path', verb: 'get', path: name });

const cases: readonly [
  who: string,
  identity: Identity,
  what: string,
  attributes: Attributes,
  allowed: boolean,
  roles?: string[],
][] = [
  ['a master', admin, 'delete secrets', on('delete', 'secrets'), true],
  ['a node', node, 'write Pod status', on('patch', 'pods', '', { subresource: 'status' }), true],
  ['a node', node, 'change Services', on('update', 'services'), false],
  ['a node', node, 'exec', on('create', 'pods', '', { subresource: 'exec' }), false],
  ['a service account', robot, 'list Services', on('list', 'services'), false],
  ['a service account', robot, 'review itself', on('create', 'selfsubjectaccessreviews', 'authorization.k8s.io'), true],
  ['a service account', robot, 'read discovery', path('/apis/apps/v1'), true],
  ['a service account', robot, 'read metrics', path('/metrics'), false],
  ['a service account with a role', robot, 'list Services', on('list', 'services'), true, ['service-discovery']],
  ['a service account with a role', robot, 'read Secrets', on('get', 'secrets'), false, ['view']],
  ['a service account with an unknown role', robot, 'list Services', on('list', 'services'), false, ['nothing']],
  ['nobody', anonymous, 'ask for health', path('/readyz'), true],
  ['nobody', anonymous, 'read discovery', path('/api'), false],
];

for (const [who, identity, what, attributes, allowed, roles = []] of cases) {
  test(`${who} may ${allowed ? '' : 'not '}${what}`, () => {
    assert.equal(authorize(identity, attributes, () => roles).allowed, allowed);
  });
}

test('a refusal reads as in Kubernetes', () => {
  assert.equal(
    forbiddenMessage(robot, on('create', 'pods', '', { subresource: 'exec' })),
    'User "system:serviceaccount:shop:robot" cannot create resource "pods/exec" in API group "" in the namespace "shop"',
  );
  assert.equal(forbiddenMessage(anonymous, path('/metrics')), 'User "system:anonymous" cannot get path "/metrics"');
});
