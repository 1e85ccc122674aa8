import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
import { PodTemplateSpec } from '../api/core/pod/pod-template.ts';
import { conform, conformObject } from '../api/conform.ts';
import { ConfigMap } from '../api/core/config-map.ts';
import { Event } from '../api/core/event.ts';
import { Service } from '../api/core/service.ts';
import { ServiceAccount } from '../api/core/service-account.ts';
import { mastersGroup } from '../apiserver/auth/identity.ts';
import { startApiServer } from '../apiserver/run.ts';
import { createCaches } from '../client/caches.ts';
import type { Transport } from '../client/client.ts';
import { createClient } from '../client/rest-client.ts';
import { silentLogger } from '../observe/log.ts';
import { createMetrics } from '../observe/metrics.ts';
import { testService } from '../routing/fixtures.ts';
import { createMemoryStore } from '../store/memory.ts';
import { network } from './contract/worlds.ts';
import { createFakePlane } from './fake.ts';
import { startProxy } from './run.ts';

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly [field: string]: unknown;
}

interface PodTemplate {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> };
  readonly spec: Readonly<Record<string, unknown>> & {
    readonly serviceAccountName: string;
    readonly containers: readonly (Readonly<Record<string, unknown>> & { readonly args: readonly string[] })[];
    readonly volumes: readonly { readonly name: string; readonly configMap?: { readonly name: string } }[];
  };
}

interface DaemonSet extends Manifest {
  readonly spec: {
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly template: PodTemplate;
  };
}

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

const path = join(import.meta.dirname, '../../deploy/proxy.yaml');
const manifests = parseAllDocuments(await readFile(path, 'utf8')).map((document): Manifest => {
  assert.deepEqual(document.errors, []);
  return document.toJS();
});

function manifest<T extends Manifest>(kind: string): T {
  const found = manifests.filter((each) => each.kind === kind);
  assert.equal(found.length, 1, `one ${kind}`);
  return found[0] as T;
}

test('every object has the fields of its kind and no other', () => {
  const { template } = manifest<DaemonSet>('DaemonSet').spec;
  const checked = [
    conformObject(ServiceAccount, manifest('ServiceAccount')),
    conformObject(ConfigMap, manifest('ConfigMap')),
    conform(PodTemplateSpec, template),
  ];
  assert.deepEqual(
    checked.flatMap(({ unknown }) => unknown),
    [],
  );
  assert.deepEqual(manifests.map(({ kind }) => kind).sort(), [
    'ClusterRole',
    'ClusterRoleBinding',
    'ConfigMap',
    'DaemonSet',
    'ServiceAccount',
  ]);
});

test('the objects name one another', () => {
  const { selector, template } = manifest<DaemonSet>('DaemonSet').spec;
  assert.deepEqual(template.metadata.labels, selector.matchLabels);
  const account = manifest('ServiceAccount');
  assert.equal(template.spec.serviceAccountName, account.metadata.name);
  const binding = manifest('ClusterRoleBinding');
  assert.equal((binding['roleRef'] as { name: string }).name, manifest('ClusterRole').metadata.name);
  const { name, namespace } = account.metadata;
  assert.deepEqual(binding['subjects'], [{ kind: 'ServiceAccount', name, namespace }]);
  const mounted = template.spec.volumes.flatMap(({ configMap }) => configMap?.name ?? []);
  assert.deepEqual(mounted, [manifest('ConfigMap').metadata.name]);
});

test('the Pods are on every node, before others, in its network, and probed where the proxy answers', () => {
  const { spec } = manifest<DaemonSet>('DaemonSet').spec.template;
  assert.equal(spec['hostNetwork'], true);
  assert.equal(spec['priorityClassName'], 'system-node-critical');
  assert.deepEqual(spec['tolerations'], [{ operator: 'Exists' }]);
  const [container] = spec.containers;
  assert.deepEqual(container?.['ports'], [{ name: 'healthz', containerPort: 10_256 }]);
  const probe = (name: string) => (container?.[name] as { httpGet: unknown } | undefined)?.httpGet;
  assert.deepEqual(probe('livenessProbe'), { path: '/livez', port: 'healthz' });
  assert.deepEqual(probe('readinessProbe'), { path: '/readyz', port: 'healthz' });
});

