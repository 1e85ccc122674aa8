import type { Pod } from '../../api/core/pod.ts';
import type { Container } from '../../api/core/pod/container.ts';
import type { BackOff, ContainerState, Exit } from './state.ts';
import { initContainersOf, isSidecar } from './state.ts';

const firstDelayMs = 10_000;
const longestDelayMs = 300_000;
/** A container that ran this long starts afresh: twice the longest delay, as in Kubernetes. */
const forgetAfterMs = 2 * longestDelayMs;

/** Whether the container runs again after this exit. */
export function mayRestart(pod: Pod, container: Container, exit: Exit): boolean {
  if (restartsByRule(container, exit.code)) return true;
  const policy = policyOf(pod, container);
  return policy === 'Always' || (policy === 'OnFailure' && exit.code !== 0);
}

function policyOf(pod: Pod, container: Container): string {
  if (container.restartPolicy !== undefined) return container.restartPolicy;
  const policy = pod.spec.restartPolicy ?? 'Always';
  const isInit = initContainersOf(pod).includes(container) && !isSidecar(container);
  return isInit && policy === 'Always' ? 'OnFailure' : policy;
}

function restartsByRule(container: Container, code: number): boolean {
  const rule = (container.restartPolicyRules ?? []).find(({ exitCodes }) => {
    const isListed = (exitCodes?.values ?? []).includes(code);
    return exitCodes?.operator === 'NotIn' ? !isListed : isListed;
  });
  return rule?.action === 'Restart';
}

/** When an exited container may start again (Unix ms): at once the first time, then 10 s, 20 s … 300 s after its end. */
export function restartAtMs(state: ContainerState, exit: Exit): number {
  const { backOff } = state;
  if (backOff === undefined || exit.finishedMs - backOff.atMs > forgetAfterMs) return exit.finishedMs;
  return exit.finishedMs + backOff.delayMs;
}

/** The back-off after a restart at `nowMs`. */
export function raiseBackOff(backOff: BackOff | undefined, nowMs: number): BackOff {
  const isFresh = backOff === undefined || nowMs - backOff.atMs > forgetAfterMs;
  return { delayMs: isFresh ? firstDelayMs : Math.min(backOff.delayMs * 2, longestDelayMs), atMs: nowMs };
}
