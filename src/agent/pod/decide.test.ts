import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '../../api/core/pod.ts';
import type { Container } from '../../api/core/pod/container.ts';
import type { PodSpec } from '../../api/core/pod/pod-spec.ts';
import { decide } from './decide.ts';
import type { ContainerState, Exit, PodState } from './state.ts';
import { newContainer } from './state.ts';

const ready = { state: 'ready', ip: '10.244.0.2', readyMs: 0 } as const;

function podOf(spec: Partial<PodSpec>): Pod {
  return { metadata: { name: 'p', namespace: 'n', uid: 'u' }, spec: { containers: [{ name: 'main' }], ...spec } };
}

function exitOf(code: number, finishedMs = 0): Exit {
  return { code, reason: code === 0 ? 'Completed' : 'Error', startedMs: 0, finishedMs, id: 'id' };
}

const running: ContainerState = {
  ...newContainer,
  id: 'id',
  phase: { state: 'running', startedMs: 0, hook: 'none', isStopping: false },
};
const stopping: ContainerState = {
  ...running,
  phase: { state: 'running', startedMs: 0, hook: 'none', isStopping: true },
};
const exited = (code: number, finishedMs = 0): ContainerState => ({
  ...newContainer,
  id: 'id',
  phase: { state: 'exited', exit: exitOf(code, finishedMs) },
});

function stateOf(containers: Record<string, ContainerState>, rest: Partial<PodState> = {}): PodState {
  return { sandbox: ready, startedMs: 0, containers: new Map(Object.entries(containers)), ...rest };
}

/** Actions as words: `start main`, `stop main liveness 30000`. */
function words(
  pod: Pod,
  state: PodState,
  nowMs = 0,
): { readonly actions: readonly string[]; readonly wakeMs?: number } {
  const { actions, wakeMs } = decide(pod, state, nowMs);
  const texts = actions.map((action) => {
    const name = 'container' in action ? ` ${action.container.name}` : '';
    const stop = action.type === 'stop' ? ` ${action.why} ${action.graceMs}` : '';
    return `${action.type}${name}${stop}`;
  });
  return wakeMs === undefined ? { actions: texts } : { actions: texts, wakeMs };
}

const init: Container = { name: 'init' };
const sidecar: Container = { name: 'side', restartPolicy: 'Always' };
const withInit = podOf({ initContainers: [init, sidecar, { name: 'late' }] });
const deleted = { ending: { kind: 'deleted', sinceMs: 0, graceMs: 5000 } } as const;

