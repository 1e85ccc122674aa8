import assert from 'node:assert/strict';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { createServer, request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { test } from 'node:test';
import { AppsV1Api, CoreV1Api, KubeConfig, makeInformer, Watch } from '@kubernetes/client-node';
import { createMemoryStore } from '../store/memory.ts';
import { openSqliteStore } from '../store/sqlite.ts';
import { createAuthority, issueCertificate } from './pki/certificate.ts';
import type { Json } from './testing/fixture.ts';
import { callHttps, credentialsIn, startHttps, temporaryFolder } from './testing/https-fixture.ts';

function clientOf(kubeconfig: string): KubeConfig {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  return config;
}

async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('a client of another make creates, reads, lists and deletes', async () => {
  await using folder = await temporaryFolder();
  await using store = createMemoryStore();
  await using server = await startHttps(folder.path, store);
  const core = clientOf(server.kubeconfig).makeApiClient(CoreV1Api);
  const made = await core.createNamespacedConfigMap({
    namespace: 'default',
    body: { metadata: { name: 'a' }, data: { x: '1' } },
  });
  assert.ok(made.metadata?.uid);
  const found = await core.readNamespacedConfigMap({ namespace: 'default', name: 'a' });
  assert.deepEqual(found.data, { x: '1' });
  const namespaces = await core.listNamespace();
  assert.deepEqual(
    namespaces.items.map((each) => each.metadata?.name),
    ['default', 'kube-node-lease', 'kube-public', 'kube-system'],
  );
  await core.deleteNamespacedConfigMap({ namespace: 'default', name: 'a' });
  await assert.rejects(core.readNamespacedConfigMap({ namespace: 'default', name: 'a' }), /404/);
  const apps = clientOf(server.kubeconfig).makeApiClient(AppsV1Api);
  assert.deepEqual((await apps.listDeploymentForAllNamespaces()).items, []);
});

test('private files are for their owner alone', async () => {
  await using folder = await temporaryFolder();
  await using store = createMemoryStore();
  await using server = await startHttps(folder.path, store);
  const agent = await server.writeKubeconfig('agent', {
    commonName: 'system:node:n1',
    organizations: ['system:nodes'],
  });
  for (const path of [server.kubeconfig, agent, join(folder.path, 'pki/ca.key'), join(folder.path, 'pki/sa.key')]) {
    assert.equal((await stat(path)).mode & 0o777, 0o600, path);
  }
});

test('a restart keeps the authority, and renews what is near its end', async () => {
  await using folder = await temporaryFolder();
  await using store = createMemoryStore();
  const first = await startHttps(folder.path, store);
  const before = await credentialsIn(first.kubeconfig);
  await first[Symbol.asyncDispose]();
  const second = await startHttps(folder.path, store);
  const again = await credentialsIn(second.kubeconfig);
  await second[Symbol.asyncDispose]();
  assert.deepEqual(again, before);
  const inElevenMonths = () => Date.now() + 340 * 24 * 3600 * 1000;
  const third = await startHttps(folder.path, store, { now: inElevenMonths });
  const renewed = await credentialsIn(third.kubeconfig);
  await third[Symbol.asyncDispose]();
  assert.deepEqual(renewed.ca, before.ca);
  assert.notDeepEqual(renewed.cert, before.cert);
});

test("who shows nothing, a stranger's certificate or a wrong token gets 401, but may ask for health", async () => {
  await using folder = await temporaryFolder();
  await using store = createMemoryStore();
  await using server = await startHttps(folder.path, store);
  const { ca } = await credentialsIn(server.kubeconfig);
  const url = `${server.url}/api/v1/namespaces`;
  const now = Date.now();
  const times = [new Date(now - 1000), new Date(now + 3600_000)] as const;
  const other = await createAuthority('other', ...times);
  const forged = await issueCertificate(other, {
    commonName: 'kubernetes-admin',
    organizations: ['system:masters'],
    usage: 'client',
    notBefore: times[0],
    notAfter: times[1],
  });
  const nobody = await callHttps(url, { ca });
  assert.equal(nobody.status, 401);
  assert.equal(nobody.body.reason, 'Unauthorized');
  assert.equal((await callHttps(url, { ca, cert: forged.certificate, key: forged.key })).status, 401);
  assert.equal((await callHttps(url, { ca, headers: { authorization: 'Bearer abc' } })).status, 401);
  for (const path of ['/healthz', '/livez', '/readyz']) {
    const health = await callHttps(`${server.url}${path}`, { ca });
    assert.deepEqual([health.status, health.body], [200, 'ok']);
  }
  assert.equal((await callHttps(`${server.url}/metrics`, { ca })).status, 401);
  assert.match((await callHttps(`${server.url}/version`, { ca })).body.gitVersion, /^v1\.36\.0\+fairlead/);
});

test("a service account has its token's rights as long as it lives", async () => {
  await using folder = await temporaryFolder();
  await using store = createMemoryStore();
  await using server = await startHttps(folder.path, store);
  const { ca } = await credentialsIn(server.kubeconfig);
  const core = clientOf(server.kubeconfig).makeApiClient(CoreV1Api);
  await core.createNamespacedServiceAccount({ namespace: 'default', body: { metadata: { name: 'robot' } } });
  const request = await core.createNamespacedServiceAccountToken({
    namespace: 'default',
    name: 'robot',
    body: { spec: { audiences: [], expirationSeconds: 600 } },
  });
  const headers = { authorization: `Bearer ${request.status?.token}`, 'content-type': 'application/json' };
  const list = () => callHttps(`${server.url}/api/v1/namespaces/default/services`, { ca, headers });
  const refused = await list();
  assert.equal(refused.status, 403);
  assert.equal(
    refused.body.message,
    'services is forbidden: User "system:serviceaccount:default:robot" cannot list resource "services" in API group "" in the namespace "default"',
  );
  const ask = async () => {
    const spec = { resourceAttributes: { verb: 'list', resource: 'services', namespace: 'default' } };
    const url = `${server.url}/apis/authorization.k8s.io/v1/selfsubjectaccessreviews`;
    return (await callHttps(url, { ca, headers, method: 'POST', body: JSON.stringify({ spec }) })).body.status.allowed;
  };
  assert.equal(await ask(), false);
  const annotations = { 'fairlead.dev/roles': 'service-discovery' };
  await core.replaceNamespacedServiceAccount({
    namespace: 'default',
    name: 'robot',
    body: { metadata: { name: 'robot', annotations } },
  });
  assert.equal((await list()).status, 200);
  assert.equal(await ask(), true);
  await core.deleteNamespacedServiceAccount({ namespace: 'default', name: 'robot' });
  assert.equal((await list()).status, 401);
});

test('a body over 3 MiB is refused with 413, a large answer is compressed for who takes it', async () => {
  await using folder = await temporaryFolder();
  await using store = createMemoryStore();
  await using server = await startHttps(folder.path, store);
  const tls = await credentialsIn(server.kubeconfig);
  const url = `${server.url}/api/v1/namespaces/default/configmaps`;
  const headers = { 'content-type': 'application/json' };
  const huge = Buffer.alloc(3 * 1024 * 1024 + 1, 'x');
  assert.equal((await callHttps(url, { ...tls, headers, method: 'POST', body: huge })).status, 413);
  const body = JSON.stringify({ metadata: { name: 'big' }, data: { x: 'x'.repeat(200_000) } });
  assert.equal((await callHttps(url, { ...tls, headers, method: 'POST', body })).status, 201);
  const plain = await callHttps(url, { ...tls });
  assert.equal(plain.headers['content-encoding'], undefined);
  const packed = await callHttps(url, { ...tls, headers: { 'accept-encoding': 'gzip' } });
  assert.equal(packed.headers['content-encoding'], 'gzip');
  assert.ok(Number(packed.headers['content-length']) < 10_000);
});

test('unknown paths, methods and broken requests are answered with a Status', async () => {
  await using folder = await temporaryFolder();
  await using store = createMemoryStore();
  await using server = await startHttps(folder.path, store);
  const tls = await credentialsIn(server.kubeconfig);
  const cases: readonly [string, string, number][] = [
    ['GET', '/nothing', 404],
    ['GET', '/apis/none/v1/things', 404],
    ['GET', '/api/v1/namespaces/default/pods/a/nothing', 404],
    ['DELETE', '/version', 404],
    ['POST', '/api/v1/namespaces/default/pods/a', 405],
    ['PUT', '/api/v1/namespaces/default/configmaps', 405],
    ['GET', '/api/v1/namespaces/%zz/pods', 400],
    ['GET', '/api/v1/namespaces/default/pods/nope/exec', 400],
  ];
  for (const [method, path, status] of cases) {
    const answer = await callHttps(`${server.url}${path}`, { ...tls, method });
    assert.equal(answer.status, status, `${method} ${path}: ${JSON.stringify(answer.body)}`);
    assert.equal(answer.body.kind, 'Status');
  }
});

test('an informer stays correct through a restart of the server', async () => {
  await using folder = await temporaryFolder();
  const database = join(folder.path, 'store.db');
  let store = await openSqliteStore(database);
  let server = await startHttps(folder.path, store);
  const { port } = new URL(server.url);
  const config = clientOf(server.kubeconfig);
  const core = config.makeApiClient(CoreV1Api);
  const body = (name: string, value = '1') => ({ metadata: { name }, data: { x: value } });
  await core.createNamespacedConfigMap({ namespace: 'default', body: body('before') });
  const informer = makeInformer(config, '/api/v1/namespaces/default/configmaps', () =>
    core.listNamespacedConfigMap({ namespace: 'default' }),
  );
  const seen = new Map<string, string>();
  const note = (object: Json) => seen.set(object.metadata.name, object.data.x);
  informer.on('add', note);
  informer.on('update', note);
  informer.on('delete', (object: Json) => seen.delete(object.metadata.name));
  // The informer leaves coming back to its user.
  let isOver = false;
  informer.on('error', () => setTimeout(() => isOver || informer.start().catch(() => {}), 50));
  await informer.start();
  await until(() => seen.has('before'), 'the first state');
  const versionBefore = store.revision;
  await server[Symbol.asyncDispose]();
  await store[Symbol.asyncDispose]();
  store = await openSqliteStore(database);
  assert.equal(store.revision, versionBefore);
  server = await startHttps(folder.path, store, { listen: [{ address: '127.0.0.1', port: Number(port) }] });
  await core.createNamespacedConfigMap({ namespace: 'default', body: body('after') });
  await core.replaceNamespacedConfigMap({ namespace: 'default', name: 'before', body: body('before', '2') });
  await until(() => seen.get('after') === '1' && seen.get('before') === '2', 'the state after the restart');
  await core.deleteNamespacedConfigMap({ namespace: 'default', name: 'before' });
  await until(() => !seen.has('before'), 'the deletion');
  isOver = true;
  await informer.stop();
  await server[Symbol.asyncDispose]();
  await store[Symbol.asyncDispose]();
});

test('a watch resumes from its version after a restart, without a gap', async () => {
  await using folder = await temporaryFolder();
  const database = join(folder.path, 'store.db');
  let store = await openSqliteStore(database);
  let server = await startHttps(folder.path, store);
  const { port } = new URL(server.url);
  const config = clientOf(server.kubeconfig);
  const core = config.makeApiClient(CoreV1Api);
  const made = await core.createNamespacedConfigMap({ namespace: 'default', body: { metadata: { name: 'a' } } });
  await core.createNamespacedConfigMap({ namespace: 'default', body: { metadata: { name: 'b' } } });
  await server[Symbol.asyncDispose]();
  await store[Symbol.asyncDispose]();
  store = await openSqliteStore(database);
  server = await startHttps(folder.path, store, { listen: [{ address: '127.0.0.1', port: Number(port) }] });
  const names: string[] = [];
  const query = { resourceVersion: made.metadata?.resourceVersion };
  const watching = await new Watch(config).watch(
    '/api/v1/namespaces/default/configmaps',
    query,
    (type, object) => names.push(`${type} ${object.metadata.name}`),
    () => {},
  );
  await core.createNamespacedConfigMap({ namespace: 'default', body: { metadata: { name: 'c' } } });
  await until(() => names.length >= 2, 'two events');
  assert.deepEqual(names, ['ADDED b', 'ADDED c']);
  watching.abort();
  await server[Symbol.asyncDispose]();
  await store[Symbol.asyncDispose]();
});

/** A node agent that answers logs and echoes whatever comes through an upgraded connection. */
async function startAgent() {
  const times = { notBefore: new Date(Date.now() - 1000), notAfter: new Date(Date.now() + 3600_000) };
  const authority = await createAuthority('agents', times.notBefore, times.notAfter);
  const pair = await issueCertificate(authority, {
    commonName: 'n1',
    usage: 'server',
    addresses: ['127.0.0.1'],
    ...times,
  });
  const requests: IncomingMessage[] = [];
  const agent = createServer({ cert: pair.certificate, key: pair.key, requestCert: true, rejectUnauthorized: false });
  agent.on('request', (request, response) => {
    requests.push(request);
    const isRefused = request.url?.includes('previous=true');
    response.writeHead(isRefused ? 400 : 200, { 'content-type': 'text/plain' });
    response.end(isRefused ? 'previous terminated container "c" in pod "web" not found' : 'one\ntwo\n');
  });
  agent.on('upgrade', (request, socket, head) => {
    requests.push(request);
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n');
    socket.write(head);
    socket.pipe(socket);
  });
  agent.listen(0, '127.0.0.1');
  await once(agent, 'listening');
  const address = agent.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    port,
    requests,
    authority: authority.certificate,
    [Symbol.asyncDispose]: async () => (agent.closeAllConnections(), void agent.close()),
  };
}

