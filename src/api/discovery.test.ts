import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  aggregatedDiscovery,
  apiGroup,
  apiGroupList,
  apiResourceList,
  apiVersions,
  groupVersions,
} from './discovery.ts';
import { buildOpenApiV2 } from './openapi-v2.ts';
import { buildOpenApi } from './openapi.ts';

const openApi = buildOpenApi('v1.36.0');

interface Schema {
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly [extension: `x-${string}`]: unknown;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

function documentOf(path: string): Document {
  return JSON.parse(openApi.document(path)?.body ?? 'null') as Document;
}

test('the core group comes first and every group has its documents', () => {
  assert.deepEqual(groupVersions()[0], { group: '', version: 'v1' });
  for (const { group, version } of groupVersions()) {
    assert.ok(apiResourceList({ group, version }), `${group}/${version}`);
    assert.ok(openApi.document(group === '' ? `api/${version}` : `apis/${group}/${version}`), group);
  }
});

test('what is not served has no document', () => {
  assert.equal(apiGroup('nope'), undefined);
  assert.equal(apiResourceList({ group: 'apps', version: 'v9' }), undefined);
  assert.equal(openApi.document('apis/nope/v1'), undefined);
});

test('old clients find groups and versions', () => {
  assert.deepEqual(apiVersions('10.0.0.1:6443'), {
    kind: 'APIVersions',
    versions: ['v1'],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: '10.0.0.1:6443' }],
  });
  assert.deepEqual(apiGroup('apps'), {
    kind: 'APIGroup',
    apiVersion: 'v1',
    name: 'apps',
    versions: [{ groupVersion: 'apps/v1', version: 'v1' }],
    preferredVersion: { groupVersion: 'apps/v1', version: 'v1' },
  });
  assert.match(JSON.stringify(apiGroupList()), /"name":"policy"/);
});

test('eviction is advertised as drain looks for it', () => {
  assert.match(
    JSON.stringify(apiResourceList({ group: '', version: 'v1' })),
    /\{"name":"pods\/eviction","singularName":"","namespaced":true,"group":"policy","version":"v1","kind":"Eviction","verbs":\["create"\]\}/,
  );
});

test('aggregated discovery has both versions in the same shape', () => {
  const [v2, v2beta1] = (['v2', 'v2beta1'] as const).map((version) =>
    JSON.stringify(aggregatedDiscovery('groups', version)),
  );
  assert.equal(v2, v2beta1?.replace('v2beta1', 'v2'));
  assert.match(
    v2 ?? '',
    /"subresource":"scale","responseKind":\{"group":"autoscaling","version":"v1","kind":"Scale"\}/,
  );
  assert.match(JSON.stringify(aggregatedDiscovery('core', 'v2')), /"shortNames":\["svc"\],"categories":\["all"\]/);
});

test('every reference in an OpenAPI document leads somewhere', () => {
  for (const path of Object.keys((JSON.parse(openApi.index) as { readonly paths: object }).paths)) {
    const { schemas } = documentOf(path).components;
    const references = openApi.document(path)?.body.matchAll(/"#\/components\/schemas\/([^"]+)"/g) ?? [];
    for (const [, name = ''] of references) assert.ok(Object.hasOwn(schemas, name), `${path}: ${name}`);
  }
});

test('merge keys, list types and the kind are in the documents', () => {
  const { schemas } = documentOf('api/v1').components;
  const ports = schemas['io.k8s.api.core.v1.ServiceSpec']?.properties?.['ports'];
  assert.equal(ports?.['x-kubernetes-patch-merge-key'], 'port');
  assert.deepEqual(ports?.['x-kubernetes-list-map-keys'], ['port', 'protocol']);
  assert.deepEqual(schemas['io.k8s.api.core.v1.Service']?.['x-kubernetes-group-version-kind'], [
    { group: '', version: 'v1', kind: 'Service' },
  ]);
});

test('PATCH says that it takes the parameters that kubectl looks for', () => {
  const patch = documentOf('api/v1').paths['/api/v1/namespaces/{namespace}/services/{name}']?.['patch'];
  assert.deepEqual(patch?.['x-kubernetes-group-version-kind'], { group: '', version: 'v1', kind: 'Service' });
  assert.match(JSON.stringify(patch?.['parameters']), /"dryRun".*"fieldManager".*"fieldValidation".*"force"/);
});

test('the hash in the index is that of the document', () => {
  assert.ok(openApi.index.includes(`/openapi/v3/api/v1?hash=${openApi.document('api/v1')?.hash}`));
  assert.equal(buildOpenApi('v1.36.0').index, openApi.index);
});

test('the old OpenAPI document is protobuf that begins with its version', () => {
  const bytes = Buffer.from(buildOpenApiV2('v1.36.0'));
  assert.equal(bytes.subarray(0, 5).toString('latin1'), '\n\u00032.0');
  assert.ok(bytes.includes('io.k8s.api.core.v1.ServiceSpec'));
});
