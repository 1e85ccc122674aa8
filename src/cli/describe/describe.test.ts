import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EndpointSlice } from '../../api/discovery/endpoint-slice.ts';
import type { PodObject } from '../objects/pods-of.ts';
import { eventTable } from './common.ts';
import { probeText, stateText } from './containers.ts';
import { renderFields } from './fields.ts';
import { describeAnything, describeSecret } from './plain.ts';
import { describePod } from './pod.ts';
import { describeService } from './service.ts';

const now = Date.parse('2026-01-01T00:10:00Z');
const at = (minute: number) => `2026-01-01T00:0${minute}:00Z`;

test('fields are lined up, lists stand below each other, empty ones are said', () => {
  const text = renderFields([
    ['Name', 'a'],
    ['Labels', ['x=1', 'y=2']],
    ['Taints', []],
    ['Left out', undefined],
    ['Inner', [['Port', 80]]],
    ['Table', { heading: ['A', 'B'], rows: [['1', 'long cell']] }],
    ['Nothing', { heading: ['A'], rows: [] }],
  ]);
  assert.equal(
    text,
    [
      'Name:     a',
      'Labels:   x=1',
      '          y=2',
      'Taints:   <none>',
      'Inner:',
      '  Port:  80',
      'Table:',
      '  A     B',
      '  -     -',
      '  1     long cell',
      'Nothing:  <none>',
      '',
    ].join('\n'),
  );
});

const pod: PodObject = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'web-1',
    namespace: 'shop',
    labels: { app: 'web' },
    creationTimestamp: at(0),
    ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'u', controller: true }],
  },
  spec: {
    nodeName: 'box',
    restartPolicy: 'Always',
    containers: [
      {
        name: 'web',
        image: 'node:22',
        command: ['node', '-e', 'line 1\nline 2'],
        ports: [{ name: 'http', containerPort: 8080 }],
        env: [
          { name: 'A', value: '1' },
          { name: 'S', valueFrom: { secretKeyRef: { name: 'sec', key: 'k' } } },
        ],
        readinessProbe: { httpGet: { path: '/ready', port: 'http' }, periodSeconds: 1 },
      },
    ],
  },
  status: {
    phase: 'Running',
    hostIP: '10.244.0.1',
    podIPs: [{ ip: '10.244.0.5' }],
    conditions: [{ type: 'Ready', status: 'False', reason: 'ContainersNotReady', lastTransitionTime: at(9) }],
    containerStatuses: [
      {
        name: 'web',
        image: 'node:22',
        imageID: '',
        ready: false,
        restartCount: 2,
        state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 20s' } },
        lastState: { terminated: { exitCode: 1, reason: 'Error', startedAt: at(1), finishedAt: at(2) } },
      },
    ],
  },
};

test('a Pod tells where it is, what its containers do and why it is not ready', () => {
  assert.equal(
    renderFields(describePod(pod, now)),
    `Name:            web-1
Namespace:       shop
Labels:          app=web
Created:         2026-01-01T00:00:00Z
Controlled by:   ReplicaSet/web
Node:            box (10.244.0.1)
Phase:           Running
Addresses:       10.244.0.5
Restart policy:  Always
Containers:
  web:
    State:        Waiting: CrashLoopBackOff (back-off 20s)
    Last state:   Terminated: Error, exit code 1, 2026-01-01T00:01:00Z to 2026-01-01T00:02:00Z
    Ready:        False
    Restarts:     2
    Image:        node:22
    Command:      node -e "line 1…"
    Ports:        8080/TCP (http)
    Readiness:    http-get http://:http/ready delay=0s timeout=1s period=1s #success=1 #failure=3
    Environment:  A: 1
                  S: <k of Secret sec>
Conditions:
  Type    Status   Age   Reason               Message
  ----    ------   ---   ------               -------
  Ready   False    60s   ContainersNotReady
`,
  );
});

