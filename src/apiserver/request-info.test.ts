import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRequest } from './request-info.ts';

const cases: readonly [method: string, url: string, expected: string][] = [
  ['GET', '/api/v1/pods', 'list /v1 pods'],
  ['GET', '/api/v1/pods?watch=true', 'watch /v1 pods'],
  ['GET', '/api/v1/pods?watch=false', 'list /v1 pods'],
  ['GET', '/api/v1/namespaces/shop/pods/a', 'get /v1 pods in shop named a'],
  ['GET', '/api/v1/namespaces/shop', 'get /v1 namespaces in shop named shop'],
  ['PUT', '/api/v1/namespaces/shop/finalize', 'update /v1 namespaces in shop named shop sub finalize'],
  ['POST', '/apis/apps/v1/namespaces/shop/deployments', 'create apps/v1 deployments in shop'],
  ['PATCH', '/apis/apps/v1/namespaces/shop/deployments/w/scale', 'patch apps/v1 deployments in shop named w sub scale'],
  ['DELETE', '/api/v1/namespaces/shop/pods', 'deletecollection /v1 pods in shop'],
  ['DELETE', '/api/v1/namespaces/shop/pods/a', 'delete /v1 pods in shop named a'],
  ['GET', '/api/v1', 'path get /api/v1'],
  ['GET', '/apis/apps/v1', 'path get /apis/apps/v1'],
  ['GET', '/healthz', 'path get /healthz'],
];

for (const [method, url, expected] of cases) {
  test(`${method} ${url} is ${expected}`, () => {
    const parsed = new URL(url, 'https://x');
    const info = parseRequest(method, parsed.pathname, parsed.searchParams);
    assert.equal(describe(info), expected);
  });
}

function describe(info: ReturnType<typeof parseRequest>): string {
  if (info.type === 'path') return `path ${info.verb} ${info.path}`;
  const { verb, group, version, resource, namespace, name, subresource } = info;
  const parts = [namespace && `in ${namespace}`, name && `named ${name}`, subresource && `sub ${subresource}`];
  return [verb, `${group}/${version}`, resource, ...parts.filter(Boolean)].join(' ');
}
