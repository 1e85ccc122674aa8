import type { Issues } from '../../issues.ts';
import { portName, portNumber } from '../../names.ts';
import type { Lifecycle, LifecycleHandler, Probe, ProbeHandler } from './probe.ts';

/** The rules of probes and lifecycle hooks. */

function checkPort(issues: Issues, path: string, port: number | string | undefined): void {
  issues.invalidAll(path, port ?? 0, typeof port === 'string' ? portName(port) : portNumber(port ?? 0));
}

function checkAction(issues: Issues, path: string, handler: ProbeHandler & LifecycleHandler): void {
  const { exec, httpGet, tcpSocket, grpc, sleep } = handler;
  if (exec !== undefined && (exec.command ?? []).length === 0) issues.required(`${path}.exec.command`);
  if (httpGet !== undefined) {
    if ((httpGet.path ?? '') === '') issues.required(`${path}.httpGet.path`);
    checkPort(issues, `${path}.httpGet.port`, httpGet.port);
    issues.oneOf(`${path}.httpGet.scheme`, httpGet.scheme, ['HTTP', 'HTTPS']);
  }
  if (tcpSocket !== undefined) checkPort(issues, `${path}.tcpSocket.port`, tcpSocket.port);
  if (grpc !== undefined) checkPort(issues, `${path}.grpc.port`, grpc.port);
  if (sleep !== undefined) issues.nonNegative(`${path}.sleep.seconds`, sleep.seconds);
}

/** Exactly one action, and a sound one. */
function checkHandler(issues: Issues, path: string, handler: ProbeHandler & LifecycleHandler): void {
  const names = ['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'] as const;
  const given = names.filter((name) => handler[name] !== undefined);
  if (given.length === 0) issues.required(path, 'must specify a handler type');
  for (const name of given.slice(1)) issues.forbidden(`${path}.${name}`, 'may not specify more than 1 handler type');
  checkAction(issues, path, handler);
}

/** The rules of one probe. Liveness and startup probes succeed once or not at all. */
export function checkProbe(issues: Issues, path: string, probe: Probe | undefined, isReadiness: boolean): void {
  if (probe === undefined) return;
  checkHandler(issues, path, probe);
  const counts = [
    'initialDelaySeconds',
    'timeoutSeconds',
    'periodSeconds',
    'successThreshold',
    'failureThreshold',
  ] as const;
  for (const name of counts) issues.nonNegative(`${path}.${name}`, probe[name]);
  const threshold = probe.successThreshold ?? 1;
  if (!isReadiness && threshold !== 1) issues.invalid(`${path}.successThreshold`, threshold, 'must be 1');
  const grace = probe.terminationGracePeriodSeconds;
  if (grace === undefined) return;
  if (isReadiness) {
    issues.invalid(`${path}.terminationGracePeriodSeconds`, grace, 'must not be set for readinessProbes');
  } else if (grace <= 0) issues.invalid(`${path}.terminationGracePeriodSeconds`, grace, 'must be greater than 0');
}

/** The rules of the hooks of a container. */
export function checkLifecycle(issues: Issues, path: string, lifecycle: Lifecycle | undefined): void {
  if (lifecycle?.postStart !== undefined) checkHandler(issues, `${path}.postStart`, lifecycle.postStart);
  if (lifecycle?.preStop !== undefined) checkHandler(issues, `${path}.preStop`, lifecycle.preStop);
}
