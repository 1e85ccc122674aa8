import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withDefaults } from '../defaults.ts';
import { prepareCreate, prepareUpdate } from '../strategy.ts';
import { toTable } from '../table.ts';
import { validateCreate, validateUpdate } from '../validate.ts';
import { Pod } from './pod.ts';
import { podStatusText } from './pod/pod-columns.ts';
import type { PodSpec } from './pod/pod-spec.ts';
import type { PodStatus } from './pod/pod-status.ts';

const plain: PodSpec = { containers: [{ name: 'app', image: 'app:1' }] };

function podOf(spec: PodSpec): Pod {
  const object: Pod = { metadata: { name: 'web', namespace: 'shop' }, spec };
  return prepareCreate(Pod, withDefaults(Pod, object), { uid: 'u', now: 0 });
}

function complaints(spec: PodSpec): readonly string[] {
  return validateCreate(Pod, podOf(spec), {}).causes.map((cause) => `${cause.field}: ${cause.message}`);
}

test('a Pod with one container gets everything else by default', () => {
  assert.deepEqual(podOf(plain), {
    metadata: {
      name: 'web',
      namespace: 'shop',
      uid: 'u',
      generation: 1,
      creationTimestamp: '1970-01-01T00:00:00Z',
    },
    spec: {
      containers: [
        {
          name: 'app',
          image: 'app:1',
          resources: {},
          imagePullPolicy: 'IfNotPresent',
          terminationMessagePath: '/dev/termination-log',
          terminationMessagePolicy: 'File',
        },
      ],
      dnsPolicy: 'ClusterFirst',
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      schedulerName: 'default-scheduler',
      securityContext: {},
      enableServiceLinks: true,
    },
    status: { phase: 'Pending', qosClass: 'BestEffort' },
  });
});

test('a new Pod that had its defaults already stays as it is', () => {
  const pod = podOf(plain);
  assert.deepEqual(withDefaults(Pod, pod), pod);
});

const pullPolicies: readonly (readonly [string, string])[] = [
  ['app', 'Always'],
  ['app:latest', 'Always'],
  ['app:1', 'IfNotPresent'],
  ['registry:5000/app', 'Always'],
  ['registry:5000/app:2', 'IfNotPresent'],
  ['app@sha256:00', 'IfNotPresent'],
];

for (const [image, policy] of pullPolicies) {
  test(`image ${image} is pulled ${policy}`, () => {
    assert.equal(podOf({ containers: [{ name: 'a', image }] }).spec.containers[0]?.imagePullPolicy, policy);
  });
}

