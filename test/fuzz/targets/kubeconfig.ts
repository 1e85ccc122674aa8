import assert from 'node:assert/strict';
import { stringify } from 'yaml';
import { KubeconfigError, loadKubeconfig } from '../../../src/client/kubeconfig.ts';
import { mutateJson } from '../json-values.ts';
import type { Random } from '../random.ts';
import { kindOfMessage, textTarget } from '../target.ts';
import type { Target } from '../target.ts';
import { mutateText } from '../text-mutations.ts';

const clusters = [
  {
    name: 'k',
    cluster: { server: 'https://192.0.2.1:6443', 'certificate-authority': 'ca.crt', 'tls-server-name': 'n' },
  },
  { name: 'l', cluster: { server: 'http://[::1]:80', 'certificate-authority-data': 'QUE=' } },
  { name: 'm', cluster: { server: 'https://m', 'insecure-skip-tls-verify': true, 'proxy-url': 'http://p' } },
];
const users = [
  { name: 'u', user: { 'client-certificate': '/u.crt', 'client-key': 'gone' } },
  { name: 'v', user: { token: 't', 'client-key-data': 'QUE=' } },
  { name: 'w', user: { tokenFile: 'token', username: 'x', password: 'y' } },
  { name: 'x', user: { exec: { command: 'z' } } },
];
const words =
  `current-context: - name: c cluster: k user: u server: token: {} [] null &a *a << --- ? ! !!binary "\\x00" __proto__ constructor`.split(
    ' ',
  );

/** Kubeconfigs, one or two of them merged, and the connection that they lead to. */
export const kubeconfig: Target = textTarget({
  name: 'kubeconfig',
  generate: (random) =>
    write(
      random,
      random.many(1, 2, () => randomConfig(random)),
    ),
  mutate: (random, text, other) => mutateText(random, text, other, words),
  async check(text) {
    const files = text.split('\n--- next\n');
    const read = async (path: string): Promise<string> => readFrom(files, path);
    try {
      const paths = files.map((_, index) => `/config-${index}`);
      const context = text.length % 4 === 0 ? 'd' : undefined;
      const found = await loadKubeconfig(paths, { context, read });
      const { server, ca, clientCert, clientKey, serverName, token } = found.connection;
      for (const each of [found.context, found.namespace, server]) assert.ok(typeof each === 'string' && each !== '');
      for (const each of [ca, clientCert, clientKey, serverName])
        assert.ok(each === undefined || typeof each === 'string');
      if (typeof token === 'function') assert.ok((await token()).startsWith('/'));
      return `connection${ca === undefined ? '' : ', ca'}${clientCert === undefined ? '' : ', certificate'} ${typeof token}`;
    } catch (error) {
      if (!(error instanceof KubeconfigError)) throw error;
      return kindOfMessage(error.message).slice(0, 40);
    }
  },
});

function readFrom(files: readonly string[], path: string): string {
  const [, index] = /^\/config-(\d+)$/.exec(path) ?? [];
  if (index !== undefined) return files[Number(index)] ?? '';
  if (path.endsWith('gone')) throw Object.assign(new Error('there is no such file'), { code: 'ENOENT' });
  return path;
}

function randomConfig(random: Random): unknown {
  const cluster = random.pick(clusters);
  const user = random.pick(users);
  const context = { cluster: cluster.name, user: user.name, namespace: random.pick(['shop', '']) };
  const name = random.pick(['c', 'd']);
  const config = {
    'current-context': random.pick(['c', 'd']),
    clusters: [cluster, ...random.many(0, 1, () => random.pick(clusters))],
    users: [user],
    contexts: [{ name, context }],
  };
  return random.oneIn(2) ? config : mutateJson(random, config, config);
}

function write(random: Random, configs: readonly unknown[]): string {
  return configs.map((config) => (random.oneIn(4) ? stringify(config) : JSON.stringify(config))).join('\n--- next\n');
}