const cases: readonly [string, Pod, PodState, readonly string[]][] = [
  ['a new Pod gets its surroundings first', podOf({}), stateOf({}, { sandbox: { state: 'none' } }), ['startSandbox']],
  [
    'then its containers start',
    podOf({ containers: [{ name: 'a' }, { name: 'b' }] }),
    stateOf({}),
    ['start a', 'start b'],
  ],
  ['init containers start one after another', withInit, stateOf({}), ['start init']],
  ['a running init container holds up the others', withInit, stateOf({ init: running }), []],
  ['a sidecar starts in its turn', withInit, stateOf({ init: exited(0) }), ['start side']],
  [
    'once the sidecar has started, the next one does',
    withInit,
    stateOf({ init: exited(0), side: running }),
    ['start late'],
  ],
  [
    'when all are done, the containers start',
    withInit,
    stateOf({ init: exited(0), side: running, late: exited(0) }),
    ['start main'],
  ],
  [
    'a sidecar that ended is restarted while the containers go on',
    withInit,
    stateOf({ init: exited(0), side: exited(1), late: exited(0), main: running }),
    ['start side'],
  ],
  [
    'when the containers are done, the sidecar is stopped',
    { ...withInit, spec: { ...withInit.spec, restartPolicy: 'Never' } },
    stateOf({ init: exited(0), side: running, late: exited(0), main: exited(0) }),
    ['stop side podFinished 30000'],
  ],
  [
    'a failed init container of a Pod that never restarts ends the Pod',
    podOf({ restartPolicy: 'Never', initContainers: [init] }),
    stateOf({ init: exited(1) }),
    ['removeSandbox'],
  ],
  [
    'a failed init container is tried again otherwise',
    podOf({ initContainers: [init] }),
    stateOf({ init: exited(1) }),
    ['start init'],
  ],
  [
    'OnFailure does not restart success',
    podOf({ restartPolicy: 'OnFailure' }),
    stateOf({ main: exited(0) }),
    ['removeSandbox'],
  ],
  ['OnFailure restarts failure', podOf({ restartPolicy: 'OnFailure' }), stateOf({ main: exited(3) }), ['start main']],
  [
    'a container may have its own policy',
    podOf({ restartPolicy: 'Never', containers: [{ name: 'main', restartPolicy: 'OnFailure' }] }),
    stateOf({ main: exited(3) }),
    ['start main'],
  ],
  [
    'a rule restarts listed exit codes',
    podOf({
      containers: [
        {
          name: 'main',
          restartPolicy: 'Never',
          restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }],
        },
      ],
    }),
    stateOf({ main: exited(42) }),
    ['start main'],
  ],
  [
    'a failed liveness probe stops the container with its own grace period',
    podOf({ containers: [{ name: 'main', livenessProbe: { terminationGracePeriodSeconds: 3 } }] }),
    stateOf({ main: { ...running, liveness: 'failure' } }),
    ['stop main liveness 3000'],
  ],
  [
    'a failed startup probe stops it',
    podOf({}),
    stateOf({ main: { ...running, startup: 'failure' } }),
    ['stop main startup 30000'],
  ],
  [
    'what is being stopped is not stopped again',
    podOf({}),
    stateOf({ main: { ...stopping, liveness: 'failure' } }),
    [],
  ],
  [
    'a failed postStart hook stops it',
    podOf({}),
    stateOf({ main: { ...running, phase: { state: 'running', startedMs: 0, hook: 'failed', isStopping: false } } }),
    ['stop main postStart 30000'],
  ],
  [
    'a deleted Pod stops its containers before its sidecars',
    withInit,
    stateOf({ main: running, side: running }, deleted),
    ['stop main ending 5000'],
  ],
  [
    'and its sidecars after them',
    withInit,
    stateOf({ main: exited(0), side: running }, deleted),
    ['stop side ending 5000'],
  ],
  ['then its surroundings go', podOf({}), stateOf({ main: exited(143) }, deleted), ['removeSandbox']],
  [
    'and it is deleted',
    podOf({}),
    stateOf({ main: exited(143) }, { ...deleted, sandbox: { state: 'removed' } }),
    ['finish'],
  ],
  [
    'a deleted Pod that never started is deleted at once',
    podOf({}),
    stateOf({}, { ...deleted, sandbox: { state: 'none' } }),
    ['finish'],
  ],
  ['a Pod past its deadline ends', podOf({ activeDeadlineSeconds: 0 }), stateOf({ main: running }), ['end']],
];

for (const [name, pod, state, expected] of cases) {
  test(name, () => assert.deepEqual(words(pod, state).actions, expected));
}

test('restarts back off: at once, then 10 s after the end, and wake the Pod then', () => {
  const backOff = { delayMs: 10_000, atMs: 1000 };
  const crashed = { ...exited(1, 2000), backOff };
  assert.deepEqual(words(podOf({}), stateOf({ main: crashed }), 5000), { actions: [], wakeMs: 12_000 });
  assert.deepEqual(words(podOf({}), stateOf({ main: crashed }), 12_000).actions, ['start main']);
});

test('a deadline wakes the Pod', () => {
  assert.equal(words(podOf({ activeDeadlineSeconds: 60 }), stateOf({ main: running })).wakeMs, 60_000);
});
