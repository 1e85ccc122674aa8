import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Deployment } from './apps/deployment.ts';
import type { FieldValidation } from './conform.ts';
import { Pod } from './core/pod.ts';
import { Secret } from './core/secret.ts';
import { Service } from './core/service.ts';
import { decodeBody, decodeOptions, type Decoded } from './decode.ts';
import { ApiError } from './errors.ts';
import { DeleteOptions } from './meta/delete-options.ts';
import type { ApiObject } from './meta/object-meta.ts';
import { protobufMediaType, sealEnvelope } from './protobuf/envelope.ts';
import { kindOfObject } from './registry.ts';
import type { Kind } from './schema.ts';

function decode<T extends ApiObject>(
  kind: Kind<T>,
  text: string,
  validation: FieldValidation = 'Strict',
  type = 'application/json',
): Decoded<T> {
  return decodeBody(kind, Buffer.from(text), type, validation);
}

/** The message of the 400 that decoding the text answers. */
function complaint(kind: Kind, text: string, type?: string): string {
  try {
    decode(kind, text, 'Strict', type);
  } catch (error) {
    assert.ok(error instanceof ApiError && error.code === 400, String(error));
    return error.message;
  }
  throw new assert.AssertionError({ message: `accepted ${text}` });
}

const refused: readonly (readonly [string, Kind, string, string])[] = [
  [
    'an unknown field',
    Service,
    '{"spec":{"foo":1}}',
    'Service in version "v1" cannot be handled as a Service: strict decoding error: unknown field "spec.foo"',
  ],
  [
    'unknown fields in lists and at the top',
    Service,
    '{"spec":{"ports":[{"port":1,"prot":"TCP"}]},"spek":{}}',
    'Service in version "v1" cannot be handled as a Service: strict decoding error: unknown field "spec.ports[0].prot", unknown field "spek"',
  ],
  [
    'a duplicate field',
    Service,
    '{"spec":{"type":"NodePort","ports":[{"port":1,"port":2}]}}',
    'Service in version "v1" cannot be handled as a Service: strict decoding error: duplicate field "spec.ports[0].port"',
  ],
  [
    'text for a number',
    Service,
    '{"spec":{"ports":[{"port":"x"}]}}',
    'Service in version "v1" cannot be handled as a Service: json: cannot unmarshal string into Go struct field ServicePort.spec.ports.port of type int32',
  ],
  [
    'an object for a list',
    Service,
    '{"spec":{"ports":{}}}',
    'Service in version "v1" cannot be handled as a Service: json: cannot unmarshal object into Go struct field ServiceSpec.spec.ports of type []v1.ServicePort',
  ],
  [
    'a fraction for an integer',
    Service,
    '{"spec":{"ports":[{"port":1.5}]}}',
    'Service in version "v1" cannot be handled as a Service: json: cannot unmarshal number 1.5 into Go struct field ServicePort.spec.ports.port of type int32',
  ],
  [
    'a number for a label',
    Service,
    '{"metadata":{"labels":{"a":1}}}',
    'Service in version "v1" cannot be handled as a Service: json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels.a of type string',
  ],
  [
    'a bad quantity',
    Pod,
    '{"spec":{"containers":[{"name":"a","resources":{"limits":{"cpu":"lots"}}}]}}',
    `Pod in version "v1" cannot be handled as a Pod: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'`,
  ],
  [
    'another kind',
    Service,
    '{"kind":"Pod"}',
    'the object provided is unrecognized (must be of type Service): kind is Pod',
  ],
  [
    'a kind that is no text',
    Service,
    '{"kind":{"toString":null}}',
    'the object provided is unrecognized (must be of type Service): kind is {"toString":null}',
  ],
  [
    'another version',
    Service,
    '{"apiVersion":"v2"}',
    'the API version in the data (v2) does not match the expected API version (v1)',
  ],
  [
    'text',
    Service,
    '"x"',
    'Service in version "v1" cannot be handled as a Service: json: cannot unmarshal string into Go value of type v1.Service',
  ],
];

