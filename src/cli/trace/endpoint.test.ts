import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readEndpoint, serviceEndpoint } from './endpoint.ts';

const readable: readonly [string, Record<string, unknown>][] = [
  ['10.96.0.20:80', { kind: 'address', address: '10.96.0.20', port: '80' }],
  ['10.244.0.5', { kind: 'address', address: '10.244.0.5', port: undefined }],
  ['fd00::1', { kind: 'address', address: 'fd00::1', port: undefined }],
  ['[fd00::1]:80', { kind: 'address', address: 'fd00::1', port: '80' }],
  ['hello', { kind: 'service', namespace: undefined, name: 'hello', port: undefined }],
  ['hello:http', { kind: 'service', namespace: undefined, name: 'hello', port: 'http' }],
  ['hello.shop:80', { kind: 'service', namespace: 'shop', name: 'hello', port: '80' }],
  ['shop/hello:80', { kind: 'service', namespace: 'shop', name: 'hello', port: '80' }],
  ['svc/hello', { kind: 'service', namespace: undefined, name: 'hello', port: undefined }],
  ['pod/web-1:8080', { kind: 'pod', namespace: undefined, name: 'web-1', port: '8080' }],
];

for (const [text, expected] of readable) {
  test(`${text} is understood`, () => assert.deepEqual(readEndpoint(text), expected));
}

for (const text of ['', 'a b', 'a/b/c', 'hello:']) {
  test(`"${text}" is refused`, () => assert.throws(() => readEndpoint(text), { code: 2 }));
}

for (const text of ['echo:99999', 'echo:0', '10.96.0.1:65536', '[fd00::1]:70000', 'pod/web-1:100000', 'svc/echo:00']) {
  test(`"${text}" has no port, and it is said before anything is asked`, () => {
    assert.throws(() => readEndpoint(text), { code: 2, message: /is not a port, which is a number from 1 to 65535/ });
  });
}

test('the last port is one', () => assert.equal(readEndpoint('echo:65535').port, '65535'));

const service = (spec: object) => ({ metadata: { namespace: 'shop', name: 'cart' }, spec });
const ports = [
  { name: 'http', port: 80 },
  { name: 'dns', port: 53, protocol: 'UDP' as const },
];

test('the port of a Service is its only one, a name, or a number even when it has no such port', () => {
  const find = (port: string | undefined, list = ports) => {
    const found = serviceEndpoint(service({ clusterIP: '10.96.0.20', ports: list }), port, 'TCP');
    return `${found.address}:${found.port}/${found.protocol}`;
  };
  assert.equal(find(undefined, ports.slice(0, 1)), '10.96.0.20:80/TCP');
  assert.equal(find('dns'), '10.96.0.20:53/UDP');
  assert.equal(find('81'), '10.96.0.20:81/TCP');
  assert.throws(() => find(undefined), { message: /has the ports 80 \(http\), 53 \(dns\); say which/ });
});

test('Services without an address say what clients get instead', () => {
  assert.throws(() => serviceEndpoint(service({ clusterIP: 'None' }), '80', 'TCP'), {
    hint: /fairlead dig cart -n shop/,
  });
  const alias = service({ type: 'ExternalName', externalName: 'db.example.com' });
  assert.throws(() => serviceEndpoint(alias, '80', 'TCP'), { message: /sent to db\.example\.com/ });
});
