import { mkdirSync, rmSync } from 'node:fs';
import type { Pod } from '../../api/core/pod.ts';
import type { PodCondition, PodStatus } from '../../api/core/pod/pod-status.ts';
import { nameOf, namespaceOf } from '../../api/meta/object-meta.ts';
import type { Action } from '../pod/decide.ts';
import { decide, graceMsOf, initFailed } from '../pod/decide.ts';
import { mayRestart, restartAtMs } from '../pod/restart.ts';
import type { Ending, PodState, Sandbox } from '../pod/state.ts';
import { allContainersOf } from '../pod/state.ts';
import { podStatus } from '../pod/status.ts';
import type { SandboxSpec } from '../runtime/runtime.ts';
import type { ContainerRunner } from './container-runner.ts';
import { createRunner, placeOf } from './container-runner.ts';
import { hostnameOf, prepareVolumes, releaseVolumes, writePodEtc } from './pod-files.ts';
import type { PodRecord } from './records.ts';
import { forgetContainers, savePod } from './records.ts';
import type { StatusSubject } from './status-writer.ts';
import type { Surroundings } from './surroundings.ts';

/** Looks after one Pod: makes what it asks for, tells how it is, ends it. */
export interface PodWorker {
  readonly pod: Pod;
  readonly sandbox: SandboxSpec | undefined;
  runner(container: string): ContainerRunner | undefined;
  /** The Pod as it is now in the API. */
  update(pod: Pod): void;
  /** The Pod is gone from the API without the agent's doing: end it quickly. */
  gone(): void;
  /** A ConfigMap, Secret or Service that it may use has changed. */
  configChanged(): void;
  /** Stops looking after it; its processes go on. */
  close(): void;
}

export interface PodWorkerOptions {
  readonly around: Surroundings;
  readonly pod: Pod;
  /** What an earlier agent left of it. */
  readonly record: PodRecord | undefined;
  /** Called when nothing of the Pod is left on this node. */
  onFinished(): void;
}

const sandboxRetryMs = 2000;
const longestTimerMs = 2 ** 31 - 1;
/** A Pod that has vanished from the API gets this long, as the kubelet gives it. */
const goneGraceMs = 1000;