for (const [what, kind, text, message] of refused) {
  test(`${what} is refused in the words that users know`, () => assert.equal(complaint(kind, text), message));
}

test('what is no JSON, no YAML and no protobuf is answered with 400', () => {
  assert.match(complaint(Service, '{"a":'), /JSON/);
  assert.match(complaint(Service, 'a: [', 'application/yaml'), /yaml/);
  assert.match(complaint(Service, '{}', protobufMediaType), /does not appear to be a protobuf message/);
});

test('other media types are answered with 415', () => {
  assert.throws(
    () => decode(Service, '<a/>', 'Strict', 'text/xml'),
    (error) => error instanceof ApiError && error.code === 415,
  );
});

test('unknown and duplicate fields are warnings, or nothing, when the client wishes', () => {
  const text = '{"spec":{"foo":1,"type":"NodePort","type":"ClusterIP"}}';
  const warned = decode(Service, text, 'Warn');
  assert.deepEqual(warned.warnings, ['duplicate field "spec.type"', 'unknown field "spec.foo"']);
  assert.deepEqual(warned.value.spec, { type: 'ClusterIP' });
  assert.deepEqual(decode(Service, text, 'Ignore').warnings, []);
});

test('zero values that mean "unset" are dropped, those of pointers and required fields are kept', () => {
  const service = decode(
    Service,
    '{"metadata":{"creationTimestamp":null,"labels":{}},"spec":{"clusterIP":"","ports":[{"port":0,"nodePort":0}]},"status":{"loadBalancer":{}}}',
  );
  assert.deepEqual(service.value, {
    kind: 'Service',
    apiVersion: 'v1',
    metadata: {},
    spec: { ports: [{ port: 0 }] },
    status: { loadBalancer: {} },
  });
  assert.equal(decode(Deployment, '{"spec":{"replicas":0}}').value.spec.replicas, 0);
});

test('quantities and times are brought into canonical form', () => {
  const pod = decode(
    Pod,
    '{"metadata":{"creationTimestamp":"2024-01-02T03:04:05.6+01:00"},"spec":{"containers":[{"name":"a","resources":{"limits":{"cpu":2,"memory":"1024Ki"}}}]}}',
  ).value;
  assert.equal(pod.metadata.creationTimestamp, '2024-01-02T02:04:05Z');
  assert.deepEqual(pod.spec.containers[0]?.resources?.limits, { cpu: '2', memory: '1Mi' });
});

test('secrets hold base64', () => {
  assert.deepEqual(decode(Secret, '{"data":{"a":"YQ=="}}').value.data, { a: 'YQ==' });
  assert.deepEqual(decode(Secret, String.raw`{"data":{"a":"YW\nJj"}}`).value.data, { a: 'YWJj' });
  for (const bad of ['a b', 'abc', 'a===', '=abc']) {
    assert.match(complaint(Secret, JSON.stringify({ data: { a: bad } })), /illegal base64 data/, bad);
  }
});

test('YAML is read with its 1.1 words, without dates, with duplicates found', () => {
  const text = [
    'metadata:',
    '  labels: {day: "2024-01-01", "on": "yes"}',
    '  name: 2024-01-01',
    'spec:',
    '  type: a',
    '  type: NodePort',
  ].join('\n');
  const { value, warnings } = decode(Service, text, 'Warn', 'application/yaml');
  assert.deepEqual(value.metadata, { labels: { day: '2024-01-01', on: 'yes' }, name: '2024-01-01' });
  assert.equal(value.spec.type, 'NodePort');
  assert.deepEqual(warnings, ['duplicate field "spec.type"']);
});

