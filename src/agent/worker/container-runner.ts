import type { ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import type { Pod } from '../../api/core/pod.ts';
import type { Container } from '../../api/core/pod/container.ts';
import type { LifecycleHandler, Probe } from '../../api/core/pod/probe.ts';
import { ConfigError } from '../environment/config-error.ts';
import { containerCommand } from '../environment/command.ts';
import { containerEnv } from '../environment/env.ts';
import type { LogCollector } from '../logs/collector.ts';
import { createCollector } from '../logs/collector.ts';
import type { LogGrowth } from '../logs/reader.ts';
import { lastText } from '../logs/reader.ts';
import type { ContainerPhase, ContainerState, Exit, Verdict } from '../pod/state.ts';
import { newContainer } from '../pod/state.ts';
import { raiseBackOff } from '../pod/restart.ts';
import type { Prober } from '../probes/prober.ts';
import { startProber } from '../probes/prober.ts';
import type { ProbeOutcome } from '../probes/outcome.ts';
import type { ProbeTarget } from '../probes/run-probe.ts';
import { runProbe } from '../probes/run-probe.ts';
import { baseEnv } from '../runtime/executable.ts';
import type { AttemptRef, ExecSpec, ProcessEnd, ProcessSpec, SandboxSpec } from '../runtime/runtime.ts';
import { StartError } from '../runtime/runtime.ts';
import { runHook } from './hooks.ts';
import { containerMounts } from './pod-files.ts';
import { loadContainer, saveContainer } from './records.ts';
import type { Surroundings } from './surroundings.ts';
import { processUser } from './user.ts';

/** What a runner needs of the Pod it belongs to. */
export interface RunnerOwner {
  /** The Pod as last seen. */
  readonly pod: Pod;
  readonly sandbox: SandboxSpec;
  /** The container's state has changed. */
  changed(): void;
}

/** Runs one container of one Pod: attempts, hooks, probes, log. Its `state` is what the decisions are made from. */
export interface ContainerRunner {
  readonly state: ContainerState;
  /** Starts the next attempt. What goes wrong becomes the state. */
  start(): void;
  /** Ends the container: preStop hook, SIGTERM, and SIGKILL when the time is over. */
  stop(graceMs: number): void;
  /** Less time to end than was said before. */
  hurry(graceMs: number): void;
  /** Takes over what an earlier agent left; `seen` is the Pod's last written status. */
  adopt(seen: { readonly isReady: boolean; readonly hasStarted: boolean }): void;
  /** Tries again what failed for want of configuration. */
  configChanged(): void;
  /** The newest attempt. */
  readonly attempt: AttemptRef;
  /** Of the running container. */
  readonly collector: LogCollector | undefined;
  /** Whether it was given a standard input, and whether that ends with the first client. */
  readonly hasStdin: boolean;
  readonly closesStdin: boolean;
  /** Tells of more log of the newest attempt, and of its end. */
  readonly growth: LogGrowth;
  /** Runs a command inside. Throws `StartError`. */
  exec(command: readonly string[], stdio: ExecSpec['stdio'], hasTerminal: boolean): ChildProcess;
  /** Leaves the process running. */
  close(): void;
}

const configRetryMs = 10_000;
/** However short the grace period, a process gets this long after its preStop hook, as in Kubernetes. */
const leastGraceMs = 2000;

export function createRunner(around: Surroundings, owner: RunnerOwner, container: Container): ContainerRunner {
  const uid = owner.sandbox.podUid;
  let state: ContainerState = newContainer;
  let collector: LogCollector | undefined;
  let probers: { readonly kind: ProbeKind; readonly prober: Prober }[] = [];
  let killAt: { readonly atMs: number; readonly timer: NodeJS.Timeout } | undefined;
  let stopped = new AbortController();
  let ended = Promise.withResolvers<void>();
  let readers = Promise.withResolvers<void>();

  const ref = (attempt = state.restarts): AttemptRef => ({ podUid: uid, container: container.name, attempt });
  const event = (type: 'Normal' | 'Warning', reason: string, message: string) =>
    around.event(owner.pod, { type, reason, message }, container.name);

  function tellReaders(): void {
    readers.resolve();
    readers = Promise.withResolvers();
  }

  function growthOf(attempt: number): LogGrowth {
    return {
      changed: () => readers.promise,
      get isOver() {
        return state.restarts !== attempt || state.phase.state !== 'running';
      },
    };
  }

  function set(change: Partial<ContainerState>): void {
    state = { ...state, ...change };
    owner.changed();
  }

  function record(startedMs: number, exit?: Exit): void {
    const { restarts, id, last, backOff } = state;
    saveContainer(around.layout, uid, container.name, { restarts, id, startedMs, exit, last, backOff });
  }

  function start(): void {
    const previous = state.phase.state === 'exited' ? state.phase.exit : undefined;
    const attempt = state.id === '' ? 0 : state.restarts + 1;
    let spec: ProcessSpec;
    try {
      spec = prepare(attempt);
    } catch (error) {
      return refuse(error);
    }
    if (attempt > 1) rmSync(around.layout.attempt(ref(attempt - 2)), { recursive: true, force: true });
    const startedMs = around.now();
    state = {
      ...newContainer,
      phase: { state: 'starting' },
      restarts: attempt,
      id: `${uid}-${container.name}-${attempt}`,
      last: previous ?? state.last,
      backOff: attempt === 0 ? undefined : raiseBackOff(state.backOff, startedMs),
    };
    record(startedMs);
    launch(spec, startedMs);
  }

  function launch(spec: ProcessSpec, startedMs: number): void {
    ended = Promise.withResolvers();
    stopped = new AbortController();
    rmSync(around.layout.attempt(ref()), { recursive: true, force: true });
    try {
      around.runtime.start(spec, owner.sandbox, (end) => onEnd(startedMs, end));
    } catch (error) {
      return failStart(error, startedMs);
    }
    around.metrics.containerStarts.inc({ result: 'ok' });
    event('Normal', 'Created', `Created container: ${container.name}`);
    event('Normal', 'Started', `Started container ${container.name}`);
    begin(startedMs, container.lifecycle?.postStart === undefined ? 'none' : 'running');
    if (container.lifecycle?.postStart !== undefined) void runPostStart(container.lifecycle.postStart, ref().attempt);
  }

  /** The process runs: collect its log and probe it. */
  function begin(startedMs: number, hook: 'none' | 'running' | 'done'): void {
    collector = createCollector(around.layout.attempt(ref()), around.now);
    collector.onLines(tellReaders);
    set({ phase: { state: 'running', startedMs, hook, isStopping: false } });
    startProbers(startedMs);
  }

  function prepare(attempt: number): ProcessSpec {
    const { pod, sandbox } = owner;
    const place = placeOf(around, sandbox);
    const base = new Map([...baseEnv(sandbox.hostname), ...(around.runtime.hasMounts ? [] : plainEnv(sandbox))]);
    const env = containerEnv({ pod, container, services: around.services(), sources: around.sources, place, base });
    const command = containerCommand(container, env);
    if ('error' in command) throw new CommandError(command.error);
    return {
      ...ref(attempt),
      argv: command.argv,
      env,
      workingDir: container.workingDir || '/',
      user: processUser(pod, container),
      mounts: around.runtime.hasMounts ? containerMounts(around, pod, container, env) : [],
      isReadOnlyRoot: container.securityContext?.readOnlyRootFilesystem === true,
      hasStdin: container.stdin === true,
      hasTerminal: container.tty === true,
    };
  }

  /** Something in the configuration is missing (it may come) or wrong (it stays wrong). */
  function refuse(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    const isFixed = error instanceof CommandError;
    const reason = isFixed ? 'CreateContainerError' : 'CreateContainerConfigError';
    if (state.phase.state !== 'waiting' || state.phase.message !== message)
      event('Warning', 'Failed', `Error: ${message}`);
    if (!isFixed && !(error instanceof ConfigError)) around.logger.error('preparing a container failed', { error });
    set({ phase: { state: 'waiting', reason, message, retryMs: isFixed ? undefined : around.now() + configRetryMs } });
  }

  function failStart(error: unknown, startedMs: number): void {
    const message = error instanceof Error ? error.message : String(error);
    if (!(error instanceof StartError)) around.logger.error('starting a container failed', { error });
    around.metrics.containerStarts.inc({ result: 'error' });
    event('Warning', 'Failed', `Error: failed to start container "${container.name}": ${message}`);
    finish({ code: 128, reason: 'StartError', message, startedMs, finishedMs: around.now(), id: state.id });
  }

  function onEnd(startedMs: number, end: ProcessEnd): void {
    collector?.drain(true);
    const code = end.code ?? 137;
    const isKnown = end.code !== undefined;
    const reason = isKnown ? (code === 0 ? 'Completed' : 'Error') : 'ContainerStatusUnknown';
    const message = isKnown ? terminationMessage(code) : 'The container could not be located when the agent came back';
    finish({ code, reason, message, startedMs, finishedMs: Math.max(end.finishedMs, startedMs), id: state.id });
  }

  function terminationMessage(code: number): string | undefined {
    if (container.terminationMessagePolicy !== 'FallbackToLogsOnError' || code === 0) return undefined;
    return lastText(around.layout.attempt(ref()));
  }

  function finish(exit: Exit): void {
    stopProbers(() => true);
    clearTimeout(killAt?.timer);
    killAt = undefined;
    stopped.abort();
    collector?.close();
    collector = undefined;
    around.metrics.containerEnds.inc({ reason: exit.reason });
    set({ phase: { state: 'exited', exit }, startup: 'unknown', liveness: 'unknown', readiness: 'unknown' });
    record(exit.startedMs ?? exit.finishedMs, exit);
    ended.resolve();
    tellReaders();
  }

  function target(): ProbeTarget {
    return {
      container,
      podIp: owner.sandbox.ip,
      userAgent: around.userAgent,
      exec: (command) => exec(command, ['ignore', 'pipe', 'pipe'], false),
    };
  }

  function exec(command: readonly string[], stdio: ExecSpec['stdio'], hasTerminal: boolean): ChildProcess {
    const [program = '', ...args] = command;
    const { env, user, workingDir } = prepare(state.restarts);
    const withTerm = hasTerminal && !env.has('TERM') ? new Map([...env, ['TERM', 'xterm'] as const]) : env;
    const argv: [string, ...string[]] = [program, ...args];
    return around.runtime.exec(ref(), { argv, env: withTerm, user, workingDir, stdio, hasTerminal });
  }

  function startProbers(startedMs: number): void {
    const { startupProbe, livenessProbe, readinessProbe } = container;
    const others = () => {
      if (livenessProbe !== undefined) addProber('liveness', livenessProbe, startedMs);
      if (readinessProbe !== undefined) addProber('readiness', readinessProbe, startedMs);
    };
    if (startupProbe === undefined || state.startup === 'success') return others();
    addProber('startup', startupProbe, startedMs, others);
  }

  function addProber(kind: ProbeKind, probe: Probe, startedMs: number, onSuccess = () => {}): void {
    const prober = startProber({
      probe,
      initial: state[kind],
      isEager: kind !== 'liveness',
      startedMs,
      now: around.now,
      run: (timeoutMs) => runProbe(probe, target(), timeoutMs),
      onResult(outcome, verdict) {
        reportProbe(kind, outcome);
        if (verdict === state[kind]) return;
        if (kind === 'startup' && verdict === 'success') {
          stopProbers((each) => each === 'startup');
          set({ startup: verdict });
          onSuccess();
        } else set({ [kind]: verdict });
      },
    });
    probers.push({ kind, prober });
  }

  function reportProbe(kind: ProbeKind, { isOk, output }: ProbeOutcome): void {
    around.metrics.probes.inc({ probe: kind, result: isOk ? 'success' : 'failure' });
    if (isOk) return;
    const name = `${kind.charAt(0).toUpperCase()}${kind.slice(1)}`;
    event('Warning', 'Unhealthy', `${name} probe failed: ${output}`);
  }

  function stopProbers(isMeant: (kind: ProbeKind) => boolean): void {
    for (const { prober } of probers.filter(({ kind }) => isMeant(kind))) prober.stop();
    probers = probers.filter(({ kind }) => !isMeant(kind));
  }

  async function runPostStart(hook: LifecycleHandler, attempt: number): Promise<void> {
    const problem = await hookOf(hook, undefined);
    const { phase } = state;
    if (phase.state !== 'running' || state.restarts !== attempt) return;
    if (problem !== undefined) event('Warning', 'FailedPostStartHook', `PostStartHook failed: ${problem}`);
    set({ phase: { ...phase, hook: problem === undefined ? 'done' : 'failed' } });
  }

  function hookOf(hook: LifecycleHandler, timeoutMs: number | undefined): Promise<string | undefined> {
    return runHook(hook, target(), timeoutMs, stopped.signal);
  }

  function stop(graceMs: number): void {
    const { phase } = state;
    if (phase.state !== 'running' || phase.isStopping) return;
    stopProbers((kind) => kind !== 'readiness');
    set({ phase: { ...phase, isStopping: true } });
    event('Normal', 'Killing', `Stopping container ${container.name}`);
    scheduleKill(around.now() + graceMs);
    void terminate(graceMs, around.now());
  }

  async function terminate(graceMs: number, beganMs: number): Promise<void> {
    const hook = container.lifecycle?.preStop;
    if (hook !== undefined && graceMs > 0) {
      const problem = await Promise.race([hookOf(hook, graceMs), ended.promise.then(() => undefined)]);
      if (problem !== undefined) event('Warning', 'FailedPreStopHook', `PreStopHook failed: ${problem}`);
      const leftMs = beganMs + graceMs - around.now();
      if (leftMs < leastGraceMs && state.phase.state === 'running') scheduleKill(around.now() + leastGraceMs);
    }
    if (state.phase.state === 'running') await around.runtime.signal(ref(), stopSignal(container));
  }

  function scheduleKill(atMs: number): void {
    clearTimeout(killAt?.timer);
    const attempt = ref();
    const timer = setTimeout(() => void around.runtime.kill(attempt), Math.max(0, atMs - around.now()));
    killAt = { atMs, timer };
  }

  return {
    get state() {
      return state;
    },
    get attempt() {
      return ref();
    },
    get collector() {
      return collector;
    },
    hasStdin: container.stdin === true,
    closesStdin: container.stdinOnce === true,
    get growth() {
      return growthOf(state.restarts);
    },
    exec,
    start,
    stop,
    hurry(graceMs) {
      const atMs = around.now() + graceMs;
      if (killAt !== undefined && atMs < killAt.atMs) scheduleKill(atMs);
    },
    adopt(seen) {
      const found = loadContainer(around.layout, uid, container.name);
      if (found === undefined) return;
      const { restarts, id, last, backOff, startedMs, exit } = found;
      const verdict = (isOk: boolean): Verdict => (isOk ? 'success' : 'unknown');
      state = { ...newContainer, restarts, id, last, backOff };
      if (exit !== undefined) return set({ phase: { state: 'exited', exit } });
      state = { ...state, startup: verdict(seen.hasStarted), readiness: verdict(seen.isReady) };
      ended = Promise.withResolvers();
      try {
        around.runtime.adopt(ref(), (end) => onEnd(startedMs, end));
        begin(startedMs, container.lifecycle?.postStart === undefined ? 'none' : 'done');
      } catch (error) {
        around.logger.warn('a container could not be taken over', { container: id, error });
        onEnd(startedMs, { code: undefined, finishedMs: around.now() });
      }
    },
    configChanged() {
      const { phase } = state;
      if (phase.state === 'waiting' && phase.retryMs !== undefined) {
        set({ phase: { ...phase, retryMs: around.now() } satisfies ContainerPhase });
      }
    },
    close() {
      stopProbers(() => true);
      clearTimeout(killAt?.timer);
      stopped.abort();
      collector?.close();
      collector = undefined;
      tellReaders();
    },
  };
}

type ProbeKind = 'startup' | 'liveness' | 'readiness';

/** The container does not say what to run. */
class CommandError extends Error {}

/** What the downward API knows of a Pod's place. */
export function placeOf(around: Surroundings, sandbox: Pick<SandboxSpec, 'ip'>) {
  const { name: nodeName, hostIp, capacity } = around.node;
  return { nodeName, hostIp, capacity, podIp: sandbox.ip };
}

function plainEnv(sandbox: SandboxSpec): readonly (readonly [string, string])[] {
  return [['POD_IP', sandbox.ip]];
}

function stopSignal({ lifecycle }: Container): NodeJS.Signals {
  const name = lifecycle?.stopSignal ?? 'SIGTERM';
  return name.startsWith('SIG') ? (name as NodeJS.Signals) : 'SIGTERM';
}