export function createPodWorker({ around, pod: first, record, onFinished }: PodWorkerOptions): PodWorker {
  let pod = first;
  let sandbox: Sandbox = { state: 'none' };
  let spec: SandboxSpec | undefined;
  let ending: Ending | undefined;
  let startedMs = record?.startedMs ?? around.now();
  let timer: NodeJS.Timeout | undefined;
  let renewal: NodeJS.Timeout | undefined;
  let isScheduled = false;
  let isClosed = false;
  let isGone = false;
  let isFinishing = false;
  /** It ended under an earlier agent that left nothing here: its status stays as it is. */
  const isFrozen = record === undefined && isTerminal(first);
  let wasStarted = record !== undefined;
  let conditions: readonly PodCondition[] = first.status?.conditions ?? [];
  const runners = new Map<string, ContainerRunner>();
  const backingOff = new Set<string>();

  function state(): PodState {
    const containers = new Map([...runners].map(([name, runner]) => [name, runner.state]));
    return { sandbox, startedMs, containers, ending };
  }

  const subject: StatusSubject = {
    get pod() {
      return pod;
    },
    statusOf: (current) => statusOf(current),
    seen: (current) => void see(current),
  };

  function statusOf(current: Pod): PodStatus {
    const merged = { ...current, status: { ...current.status, conditions: newest(current.status?.conditions ?? []) } };
    const status = podStatus(merged, state(), { hostIp: around.node.hostIp }, around.now());
    conditions = status.conditions ?? [];
    return { ...current.status, ...status };
  }

  /** Conditions of others as stored; our own as last decided, for a write may be on its way. */
  function newest(stored: readonly PodCondition[]): readonly PodCondition[] {
    const own = conditions.filter(({ type }) => ownConditions.has(type));
    const known = new Set(own.map(({ type }) => type));
    return [...own, ...stored.filter(({ type }) => !known.has(type))];
  }

  function see(current: Pod): void {
    if (current.metadata.uid !== pod.metadata.uid) return;
    if (Number(current.metadata.resourceVersion ?? 0) < Number(pod.metadata.resourceVersion ?? 0)) return;
    pod = current;
    const { deletionTimestamp, deletionGracePeriodSeconds = 30 } = current.metadata;
    if (deletionTimestamp === undefined) return;
    end('deleted', Math.max(deletionGracePeriodSeconds * 1000, 1000));
  }

  function end(kind: Ending['kind'], graceMs: number): void {
    const nowMs = around.now();
    if (ending === undefined || (ending.kind === 'deadline' && kind === 'deleted')) {
      const before = ending;
      ending = { kind, sinceMs: before?.sinceMs ?? nowMs, graceMs: Math.min(graceMs, before?.graceMs ?? graceMs) };
    } else if (graceMs < ending.graceMs) ending = { ...ending, graceMs };
    else return;
    const leftMs = Math.max(0, ending.sinceMs + ending.graceMs - nowMs);
    for (const runner of runners.values()) runner.hurry(leftMs);
    wake();
  }

  /** Decides again, after everything that happens now. */
  function wake(): void {
    if (isScheduled || isClosed) return;
    isScheduled = true;
    setImmediate(() => {
      isScheduled = false;
      if (!isClosed) turn();
    });
  }

  function turn(): void {
    const { actions, wakeMs } = decide(pod, state(), around.now());
    for (const action of actions) perform(action);
    if (isClosed) return;
    reportBackOff();
    if (!isGone && !isFrozen) around.statusWriter.changed(subject);
    clearTimeout(timer);
    const waitMs = Math.min(Math.max(0, (wakeMs ?? Number.POSITIVE_INFINITY) - around.now()), longestTimerMs);
    if (wakeMs !== undefined) timer = setTimeout(wake, waitMs);
  }

  function perform(action: Action): void {
    switch (action.type) {
      case 'startSandbox':
        sandbox = { state: 'starting' };
        void startSandbox();
        return;
      case 'start':
        runners.get(action.container.name)?.start();
        return reportStarted();
      case 'stop':
        return stop(action);
      case 'removeSandbox':
        sandbox = { state: 'removing' };
        void removeSandbox();
        return;
      case 'end':
        around.event(pod, {
          type: 'Normal',
          reason: 'DeadlineExceeded',
          message: 'Pod was active on the node longer than the specified deadline',
        });
        return end('deadline', graceMsOf(pod));
      case 'finish':
        if (!isFinishing) void finish();
    }
  }

  function stop({ container, graceMs, why }: Action & { readonly type: 'stop' }): void {
    const messages = {
      startup: `Container ${container.name} failed startup probe, will be restarted`,
      liveness: `Container ${container.name} failed liveness probe, will be restarted`,
      postStart: `FailedPostStartHook`,
    };
    if (why === 'startup' || why === 'liveness') {
      around.event(pod, { type: 'Normal', reason: 'Killing', message: messages[why] }, container.name);
    }
    const leftMs = ending === undefined ? graceMs : Math.max(0, ending.sinceMs + graceMs - around.now());
    runners.get(container.name)?.stop(leftMs);
  }

  async function startSandbox(): Promise<void> {
    let ip = '';
    try {
      const isHostNetwork = pod.spec.hostNetwork === true;
      spec ??= {
        podUid: pod.metadata.uid ?? '',
        hostname: hostnameOf(pod, around.node.name),
        ip: isHostNetwork ? around.node.hostIp : (ip = around.ipam.allocate()),
        isHostNetwork,
      };
      mkdirSync(around.layout.pod(spec.podUid), { recursive: true });
      forgetContainers(around.layout, spec.podUid);
      const { namespace = '', name = '', uid = '' } = pod.metadata;
      savePod(around.layout, { namespace, name, uid, ...spec, startedMs });
      await prepareFiles(spec);
      if (isClosed) return;
      around.runtime.createSandbox(spec);
      ready(spec);
      reportImages();
    } catch (error) {
      if (ip !== '') around.ipam.release(ip);
      if (ip !== '') spec = undefined;
      failSandbox(error);
    }
    wake();
  }

  function failSandbox(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    const known = sandboxMessage;
    sandboxMessage = message;
    sandbox = { state: 'none', message, retryMs: around.now() + sandboxRetryMs };
    if (known === message) return;
    around.event(pod, { type: 'Warning', reason: 'FailedMount', message });
  }
  let sandboxMessage = '';

  function ready(of: SandboxSpec): void {
    spec = of;
    sandbox = { state: 'ready', ip: of.ip, readyMs: around.now() };
    const owner = {
      get pod() {
        return pod;
      },
      sandbox: of,
      changed: wake,
    };
    for (const container of allContainersOf(pod)) runners.set(container.name, createRunner(around, owner, container));
  }

  async function prepareFiles(of: SandboxSpec): Promise<void> {
    const { renewMs } = await prepareVolumes(around, pod, placeOf(around, of));
    if (around.runtime.hasMounts) writePodEtc(around, pod, of);
    clearTimeout(renewal);
    if (renewMs === undefined || isClosed) return;
    const waitMs = Math.min(Math.max(1000, renewMs - around.now()), longestTimerMs);
    renewal = setTimeout(() => void refreshFiles(), waitMs).unref();
  }

  /** Brings ConfigMaps, Secrets and tokens in volumes up to date. What is missing now stays as it was. */
  async function refreshFiles(): Promise<void> {
    if (spec === undefined || sandbox.state !== 'ready' || isClosed) return;
    try {
      await prepareFiles(spec);
    } catch (error) {
      around.logger.debug('volumes could not be brought up to date', { pod: nameOf(pod), error });
      renewal = setTimeout(() => void refreshFiles(), 10_000).unref();
    }
  }

  async function removeSandbox(): Promise<void> {
    const uid = pod.metadata.uid ?? '';
    try {
      await around.runtime.removeSandbox(uid);
      releaseVolumes(around, pod);
      if (spec !== undefined && !spec.isHostNetwork) around.ipam.release(spec.ip);
      sandbox = { state: 'removed', ip: spec?.ip };
    } catch (error) {
      around.logger.error('the surroundings of a Pod could not be removed', { pod: nameOf(pod), error });
      sandbox = spec === undefined ? { state: 'removed' } : { state: 'ready', ip: spec.ip, readyMs: around.now() };
      timer = setTimeout(wake, sandboxRetryMs);
      return;
    }
    wake();
  }

  async function finish(): Promise<void> {
    isFinishing = true;
    if (!isGone) {
      if (!isFrozen) around.statusWriter.changed(subject);
      await around.statusWriter.flushed(subject);
      if (!(await around.deletePod(pod))) {
        isFinishing = false;
        timer = setTimeout(wake, sandboxRetryMs);
        return;
      }
    }
    close();
    rmSync(around.layout.pod(pod.metadata.uid ?? ''), { recursive: true, force: true });
    onFinished();
  }

  function reportImages(): void {
    const message = 'Images are not pulled: containers run programs of this node, and the image is only recorded';
    around.event(pod, { type: 'Normal', reason: 'ImageNotPulled', message });
    if (around.runtime.hasMounts || (pod.spec.volumes ?? []).every(({ projected }) => projected !== undefined)) return;
    const missing = 'Without root, volumes cannot be mounted into containers';
    around.event(pod, { type: 'Warning', reason: 'FailedMount', message: missing });
  }

  function reportStarted(): void {
    if (wasStarted || !pod.spec.containers.every(({ name }) => runners.get(name)?.state.phase.state === 'running'))
      return;
    wasStarted = true;
    around.metrics.startSeconds.observe((around.now() - startedMs) / 1000);
  }

  /** An event whenever a container begins to wait for its restart. */
  function reportBackOff(): void {
    for (const container of allContainersOf(pod)) {
      const current = runners.get(container.name)?.state;
      if (current?.phase.state !== 'exited' || ending !== undefined || initFailed(pod, state())) continue;
      const { exit } = current.phase;
      const isWaiting = mayRestart(pod, container, exit) && restartAtMs(current, exit) > around.now();
      if (!isWaiting || backingOff.has(current.id)) continue;
      backingOff.add(current.id);
      const where = `${nameOf(pod)}_${namespaceOf(pod)}(${pod.metadata.uid})`;
      const message = `Back-off restarting failed container ${container.name} in pod ${where}`;
      around.event(pod, { type: 'Warning', reason: 'BackOff', message }, container.name);
    }
  }

  function adopt(found: PodRecord): void {
    const { uid: podUid, hostname, ip, isHostNetwork } = found;
    if (!isHostNetwork) around.ipam.take(ip);
    if (!isHostNetwork && !around.runtime.hasSandbox(podUid)) {
      if (isTerminal(pod)) sandbox = { state: 'removed', ip };
      else spec = { podUid, hostname, ip, isHostNetwork };
      if (!isTerminal(pod)) return;
    }
    const was = sandbox;
    ready({ podUid, hostname, ip, isHostNetwork });
    if (was.state === 'removed') sandbox = was;
    const statuses = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])];
    for (const [name, runner] of runners) {
      const seen = statuses.find((each) => each.name === name);
      runner.adopt({ isReady: seen?.ready === true, hasStarted: seen?.started === true });
    }
    void refreshFiles();
  }

  function close(): void {
    isClosed = true;
    clearTimeout(timer);
    clearTimeout(renewal);
    for (const runner of runners.values()) runner.close();
  }

  if (record !== undefined) adopt(record);
  else if (isTerminal(first)) sandbox = { state: 'removed', ip: first.status?.podIP };
  if (first.metadata.deletionTimestamp !== undefined) see(first);
  startedMs = parseStart(first) ?? startedMs;
  wake();

  return {
    get pod() {
      return pod;
    },
    get sandbox() {
      return spec;
    },
    runner: (name) => runners.get(name),
    update(current) {
      see(current);
      wake();
    },
    gone() {
      isGone = true;
      end('deleted', goneGraceMs);
      wake();
    },
    configChanged() {
      for (const runner of runners.values()) runner.configChanged();
      if (sandbox.state === 'none' && sandbox.message !== undefined) sandbox = { ...sandbox, retryMs: around.now() };
      void refreshFiles();
      wake();
    },
    close,
  };
}

const ownConditions = new Set(['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled']);

/** Succeeded or Failed: it never runs again. */
function isTerminal(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

function parseStart(pod: Pod): number | undefined {
  const { startTime } = pod.status ?? {};
  return startTime === undefined ? undefined : Date.parse(startTime);
}