test('probes, volumes, environment and ports get their defaults', () => {
  const { spec } = podOf({
    hostNetwork: true,
    volumes: [{ name: 'a' }, { name: 'b', configMap: { name: 'c' } }],
    containers: [
      {
        name: 'app',
        image: 'app:1',
        ports: [{ containerPort: 80 }],
        env: [{ name: 'X', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
        readinessProbe: { httpGet: { port: 80 } },
        resources: { limits: { cpu: '1' } },
      },
    ],
  });
  const [container] = spec.containers;
  assert.deepEqual(spec.volumes, [
    { name: 'a', emptyDir: {} },
    { name: 'b', configMap: { name: 'c', defaultMode: 420 } },
  ]);
  assert.deepEqual(container?.ports, [{ containerPort: 80, protocol: 'TCP', hostPort: 80 }]);
  assert.equal(container?.env?.[0]?.valueFrom?.fieldRef?.apiVersion, 'v1');
  assert.deepEqual(container?.resources, { limits: { cpu: '1' }, requests: { cpu: '1' } });
  assert.deepEqual(container?.readinessProbe, {
    httpGet: { port: 80, path: '/', scheme: 'HTTP' },
    timeoutSeconds: 1,
    periodSeconds: 10,
    successThreshold: 1,
    failureThreshold: 3,
  });
});

test('the class of service follows from requests and limits', () => {
  const classOf = (resources: object): unknown =>
    podOf({ containers: [{ name: 'a', image: 'b', resources }] }).status?.qosClass;
  assert.equal(classOf({}), 'BestEffort');
  assert.equal(classOf({ requests: { cpu: '1' } }), 'Burstable');
  assert.equal(classOf({ limits: { cpu: '1', memory: '1Gi' } }), 'Guaranteed');
  assert.equal(classOf({ limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m' } }), 'Burstable');
});

const refused: readonly (readonly [string, PodSpec, readonly string[]])[] = [
  ['no containers', { containers: [] }, ['spec.containers: Required value']],
  ['no image', { containers: [{ name: 'a' }] }, ['spec.containers[0].image: Required value']],
  [
    'one name for two containers',
    { containers: [{ name: 'a', image: 'b' }], initContainers: [{ name: 'a', image: 'b' }] },
    ['spec.initContainers[0].name: Duplicate value: "a"'],
  ],
  [
    'a mount without volume',
    { containers: [{ name: 'a', image: 'b', volumeMounts: [{ name: 'v', mountPath: '/v' }] }] },
    ['spec.containers[0].volumeMounts[0].name: Not found: "v"'],
  ],
  [
    'two sources for a volume',
    { ...plain, volumes: [{ name: 'v', emptyDir: {}, hostPath: { path: '/v' } }] },
    ['spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type'],
  ],
  [
    'a port out of range',
    { containers: [{ name: 'a', image: 'b', ports: [{ containerPort: 70_000 }] }] },
    ['spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive'],
  ],
  [
    'requests above limits',
    { containers: [{ name: 'a', image: 'b', resources: { limits: { cpu: '100m' }, requests: { cpu: '200m' } } }] },
    ['spec.containers[0].resources.requests: Invalid value: "200m": must be less than or equal to cpu limit of 100m'],
  ],
  [
    'a probe that does nothing',
    { containers: [{ name: 'a', image: 'b', livenessProbe: { periodSeconds: 1 } }] },
    ['spec.containers[0].livenessProbe: Required value: must specify a handler type'],
  ],
  [
    'a liveness probe that has to succeed twice',
    { containers: [{ name: 'a', image: 'b', livenessProbe: { tcpSocket: { port: 1 }, successThreshold: 2 } }] },
    ['spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1'],
  ],
  [
    'a probe of an ordinary init container',
    { ...plain, initContainers: [{ name: 'i', image: 'b', readinessProbe: { tcpSocket: { port: 1 } } }] },
    [
      'spec.initContainers[0].readinessProbe: Forbidden: may not be set for init containers without restartPolicy=Always',
    ],
  ],
  [
    'a variable with value and source',
    {
      containers: [
        {
          name: 'a',
          image: 'b',
          env: [{ name: 'X', value: 'y', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
        },
      ],
    },
    ['spec.containers[0].env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty'],
  ],
  [
    'no name servers of its own',
    { ...plain, dnsPolicy: 'None' },
    ['spec.dnsConfig.nameservers: Required value: must provide at least one DNS nameserver when `dnsPolicy` is None'],
  ],
];

for (const [what, spec, wanted] of refused) {
  test(`${what}: refused`, () => assert.deepEqual(complaints(spec), wanted));
}

function update(change: (pod: Pod) => Pod, subresource?: string): readonly string[] {
  const before = podOf({ ...plain, tolerations: [{ key: 'a', operator: 'Exists' }] });
  const after = prepareUpdate(Pod, change(before), before, subresource);
  return validateUpdate(Pod, after, before, { subresource }).causes.map((cause) => `${cause.field}: ${cause.message}`);
}

function withSpec(change: Partial<PodSpec>): (pod: Pod) => Pod {
  return (pod) => ({ ...pod, spec: { ...pod.spec, ...change } });
}

test('image, tolerations and the first node of a Pod may change', () => {
  assert.deepEqual(
    update((pod) => withSpec({ containers: pod.spec.containers.map((each) => ({ ...each, image: 'c' })) })(pod)),
    [],
  );
  assert.deepEqual(
    update(
      withSpec({
        tolerations: [
          { key: 'a', operator: 'Exists' },
          { key: 'b', operator: 'Exists' },
        ],
      }),
    ),
    [],
  );
  assert.deepEqual(update(withSpec({ nodeName: 'n1' })), []);
});

test('anything else about a Pod stays, in the words that users know', () => {
  const [message = ''] = update(withSpec({ restartPolicy: 'Never' }));
  assert.match(
    message,
    /^spec: Forbidden: pod updates may not change fields other than `spec\.containers\[\*\]\.image`/,
  );
  assert.deepEqual(
    update(withSpec({ containers: [] })).at(-1),
    'spec.containers: Forbidden: pod updates may not add or remove containers',
  );
});

test('the generation counts changes of the wanted state only', () => {
  const before = podOf(plain);
  const labelled: Pod = { ...before, metadata: { ...before.metadata, labels: { a: 'b' }, generation: 7 } };
  assert.equal(prepareUpdate(Pod, labelled, before).metadata.generation, 1);
  const placed: Pod = { ...before, spec: { ...before.spec, nodeName: 'n' } };
  assert.equal(prepareUpdate(Pod, placed, before).metadata.generation, 2);
});

test('status is written by its subresource and by nothing else', () => {
  const before = podOf(plain);
  const running: Pod = { ...before, spec: { ...before.spec, nodeName: 'n' }, status: { phase: 'Running' } };
  assert.equal(prepareUpdate(Pod, running, before).status?.phase, 'Pending');
  const after = prepareUpdate(Pod, running, before, 'status');
  assert.deepEqual([after.status?.phase, after.spec.nodeName], ['Running', undefined]);
});

const container = { name: 'app', image: 'app:1', imageID: '', restartCount: 0, ready: true };
const running = { ...container, state: { running: { startedAt: '1970-01-01T00:00:00Z' } } };
const crashed = {
  ...container,
  ready: false,
  restartCount: 3,
  state: { waiting: { reason: 'CrashLoopBackOff' } },
  lastState: { terminated: { exitCode: 1, finishedAt: '1970-01-01T00:00:30Z' } },
};

const words: readonly (readonly [string, PodStatus, PodSpec])[] = [
  ['Pending', { phase: 'Pending' }, plain],
  ['Running', { phase: 'Running', containerStatuses: [running] }, plain],
  ['CrashLoopBackOff', { phase: 'Running', containerStatuses: [crashed] }, plain],
  [
    'ContainerCreating',
    {
      phase: 'Pending',
      containerStatuses: [{ ...container, ready: false, state: { waiting: { reason: 'ContainerCreating' } } }],
    },
    plain,
  ],
  [
    'Completed',
    {
      phase: 'Succeeded',
      containerStatuses: [{ ...container, ready: false, state: { terminated: { exitCode: 0, reason: 'Completed' } } }],
    },
    plain,
  ],
  [
    'ExitCode:3',
    { phase: 'Failed', containerStatuses: [{ ...container, ready: false, state: { terminated: { exitCode: 3 } } }] },
    plain,
  ],
  [
    'Signal:9',
    {
      phase: 'Failed',
      containerStatuses: [{ ...container, ready: false, state: { terminated: { exitCode: 137, signal: 9 } } }],
    },
    plain,
  ],
  ['Evicted', { phase: 'Failed', reason: 'Evicted' }, plain],
  [
    'SchedulingGated',
    { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }] },
    plain,
  ],
  [
    'Init:0/1',
    { phase: 'Pending', initContainerStatuses: [{ ...running, name: 'i', ready: false }] },
    { ...plain, initContainers: [{ name: 'i' }] },
  ],
  [
    'Init:CrashLoopBackOff',
    { phase: 'Pending', initContainerStatuses: [{ ...crashed, name: 'i' }] },
    { ...plain, initContainers: [{ name: 'i' }] },
  ],
  [
    'Init:ExitCode:2',
    { phase: 'Failed', initContainerStatuses: [{ ...container, name: 'i', state: { terminated: { exitCode: 2 } } }] },
    { ...plain, initContainers: [{ name: 'i' }] },
  ],
  [
    'Running',
    {
      phase: 'Running',
      conditions: [{ type: 'Ready', status: 'True' }],
      containerStatuses: [
        running,
        { ...container, name: 'b', ready: false, state: { terminated: { exitCode: 0, reason: 'Completed' } } },
      ],
    },
    plain,
  ],
];

for (const [text, status, spec] of words) {
  test(`a Pod shows as ${text} (${JSON.stringify(status).slice(0, 60)})`, () => {
    assert.equal(podStatusText({ ...podOf(plain), spec, status }), text);
  });
}

test('a Pod that is being deleted shows as Terminating', () => {
  const pod = podOf(plain);
  const deleted: Pod = {
    ...pod,
    metadata: { ...pod.metadata, deletionTimestamp: '1970-01-01T00:00:00Z' },
    status: { phase: 'Running', containerStatuses: [running] },
  };
  assert.equal(podStatusText(deleted), 'Terminating');
});

test('a row counts ready containers, sidecars and restarts', () => {
  const pod: Pod = {
    ...podOf(plain),
    spec: { ...plain, nodeName: 'n1', initContainers: [{ name: 's', restartPolicy: 'Always' }] },
    status: {
      phase: 'Running',
      podIP: '10.244.0.5',
      initContainerStatuses: [{ ...running, name: 's', started: true }],
      containerStatuses: [crashed],
    },
  };
  assert.deepEqual(toTable(Pod, [pod], { now: 60_000 }).rows[0]?.cells, [
    'web',
    '1/2',
    'CrashLoopBackOff',
    '3 (30s ago)',
    '60s',
    '10.244.0.5',
    'n1',
    '<none>',
    '<none>',
  ]);
});