test('a Pod on its way out says so', () => {
  const leaving = { ...pod, metadata: { ...pod.metadata, deletionTimestamp: at(9) } };
  const text = renderFields(describePod(leaving, now));
  assert.match(text, /^Phase: +Terminating$/m);
  assert.match(text, /^Grace period: +30s$/m);
});

const slice: EndpointSlice = {
  metadata: { name: 'web-x', namespace: 'shop' },
  addressType: 'IPv4',
  ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
  endpoints: [
    { addresses: ['10.244.0.5'], conditions: {}, targetRef: { kind: 'Pod', name: 'web-1' }, nodeName: 'box' },
    { addresses: ['10.244.0.6'], conditions: { ready: false } },
    { addresses: ['10.244.0.7'], conditions: { ready: false, serving: true, terminating: true } },
  ],
};

test('a Service shows every endpoint with its state', () => {
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'shop' },
    spec: {
      type: 'NodePort' as const,
      clusterIPs: ['10.96.0.20'],
      selector: { app: 'web' },
      sessionAffinity: 'ClientIP' as const,
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 600 } },
      ports: [{ name: 'http', port: 80, targetPort: 'http', nodePort: 30080 }],
    },
  };
  const text = renderFields(describeService(service, [slice]));
  assert.match(text, /^Session affinity: +ClientIP \(600s\)$/m);
  assert.match(text, /^ +http +80\/TCP +http +30080$/m);
  assert.match(text, /^ +10\.244\.0\.5 +http 8080\/TCP +Ready +Pod\/web-1 +box/m);
  assert.match(text, /^ +10\.244\.0\.6 .* Not ready /m);
  assert.match(text, /^ +10\.244\.0\.7 .* Terminating, serving /m);
});

test('a Secret shows how long its values are, and not the values', () => {
  const secret = { metadata: { name: 's' }, type: 'Opaque', data: { password: 'aHVudGVyMg==' } };
  const text = renderFields(describeSecret(secret));
  assert.match(text, /password: +7 bytes/);
  assert.doesNotMatch(text, /aHVudGVyMg|hunter2/);
});

test('a kind without a describer shows its fields', () => {
  const lease = {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: 'l' },
    spec: { holderIdentity: 'box' },
  };
  assert.match(renderFields(describeAnything(lease)), /^Spec:\n {2}Holder Identity: +box$/m);
});

test('events are in order of time, repeated ones with their count', () => {
  const event = (message: string, minute: number, count = 1) => ({
    metadata: {},
    involvedObject: {},
    type: 'Normal',
    reason: 'R',
    message,
    count,
    source: { component: 'agent' },
    firstTimestamp: at(0),
    lastTimestamp: at(minute),
  });
  const { rows } = eventTable([event('late', 9, 3), event('early', 5)], now);
  assert.deepEqual(rows, [
    ['Normal', 'R', '5m', 'agent', 'early'],
    ['Normal', 'R', '60s (x3 over 10m)', 'agent', 'late'],
  ]);
});

test('states of containers are one line', () => {
  assert.equal(stateText({ running: { startedAt: at(1) } }), 'Running since 2026-01-01T00:01:00Z');
  assert.equal(stateText(undefined), 'Waiting: not started');
  assert.match(stateText({ terminated: { exitCode: 0, signal: 9, reason: 'OOMKilled' } }), /OOMKilled, signal 9/);
});

test('probes are written as kubectl writes them', () => {
  const probe = { exec: { command: ['cat', '/tmp/ready'] }, initialDelaySeconds: 3 };
  assert.equal(probeText(probe), 'exec [cat /tmp/ready] delay=3s timeout=1s period=10s #success=1 #failure=3');
  assert.match(probeText({ grpc: { port: 9000, service: 'x' } }), /^grpc :9000 x delay/);
  assert.match(probeText({ tcpSocket: { port: 80 } }), /^tcp-socket :80 delay/);
});