test("logs and upgrades reach the agent of the Pod's node, without the client's credentials", async () => {
  await using folder = await temporaryFolder();
  await using store = createMemoryStore();
  await using agent = await startAgent();
  await using server = await startHttps(folder.path, store, { agentAuthority: agent.authority });
  const tls = await credentialsIn(server.kubeconfig);
  const core = clientOf(server.kubeconfig).makeApiClient(CoreV1Api);
  const status = {
    addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
    daemonEndpoints: { kubeletEndpoint: { Port: agent.port } },
  };
  await core.createNode({ body: { metadata: { name: 'n1' } } });
  await core.replaceNodeStatus({ name: 'n1', body: { metadata: { name: 'n1' }, status } });
  await core.createNamespacedPod({
    namespace: 'default',
    body: { metadata: { name: 'web' }, spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'i' }] } },
  });
  const pod = `${server.url}/api/v1/namespaces/default/pods/web`;
  const log = await callHttps(`${pod}/log?tailLines=2`, { ...tls, headers: { accept: 'application/json, */*' } });
  assert.equal(log.body, 'one\ntwo\n');
  assert.equal(agent.requests[0]?.url, '/containerLogs/default/web/c?tailLines=2');
  const refused = await callHttps(`${pod}/log?previous=true`, tls);
  assert.equal(refused.status, 400);
  assert.match(refused.body.message, /previous terminated container/);
  assert.equal((await callHttps(`${pod}/log?container=zz`, tls)).body.message, 'container zz is not valid for pod web');

  const headers = { connection: 'Upgrade', upgrade: 'SPDY/3.1', authorization: 'Basic c2VjcmV0' };
  const request = httpsRequest(`${pod}/exec?command=ls&command=-l&stdin=true`, {
    ...tls,
    agent: false,
    method: 'POST',
    headers,
  });
  request.end();
  const [response, socket, head] = await once(request, 'upgrade');
  assert.equal(response.statusCode, 101);
  socket.write('ping');
  const [echo] = head.length > 0 ? [head] : await once(socket, 'data');
  assert.equal(String(echo), 'ping');
  socket.destroy();
  const upgraded = agent.requests.at(-1);
  assert.equal(upgraded?.url, '/exec/default/web/c?command=ls&command=-l&stdin=true');
  assert.equal(upgraded?.headers.authorization, undefined);
  assert.equal(upgraded?.headers.upgrade, 'SPDY/3.1');

  const denied = httpsRequest(`${pod}/exec?command=ls`, { ca: tls.ca, agent: false, headers });
  denied.end();
  const [answer] = await once(denied, 'response');
  assert.equal(answer.statusCode, 401);
  answer.resume();
});