test('the kubeconfig that it mounts is one, with the token of the service account', () => {
  const { data } = manifest<Manifest & { data: Record<string, string> }>('ConfigMap');
  const { users, clusters } = parse(data['kubeconfig.conf'] ?? '');
  assert.match(users[0].user.tokenFile, /serviceaccount\/token$/);
  assert.match(clusters[0].cluster.server, /^https:/);
});

/** `verb group/resource` of each request. */
function recording(transport: Transport, asked: Set<string>): Transport {
  return {
    request(request) {
      const [, prefix, ...rest] = request.path.split('?')[0]?.split('/') ?? [];
      const [group = '', ...parts] = prefix === 'api' ? ['', ...rest.slice(1)] : [rest[0], ...rest.slice(2)];
      const [resource = ''] = parts[0] === 'namespaces' ? parts.slice(2) : parts;
      const reads = request.path.includes('watch=true') ? 'watch' : 'list';
      const verb = { GET: reads, POST: 'create', PATCH: 'patch', PUT: 'update', DELETE: 'delete' }[request.method];
      asked.add(`${verb} ${group}/${resource}`);
      return transport.request(request);
    },
    [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
  };
}

test('the role allows what the proxy asks the API server for, and nothing else', async () => {
  await using stack = new AsyncDisposableStack();
  const dataDir = await mkdtemp(join(tmpdir(), 'fairlead-deploy-'));
  stack.defer(() => rm(dataDir, { recursive: true }));
  const server = stack.use(
    await startApiServer({
      store: stack.use(createMemoryStore()),
      dataDir,
      listen: [{ address: '127.0.0.1', port: 0 }],
      advertiseAddress: '10.244.0.1',
      serviceCidrs: ['10.96.0.0/16'],
      clusterDomain: 'cluster.local',
      allowLoopback: false,
      logger: silentLogger,
      metrics: createMetrics(),
    }),
  );
  const admin = createClient(server.inProcess({ name: 'admin', groups: [mastersGroup], userAgent: 'test' }));
  const ports = [{ name: 'http', port: 80 }];
  const cart = testService({ clusterIP: '10.96.0.9', clusterIPs: ['10.96.0.9'], ports }, { namespace: 'default' });
  await admin.create(Service, cart);

  const changedPort = { spec: { ports: [{ name: 'http', port: 81 }] } };

  const asked = new Set<string>();
  const identity = { name: 'proxy', groups: [mastersGroup], userAgent: 'test' };
  let streams = true;
  const inner = server.inProcess(identity);
  const refusing: Transport = {
    ...inner,
    async request(request) {
      if (streams || !request.path.includes('sendInitialEvents')) return inner.request(request);
      return { status: 422, headers: {}, body: (async function* () {})() };
    },
  };
  const client = createClient(recording(refusing, asked));
  const plane = createFakePlane(network, []);
  const start = async () => {
    const caches = createCaches(client, { random: () => 0 });
    const common = { client, caches, ownsCaches: true, network, logger: silentLogger, metrics: createMetrics() };
    const proxy = await startProxy({ ...common, nodeName: 'node-1', dataplane: plane, syncPeriodMs: 20 });
    await proxy.synced;
    return { caches, proxy };
  };
  const events = async () => (await admin.list(Event)).items.filter(({ reason }) => reason === 'FrontendRefused');
  const told = async () => (await events()).reduce((sum, { count = 0 }) => sum + count, 0);
  const first = await start();
  for (const [index, reason] of ['one', 'two', 'one'].entries()) {
    plane.refuses = () => `reason ${reason}`;
    if (index === 0) await admin.patch(Service, 'cart', { type: 'merge', body: changedPort }, { namespace: 'default' });
    while ((await told()) === index) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await first.proxy[Symbol.asyncDispose]();
  await first.caches[Symbol.asyncDispose]();
  streams = false;
  const second = await start();
  await second.proxy[Symbol.asyncDispose]();
  await second.caches[Symbol.asyncDispose]();

  const { rules } = manifest<Manifest & { rules: readonly Rule[] }>('ClusterRole');
  const allowed = rules.flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((group) => resources.flatMap((resource) => verbs.map((verb) => `${verb} ${group}/${resource}`))),
  );
  assert.deepEqual([...asked].sort(), allowed.sort());
});
