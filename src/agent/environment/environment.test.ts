import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Service } from '../../api/core/service.ts';
import type { Pod } from '../../api/core/pod.ts';
import type { Container } from '../../api/core/pod/container.ts';
import type { PodSpec } from '../../api/core/pod/pod-spec.ts';
import { containerCommand } from './command.ts';
import { podField, resourceField } from './downward.ts';
import { containerEnv } from './env.ts';
import { expandReferences } from './expand.ts';
import { podHostsFile } from './hosts-file.ts';
import { formatResolvConf, parseResolvConf, podResolvConf } from './resolv-conf.ts';
import type { ConfigSources } from './sources.ts';
import { planVolume } from './volume-files.ts';

const place = { hostIp: '10.0.0.1', podIp: '10.244.0.5', nodeName: 'n1', capacity: { cpus: 2, memoryBytes: 1 << 30 } };
const sources: ConfigSources = {
  configMap: (_namespace, name) =>
    name === 'cm' ? { metadata: { name }, data: { KEY: 'from-map', B: 'b' } } : undefined,
  secret: (_namespace, name) => (name === 'sec' ? { metadata: { name }, data: { KEY: 'c2VjcmV0' } } : undefined),
};
const service = (name: string, namespace: string, clusterIP = '10.96.0.7'): Service => ({
  metadata: { name, namespace },
  spec: {
    clusterIP,
    ports: [
      { name: 'http', port: 80, protocol: 'TCP' },
      { name: 'dns', port: 53, protocol: 'UDP' },
    ],
  },
});
const pod: Pod = {
  metadata: { name: 'p', namespace: 'shop', uid: 'u', labels: { app: 'x' }, annotations: { a: '1', b: 'q"' } },
  spec: { containers: [] },
};

function envOf(container: Partial<Container>, services: readonly Service[] = []): Record<string, string> {
  const inputs = {
    pod,
    container: { name: 'c', ...container },
    services,
    sources,
    place,
    base: new Map([['PATH', '/bin']]),
  };
  return Object.fromEntries(containerEnv(inputs));
}

const expansions: readonly [string, string][] = [
  ['$(A) and $(B)', '1 and $(B)'],
  ['$$(A)', '$(A)'],
  ['$A $', '$A $'],
  ['$(A', '$(A'],
];
for (const [text, expected] of expansions) {
  test(`${text} expands to ${expected}`, () => {
    assert.equal(expandReferences(text, new Map([['A', '1']])), expected);
  });
}

test('services of the namespace and kubernetes become variables', () => {
  const all = [service('my-web', 'shop'), service('other', 'elsewhere'), service('kubernetes', 'default', '10.96.0.1')];
  const env = envOf({}, all);
  assert.equal(env['MY_WEB_SERVICE_HOST'], '10.96.0.7');
  assert.equal(env['MY_WEB_SERVICE_PORT'], '80');
  assert.equal(env['MY_WEB_SERVICE_PORT_DNS'], '53');
  assert.equal(env['MY_WEB_PORT'], 'tcp://10.96.0.7:80');
  assert.equal(env['MY_WEB_PORT_53_UDP_PROTO'], 'udp');
  assert.equal(env['KUBERNETES_SERVICE_HOST'], '10.96.0.1');
  assert.equal(env['OTHER_SERVICE_HOST'], undefined);
});

test('env wins over envFrom, and may refer to what came before', () => {
  const env = envOf({
    envFrom: [{ configMapRef: { name: 'cm' } }, { prefix: 'S_', secretRef: { name: 'sec' } }],
    env: [
      { name: 'B', value: 'own $(KEY) $(S_KEY)' },
      { name: 'C', value: '$(B)!' },
      { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
    ],
  });
  assert.equal(env['B'], 'own from-map secret');
  assert.equal(env['C'], 'own from-map secret!');
  assert.equal(env['NODE'], 'n1');
});

const missing: readonly [string, Partial<Container>, RegExp][] = [
  ['a ConfigMap', { envFrom: [{ configMapRef: { name: 'no' } }] }, /^configmap "no" not found$/],
  [
    'a Secret',
    { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'no', key: 'k' } } }] },
    /^secret "no" not found$/,
  ],
  [
    'a key',
    { env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'cm', key: 'no' } } }] },
    /^couldn't find key no in ConfigMap shop\/cm$/,
  ],
];
for (const [what, container, message] of missing) {
  test(`${what} that is missing is an error`, () => {
    assert.throws(() => envOf(container), { name: 'ConfigError', message });
  });
}

test('what is missing and optional is left out', () => {
  const env = envOf({
    envFrom: [{ secretRef: { name: 'no', optional: true } }],
    env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'cm', key: 'no', optional: true } } }],
  });
  assert.deepEqual(env, { PATH: '/bin' });
});

