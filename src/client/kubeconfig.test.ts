import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileToken, inClusterContext, KubeconfigError, loadKubeconfig } from './kubeconfig.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');

const files: Readonly<Record<string, string>> = {
  '/home/me/config': `
apiVersion: v1
kind: Config
current-context: dev
clusters:
- name: local
  cluster: {server: 'https://127.0.0.1:6443', certificate-authority-data: ${base64('CA')}}
- name: remote
  cluster: {server: 'https://k8s:6443/prefix', certificate-authority: pki/ca.pem, tls-server-name: api}
users:
- name: me
  user: {client-certificate-data: ${base64('CERT')}, client-key: key.pem}
- name: robot
  user: {token: secret}
- name: plugin
  user: {exec: {command: aws}}
contexts:
- name: dev
  context: {cluster: local, user: me}
- name: prod
  context: {cluster: remote, user: robot, namespace: shop}
- name: cloud
  context: {cluster: remote, user: plugin}
- name: broken
  context: {cluster: nowhere, user: me}
`,
  '/home/me/other': `
current-context: prod
contexts:
- name: dev
  context: {cluster: remote, user: robot}
- name: more
  context: {cluster: local}
`,
  '/home/me/key.pem': 'KEY',
  '/home/me/pki/ca.pem': 'REMOTE CA',
  '/home/me/list': '- 1',
  '/home/me/bad': 'a: [',
  '/sa/ca.crt': 'CA',
  '/sa/namespace': 'shop\n',
  '/sa/token': 'first\n',
};

async function read(path: string): Promise<string> {
  const text = files[path];
  if (text === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
  return text;
}

function load(context?: string, paths: readonly string[] = ['/home/me/config']) {
  return loadKubeconfig(paths, { context, read });
}

test('the current context leads to its cluster and user', async () => {
  assert.deepEqual(await load(), {
    context: 'dev',
    namespace: 'default',
    connection: {
      server: 'https://127.0.0.1:6443',
      ca: 'CA',
      serverName: undefined,
      insecureSkipVerify: false,
      clientCert: 'CERT',
      clientKey: 'KEY',
      token: undefined,
      basic: undefined,
    },
  });
});

test('another context may be chosen; files are found from the folder of the kubeconfig', async () => {
  const { connection, namespace } = await load('prod');
  assert.equal(namespace, 'shop');
  assert.equal(connection.ca, 'REMOTE CA');
  assert.equal(connection.serverName, 'api');
  assert.equal(connection.token, 'secret');
});

test('of several files the first that has a name wins, and files that are not there are skipped', async () => {
  const paths = ['/home/me/none', '/home/me/config', '/home/me/other'];
  assert.equal((await load(undefined, paths)).connection.server, 'https://127.0.0.1:6443');
  assert.equal((await load('more', paths)).connection.server, 'https://127.0.0.1:6443');
});

const failures: readonly [string, string | undefined, readonly string[], RegExp][] = [
  ['there is no file', undefined, ['/home/me/none'], /no kubeconfig found at \/home\/me\/none/],
  ['the context is not there', 'none', ['/home/me/config'], /no context "none"/],
  ['the cluster is not there', 'broken', ['/home/me/config'], /no cluster "nowhere"/],
  ['the user needs a plugin', 'cloud', ['/home/me/config'], /exec plugins are not supported/],
  ['the file is not a kubeconfig', undefined, ['/home/me/list'], /not a kubeconfig/],
  ['the file is not YAML', undefined, ['/home/me/bad'], /\/home\/me\/bad: not YAML/],
];
for (const [title, context, paths, message] of failures) {
  test(`an error says when ${title}`, async () => {
    await assert.rejects(
      load(context, paths),
      (error) => error instanceof KubeconfigError && message.test(error.message),
    );
  });
}

test('a Pod finds its server by environment and service account', async () => {
  const source = { host: 'fd00::1', port: '443', folder: '/sa', read };
  const { connection, namespace } = await inClusterContext(source);
  assert.equal(connection.server, 'https://[fd00::1]:443');
  assert.equal(namespace, 'shop');
  assert.ok(typeof connection.token === 'function');
  assert.equal(await connection.token(), 'first');
  await assert.rejects(inClusterContext({ ...source, folder: '/none' }), KubeconfigError);
});

test('a token file is read again after a minute', async () => {
  let nowMs = 0;
  let reads = 0;
  const token = fileToken(
    '/sa/token',
    async () => `token ${++reads}`,
    () => nowMs,
  );
  assert.equal(await token(), 'token 1');
  nowMs = 59_000;
  assert.equal(await token(), 'token 1');
  nowMs = 61_000;
  assert.equal(await token(), 'token 2');
});
