import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { ConfigMap } from '../../api/core/config-map.ts';
import { PodTemplateSpec } from '../../api/core/pod/pod-template.ts';
import { conform, conformObject } from '../../api/conform.ts';
import { isolateNetwork } from '../../linux/namespaces.ts';
import { dig } from '../dig.ts';
import { readSettingsFile } from '../settings/file/settings-file.ts';
import type { NodeCacheProgram } from './testing/node-cache-program.ts';

const [config, daemonSet] = parseAllDocuments(
  readFileSync(new URL('../../../deploy/node-dns.yaml', import.meta.url), 'utf8'),
).map((document) => document.toJS());
const { spec } = daemonSet.spec.template;
const [container] = spec.containers;

before(() => isolateNetwork());

test('the objects of the manifest have the fields of their kinds and no other, and name one another', () => {
  const checked = [conformObject(ConfigMap, config), conform(PodTemplateSpec, daemonSet.spec.template)];
  assert.deepEqual(
    checked.flatMap(({ unknown }) => unknown),
    [],
  );
  assert.deepEqual(daemonSet.spec.template.metadata.labels, daemonSet.spec.selector.matchLabels);
  assert.equal(spec.volumes[0].configMap.name, config.metadata.name);
  assert.equal(container.ports, undefined, 'two Pods of one node at a time');
});

test('the settings of the manifest can be read, and the probes ask where they say', () => {
  const resolvers = () => ['192.0.2.53'];
  const { health, ready } = readSettingsFile(config.data['dns.yaml'], { file: 'dns.yaml', path: String, resolvers });
  const { livenessProbe, readinessProbe } = container;
  assert.deepEqual([livenessProbe.httpGet.host, livenessProbe.httpGet.port], [health?.address, health?.port]);
  assert.deepEqual([readinessProbe.httpGet.host, readinessProbe.httpGet.port], [ready?.address, ready?.port]);
  assert.ok(spec.terminationGracePeriodSeconds * 1000 > (health?.lameDuckMs ?? 0));
});

test('the capabilities of the manifest are enough to answer at its addresses', { timeout: 30_000 }, async () => {
  const addresses = container.args.flatMap((argument: string) => /^--node-cache=(.*)$/.exec(argument)?.[1] ?? []);
  const listen = addresses.map((address: string) => ({ address, port: 53 }));
  const upstream = { address: '127.0.0.1', port: 9 };
  const settings: NodeCacheProgram = { listen, upstream, workers: 0, syncAfterMs: 0 };
  const own = container.securityContext.capabilities.add.map((name: string) => `+${name.toLowerCase()}`);
  const limits = ['--bounding-set', ['-all', ...own].join(','), '--inh-caps', ['-all', ...own].join(',')];
  const program = fileURLToPath(new URL('./testing/node-cache-program.ts', import.meta.url));
  const node = [process.execPath, program, JSON.stringify(settings)];
  const child = spawn('setpriv', [...limits, ...node], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    assert.equal(String((await once(child.stdout, 'data'))[0]), 'listening\n');
    for (const server of listen) {
      const { message } = await dig({ name: 'cart.shop.svc.cluster.local', server });
      assert.equal(message.answers.length, 1);
    }
  } finally {
    child.kill('SIGKILL');
  }
});