test('YAML that would grow without end, or is nested without end, is answered with 400', () => {
  const letters = ['a', 'b', 'c', 'd', 'e'];
  const bomb = letters.map((name, index) => {
    const inner = index === 0 ? 'x' : `*${letters[index - 1]}`;
    return `${name}: &${name} [${Array.from({ length: 9 }, () => inner).join(',')}]`;
  });
  assert.match(complaint(Service, bomb.join('\n'), 'application/yaml'), /alias/);
  assert.match(complaint(Service, `a: ${'['.repeat(20_000)}`, 'application/yaml'), /yaml/i);
});

test('labels named like members of Object survive', () => {
  const { metadata } = decode(Service, '{"metadata":{"labels":{"constructor":"a","toString":"b"}}}').value;
  assert.deepEqual(Object.entries(metadata.labels ?? {}), [
    ['constructor', 'a'],
    ['toString', 'b'],
  ]);
});

test('options are decoded from JSON, and an empty body is none', () => {
  assert.deepEqual(decodeOptions(DeleteOptions, Buffer.from(''), undefined), {});
  const body = Buffer.from('{"kind":"DeleteOptions","apiVersion":"v1","propagationPolicy":"Background"}');
  assert.equal(decodeOptions(DeleteOptions, body, 'application/json').propagationPolicy, 'Background');
});

/** Bodies that kubectl 1.33 sent, with the kind they are of. */
const captured: readonly (readonly [string, string, string])[] = [
  ['configmaps', 'v1', 'ConfigMap'],
  ['deployments', 'apps/v1', 'Deployment'],
  ['namespaces', 'v1', 'Namespace'],
  ['secrets', 'v1', 'Secret'],
  ['selfsubjectaccessreviews', 'authorization.k8s.io/v1', 'SelfSubjectAccessReview'],
  ['selfsubjectreviews', 'authentication.k8s.io/v1', 'SelfSubjectReview'],
  ['selfsubjectrulesreviews', 'authorization.k8s.io/v1', 'SelfSubjectRulesReview'],
  ['serviceaccounts-token', 'authentication.k8s.io/v1', 'TokenRequest'],
  ['serviceaccounts', 'v1', 'ServiceAccount'],
  ['services', 'v1', 'Service'],
];

function readCaptured(name: string): Uint8Array {
  return readFileSync(new URL(`testdata/${name}.pb`, import.meta.url));
}

for (const [name, apiVersion, kindName] of captured) {
  test(`what kubectl sends for ${name} is decoded`, () => {
    const kind = kindOfObject(apiVersion, kindName);
    assert.ok(kind);
    const { value } = decodeBody(kind, readCaptured(name), protobufMediaType, 'Strict');
    assert.deepEqual([value.apiVersion, value.kind], [apiVersion, kindName]);
  });
}

test('a Deployment from kubectl has what was asked for and nothing that was not', () => {
  const { value } = decodeBody(Deployment, readCaptured('deployments'), protobufMediaType, 'Strict');
  assert.deepEqual(value, {
    kind: 'Deployment',
    apiVersion: 'apps/v1',
    metadata: { name: 'web', labels: { app: 'web' } },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { containers: [{ name: 'nginx', image: 'nginx:1.2', ports: [{ containerPort: 80 }] }] },
      },
    },
  });
});

test('a Service from kubectl keeps its port and its target', () => {
  const { value } = decodeBody(Service, readCaptured('services'), protobufMediaType, 'Strict');
  assert.deepEqual(value.spec, {
    type: 'NodePort',
    selector: { app: 'np' },
    ports: [{ name: '80-80', protocol: 'TCP', port: 80, targetPort: 80 }],
  });
});

test('an object without metadata has empty metadata', () => {
  assert.deepEqual(decode(Service, '{}').value.metadata, {});
  const bytes = sealEnvelope({ apiVersion: 'v1', kind: 'Service', raw: new Uint8Array() });
  assert.deepEqual(decodeBody(Service, bytes, protobufMediaType, 'Strict').value.metadata, {});
});
