import { setTimeout as delay } from 'node:timers/promises';
import type { LifecycleHandler } from '../../api/core/pod/probe.ts';
import { finishCommand, killGroup } from '../probes/exec.ts';
import { probeHttp } from '../probes/http.ts';
import type { ProbeOutcome } from '../probes/outcome.ts';
import { resolvePort } from '../probes/ports.ts';
import type { ProbeTarget } from '../probes/run-probe.ts';
import { httpTarget } from '../probes/run-probe.ts';
import { probeTcp } from '../probes/tcp.ts';

/** The longest time that a timer takes. */
const forEverMs = 2 ** 31 - 1;
/** A request or connection of a hook gets no more than this, however long the grace period. */
const longestRequestMs = 120_000;

/** Runs a lifecycle hook; what went wrong, or undefined. Given up when the signal aborts: the container has ended. */
export async function runHook(
  hook: LifecycleHandler,
  target: ProbeTarget,
  timeoutMs: number | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  const limitMs = timeoutMs ?? forEverMs;
  const requestMs = Math.min(limitMs, longestRequestMs);
  try {
    if (hook.sleep !== undefined) {
      await delay(Math.min(hook.sleep.seconds * 1000, limitMs), undefined, { signal }).catch(() => {});
      return undefined;
    }
    if (hook.exec !== undefined) return await runCommandHook(hook.exec.command ?? [], target, timeoutMs, signal);
    if (hook.httpGet !== undefined) return problemOf(await probeHttp(httpTarget(hook.httpGet, target, requestMs)));
    if (hook.tcpSocket === undefined) return undefined;
    const { host, port } = hook.tcpSocket;
    return problemOf(await probeTcp(host || target.podIp, resolvePort(target.container, port), requestMs));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function problemOf({ isOk, output }: ProbeOutcome): string | undefined {
  return isOk ? undefined : output;
}

async function runCommandHook(
  command: readonly string[],
  target: ProbeTarget,
  timeoutMs: number | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  const child = target.exec(command);
  const abandon = () => killGroup(child);
  signal.addEventListener('abort', abandon, { once: true });
  const { code, output } = await finishCommand(child, timeoutMs);
  signal.removeEventListener('abort', abandon);
  if (code === 0) return undefined;
  return code === undefined ? 'the hook did not end in time' : `command exited with ${code}: ${output.trim()}`;
}