test('the downward API gives fields, labels and amounts', () => {
  assert.equal(podField(pod, "metadata.labels['app']", place), 'x');
  assert.equal(podField(pod, 'metadata.annotations', place), 'a="1"\nb="q\\""');
  assert.equal(podField(pod, 'status.podIP', place), '10.244.0.5');
  assert.throws(() => podField(pod, 'spec.magic', place), /unsupported fieldPath/);
  const container: Container = { name: 'c', resources: { limits: { cpu: '1500m' } } };
  const amount = (resource: string, divisor?: string) => resourceField(pod, container, { resource, divisor }, place);
  assert.equal(amount('limits.cpu'), '2');
  assert.equal(amount('limits.cpu', '1m'), '1500');
  assert.equal(amount('limits.memory', '1Mi'), '1024');
});

test('args alone are the command, and nothing is an error that says what to do', () => {
  const env = new Map([['WHO', 'you']]);
  assert.deepEqual(containerCommand({ name: 'c', args: ['echo', '$(WHO)'] }, env), { argv: ['echo', 'you'] });
  const found = containerCommand({ name: 'c', image: 'nginx' }, env);
  assert.match('error' in found ? found.error : '', /image "nginx" is recorded but not pulled.*set command/);
});

test('the hosts file names the Pod, its full name first, and the aliases', () => {
  const text = podHostsFile({
    podIp: '10.244.0.5',
    hostname: 'p',
    fullName: 'p.sub.shop.svc.cluster.local',
    aliases: [{ ip: '1.2.3.4', hostnames: ['a', 'b'] }],
  });
  assert.match(text, /^# Kubernetes-managed hosts file\.\n127\.0\.0\.1\tlocalhost\n/);
  assert.match(text, /\n10\.244\.0\.5\tp\.sub\.shop\.svc\.cluster\.local\tp\n/);
  assert.match(text, /\n\n# Entries added by HostAliases\.\n1\.2\.3\.4\ta\tb\n$/);
});

const host = parseResolvConf('# x\nnameserver 8.8.8.8\nsearch lan\noptions timeout:1\n');
const cluster = { addresses: ['10.96.0.10'], domain: 'cluster.local' };
const clusterText =
  'search shop.svc.cluster.local svc.cluster.local cluster.local lan\nnameserver 10.96.0.10\noptions ndots:5\n';
const resolvers: readonly [string, Partial<PodSpec>, string][] = [
  ['no policy', {}, clusterText],
  ['Default', { dnsPolicy: 'Default' }, 'search lan\nnameserver 8.8.8.8\noptions timeout:1\n'],
  ['ClusterFirst in the host network', { hostNetwork: true }, 'search lan\nnameserver 8.8.8.8\noptions timeout:1\n'],
  ['ClusterFirstWithHostNet', { hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' }, clusterText],
  [
    'None with a configuration',
    {
      dnsPolicy: 'None',
      dnsConfig: {
        nameservers: ['1.1.1.1'],
        searches: ['a.b'],
        options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }],
      },
    },
    'search a.b\nnameserver 1.1.1.1\noptions ndots:2 edns0\n',
  ],
  [
    'an option of its own',
    { dnsConfig: { options: [{ name: 'ndots', value: '1' }] } },
    clusterText.replace('ndots:5', 'ndots:1'),
  ],
];
for (const [what, spec, expected] of resolvers) {
  test(`the resolver of a Pod with ${what}`, () => {
    assert.equal(formatResolvConf(podResolvConf({ containers: [], ...spec }, 'shop', cluster, host)), expected);
  });
}

test('a ConfigMap volume has a file for every key, or the chosen ones', () => {
  const all = planVolume({ name: 'v', configMap: { name: 'cm' } }, { pod, sources, place });
  assert.deepEqual(all.type === 'files' && all.files.map(({ path }) => path), ['KEY', 'B']);
  const items = [{ key: 'B', path: 'sub/b.txt', mode: 0o400 }];
  const chosen = planVolume({ name: 'v', configMap: { name: 'cm', items } }, { pod, sources, place });
  assert.deepEqual(chosen.type === 'files' && chosen.files, [
    { path: 'sub/b.txt', content: Buffer.from('b'), mode: 0o400 },
  ]);
});

test('a projected volume joins its sources and asks for a token', () => {
  const volume = {
    name: 'v',
    projected: {
      sources: [
        { serviceAccountToken: { path: 'token', expirationSeconds: 3607 } },
        { configMap: { name: 'cm', items: [{ key: 'B', path: 'b' }] } },
        { downwardAPI: { items: [{ path: 'namespace', fieldRef: { fieldPath: 'metadata.namespace' } }] } },
      ],
    },
  };
  const plan = planVolume(volume, { pod, sources, place });
  assert.deepEqual(plan.type === 'files' && plan.files.map(({ path, content }) => `${path}=${content}`), [
    'b=b',
    'namespace=shop',
  ]);
  assert.deepEqual(plan.type === 'files' && plan.tokens.map(({ path }) => path), ['token']);
});

test('a volume that this node cannot provide, or a path out of it, is an error', () => {
  const claim = { name: 'v', persistentVolumeClaim: { claimName: 'c' } };
  assert.throws(
    () => planVolume(claim, { pod, sources, place }),
    /type persistentVolumeClaim, which this node cannot provide/,
  );
  const escape = { name: 'v', configMap: { name: 'cm', items: [{ key: 'B', path: '../b' }] } };
  assert.throws(() => planVolume(escape, { pod, sources, place }), /leaves the volume/);
});
