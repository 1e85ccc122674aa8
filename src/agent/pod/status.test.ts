import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '../../api/core/pod.ts';
import type { PodSpec } from '../../api/core/pod/pod-spec.ts';
import type { ContainerState, PodState } from './state.ts';
import { newContainer } from './state.ts';
import { podStatus } from './status.ts';

function podOf(spec: Partial<PodSpec> = {}): Pod {
  return {
    metadata: { name: 'p', namespace: 'n', uid: 'u', generation: 2 },
    spec: { containers: [{ name: 'main', image: 'img' }], ...spec },
  };
}

const running: ContainerState = {
  ...newContainer,
  id: 'u-main-0',
  phase: { state: 'running', startedMs: 1000, hook: 'none', isStopping: false },
};
const exited = (code: number): ContainerState => ({
  ...newContainer,
  id: 'u-main-0',
  phase: {
    state: 'exited',
    exit: { code, reason: code === 0 ? 'Completed' : 'Error', startedMs: 1000, finishedMs: 2000, id: 'u-main-0' },
  },
});

function stateOf(main: ContainerState, rest: Partial<PodState> = {}): PodState {
  const sandbox = { state: 'ready', ip: '10.244.0.2', readyMs: 0 } as const;
  return { sandbox, startedMs: 0, containers: new Map([['main', main]]), ...rest };
}

const node = { hostIp: '10.244.0.1' };
const statusOf = (pod: Pod, state: PodState, nowMs = 5000) => podStatus(pod, state, node, nowMs);
const condition = (pod: Pod, state: PodState, type: string) =>
  statusOf(pod, state).conditions?.find((each) => each.type === type);

const phases: readonly [string, Pod, PodState, string][] = [
  ['before anything runs', podOf(), stateOf(newContainer, { sandbox: { state: 'none' } }), 'Pending'],
  ['while a container runs', podOf(), stateOf(running), 'Running'],
  ['while a container that will restart is down', podOf(), stateOf(exited(1)), 'Running'],
  ['when all ended well for good', podOf({ restartPolicy: 'Never' }), stateOf(exited(0)), 'Succeeded'],
  ['when one ended badly for good', podOf({ restartPolicy: 'Never' }), stateOf(exited(1)), 'Failed'],
  ['after the deadline', podOf(), stateOf(running, { ending: { kind: 'deadline', sinceMs: 0, graceMs: 0 } }), 'Failed'],
  [
    'of a deleted Pod whose container ended on SIGTERM',
    podOf(),
    stateOf(exited(143), { ending: { kind: 'deleted', sinceMs: 0, graceMs: 0 } }),
    'Failed',
  ],
];

for (const [when, pod, state, expected] of phases) {
  test(`the phase ${when} is ${expected}`, () => assert.equal(statusOf(pod, state).phase, expected));
}

test('a running container makes the Pod ready, with addresses and times', () => {
  const status = statusOf(podOf(), stateOf(running));
  assert.equal(status.observedGeneration, 2);
  assert.equal(status.podIP, '10.244.0.2');
  assert.deepEqual(status.hostIPs, [{ ip: '10.244.0.1' }]);
  assert.equal(status.qosClass, 'BestEffort');
  assert.deepEqual(status.containerStatuses?.[0]?.state, { running: { startedAt: '1970-01-01T00:00:01Z' } });
  assert.deepEqual(
    status.conditions?.map(({ type, status: value }) => `${type}=${value}`),
    ['PodReadyToStartContainers=True', 'Initialized=True', 'Ready=True', 'ContainersReady=True', 'PodScheduled=True'],
  );
});

test('a condition keeps its transition time until its status changes', () => {
  const pod = podOf();
  const first = statusOf(pod, stateOf(running), 5000);
  const later = podStatus({ ...pod, status: first }, stateOf(exited(1)), node, 9000);
  const timeOf = (type: string) => later.conditions?.find((each) => each.type === type)?.lastTransitionTime;
  assert.equal(timeOf('PodScheduled'), '1970-01-01T00:00:05Z');
  assert.equal(timeOf('Ready'), '1970-01-01T00:00:09Z');
});

test('conditions of others stay', () => {
  const gate = { type: 'example.com/gate', status: 'True' } as const;
  const pod = { ...podOf({ readinessGates: [{ conditionType: gate.type }] }), status: { conditions: [gate] } };
  assert.deepEqual(condition(pod, stateOf(running), gate.type), gate);
  assert.equal(condition(pod, stateOf(running), 'Ready')?.status, 'True');
});

test('a readiness gate without its condition keeps the Pod from being ready', () => {
  const pod = podOf({ readinessGates: [{ conditionType: 'example.com/gate' }] });
  const found = condition(pod, stateOf(running), 'Ready');
  assert.equal(found?.reason, 'ReadinessGatesNotReady');
  assert.match(found?.message ?? '', /pod readiness gate "example.com\/gate" does not exist/);
});

test('a readiness probe that has not passed keeps container and Pod unready', () => {
  const pod = podOf({ containers: [{ name: 'main', readinessProbe: { tcpSocket: { port: 1 } } }] });
  assert.equal(condition(pod, stateOf(running), 'Ready')?.message, 'containers with unready status: [main]');
  assert.equal(condition(pod, stateOf({ ...running, readiness: 'success' }), 'Ready')?.status, 'True');
});

test('a container that waits for its restart is in CrashLoopBackOff', () => {
  const crashed = { ...exited(1), restarts: 2, backOff: { delayMs: 80_000, atMs: 1500 } };
  const found = statusOf(podOf(), stateOf(crashed)).containerStatuses?.[0];
  assert.deepEqual(found?.state?.waiting, {
    reason: 'CrashLoopBackOff',
    message: 'back-off 1m20s restarting failed container=main pod=p_n(u)',
  });
  assert.equal(found?.lastState?.terminated?.exitCode, 1);
  assert.equal(found?.restartCount, 2);
});

test('containers wait as PodInitializing for the init containers, which wait as ContainerCreating', () => {
  const pod = podOf({ initContainers: [{ name: 'init' }] });
  const status = statusOf(pod, stateOf(newContainer));
  assert.equal(status.containerStatuses?.[0]?.state?.waiting?.reason, 'PodInitializing');
  assert.equal(status.initContainerStatuses?.[0]?.state?.waiting?.reason, 'ContainerCreating');
  const initialized = condition(pod, stateOf(newContainer), 'Initialized');
  assert.equal(initialized?.message, 'containers with incomplete status: [init]');
});
