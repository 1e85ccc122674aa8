import type { ChildProcess } from 'node:child_process';
import type { Container } from '../../api/core/pod/container.ts';
import type { HTTPGetAction, Probe } from '../../api/core/pod/probe.ts';
import { probeExec } from './exec.ts';
import { probeGrpc } from './grpc.ts';
import { probeHttp } from './http.ts';
import type { HttpProbe } from './http.ts';
import type { ProbeOutcome } from './outcome.ts';
import { resolvePort } from './ports.ts';
import { probeTcp } from './tcp.ts';

/** What a probe needs of the place where its container runs. */
export interface ProbeTarget {
  readonly container: Container;
  readonly podIp: string;
  /** `kube-probe/1.36`. */
  readonly userAgent: string;
  /** Starts a command in the container, output piped. */
  exec(command: readonly string[]): ChildProcess;
}

/** Runs a probe once. Never throws: what cannot be run has failed. */
export async function runProbe(probe: Probe, target: ProbeTarget, timeoutMs: number): Promise<ProbeOutcome> {
  try {
    return await perform(probe, target, timeoutMs);
  } catch (error) {
    return { isOk: false, output: error instanceof Error ? error.message : String(error) };
  }
}

function perform(probe: Probe, target: ProbeTarget, timeoutMs: number): Promise<ProbeOutcome> {
  const { container, podIp, userAgent } = target;
  if (probe.exec !== undefined) {
    const command = probe.exec.command ?? [];
    return probeExec(target.exec(command), command.join(' '), timeoutMs);
  }
  if (probe.httpGet !== undefined) return probeHttp(httpTarget(probe.httpGet, target, timeoutMs));
  if (probe.tcpSocket !== undefined) {
    return probeTcp(probe.tcpSocket.host || podIp, resolvePort(container, probe.tcpSocket.port), timeoutMs);
  }
  if (probe.grpc !== undefined) {
    return probeGrpc(podIp, probe.grpc.port, probe.grpc.service ?? '', timeoutMs, userAgent);
  }
  return Promise.resolve({ isOk: true, output: 'the probe has no action' });
}

/** Where an `httpGet` of a probe or hook goes. */
export function httpTarget(action: HTTPGetAction, target: ProbeTarget, timeoutMs: number): HttpProbe {
  return {
    scheme: action.scheme === 'HTTPS' ? 'https' : 'http',
    host: action.host || target.podIp,
    port: resolvePort(target.container, action.port),
    path: action.path ?? '/',
    headers: action.httpHeaders ?? [],
    timeoutMs,
    userAgent: target.userAgent,
  };
}
