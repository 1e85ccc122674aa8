import type { Container } from '../../api/core/pod/container.ts';
import type { EnvVar } from '../../api/core/pod/container-env.ts';
import type { ContainerState, ContainerStatus } from '../../api/core/pod/container-status.ts';
import type { LifecycleHandler, Probe } from '../../api/core/pod/probe.ts';
import type { Fields } from './fields.ts';

/** One block per container, with its state when there is one. */
export function containerFields(
  containers: readonly Container[] | undefined,
  statuses: readonly ContainerStatus[] = [],
): Fields {
  return (containers ?? []).map((container) => {
    const status = statuses.find(({ name }) => name === container.name);
    return [container.name, [...stateFields(status), ...specFields(container)]];
  });
}

function stateFields(status: ContainerStatus | undefined): Fields {
  if (status === undefined) return [];
  return [
    ['State', stateText(status.state)],
    [
      'Last state',
      status.lastState && Object.keys(status.lastState).length > 0 ? stateText(status.lastState) : undefined,
    ],
    ['Ready', status.ready ? 'True' : 'False'],
    ['Restarts', status.restartCount ?? 0],
    ['Container ID', status.containerID],
  ];
}

/** `Running since …`, `Waiting: CrashLoopBackOff (…)`, `Terminated: Error, exit code 1, …`. */
export function stateText(state: ContainerState | undefined): string {
  if (state?.running !== undefined) return `Running since ${state.running.startedAt ?? '<unknown>'}`;
  if (state?.terminated !== undefined) {
    const { reason = '', exitCode, signal, startedAt, finishedAt, message } = state.terminated;
    const how = signal ? `signal ${signal}` : `exit code ${exitCode}`;
    const text = `Terminated: ${reason}, ${how}, ${startedAt ?? '?'} to ${finishedAt ?? '?'}`;
    return message ? `${text}\n${message.trim()}` : text;
  }
  const { reason = 'not started', message } = state?.waiting ?? {};
  return `Waiting: ${reason}${message ? ` (${message})` : ''}`;
}

function specFields(container: Container): Fields {
  const { ports, command, args, readinessProbe, livenessProbe, startupProbe, lifecycle, resources } = container;
  return [
    ['Image', container.image],
    ['Command', command && command.length > 0 ? command.map(brief).join(' ') : undefined],
    ['Arguments', args && args.length > 0 ? args.map(brief).join(' ') : undefined],
    [
      'Ports',
      (ports ?? []).map(
        (port) => `${port.containerPort}/${port.protocol ?? 'TCP'}${port.name ? ` (${port.name})` : ''}`,
      ),
    ],
    ['Limits', resources?.limits && Object.entries(resources.limits).map(([name, amount]) => `${name}: ${amount}`)],
    ['Startup', startupProbe && probeText(startupProbe)],
    ['Readiness', readinessProbe && probeText(readinessProbe)],
    ['Liveness', livenessProbe && probeText(livenessProbe)],
    ['Post-start', lifecycle?.postStart && handlerText(lifecycle.postStart)],
    ['Pre-stop', lifecycle?.preStop && handlerText(lifecycle.preStop)],
    ['Environment from', environmentSources(container)],
    ['Environment', (container.env ?? []).map(environmentText)],
  ];
}

/** A word of a command line; long ones (inline scripts) are cut at their first line. */
function brief(word: string): string {
  const line = word.trim().split('\n')[0] ?? '';
  if (line.length > 80 || line !== word) return `"${line.slice(0, 80)}…"`;
  return /\s/.test(word) ? JSON.stringify(word) : word;
}

/** `http-get http://:8080/ready delay=0s timeout=1s period=10s #success=1 #failure=3`, as kubectl writes it. */
export function probeText(probe: Probe): string {
  const {
    initialDelaySeconds = 0,
    timeoutSeconds = 1,
    periodSeconds = 10,
    successThreshold = 1,
    failureThreshold = 3,
  } = probe;
  const timing = `delay=${initialDelaySeconds}s timeout=${timeoutSeconds}s period=${periodSeconds}s`;
  return `${handlerText(probe)} ${timing} #success=${successThreshold} #failure=${failureThreshold}`;
}

function handlerText(handler: Probe | LifecycleHandler): string {
  if (handler.exec) return `exec [${(handler.exec.command ?? []).map(brief).join(' ')}]`;
  if (handler.httpGet) {
    const { scheme = 'HTTP', host = '', port, path = '/' } = handler.httpGet;
    return `http-get ${scheme.toLowerCase()}://${host}:${port}${path}`;
  }
  if (handler.tcpSocket) return `tcp-socket ${handler.tcpSocket.host ?? ''}:${handler.tcpSocket.port}`;
  if ('grpc' in handler && handler.grpc) return `grpc :${handler.grpc.port} ${handler.grpc.service ?? ''}`.trim();
  if ('sleep' in handler && handler.sleep) return `sleep ${handler.sleep.seconds}s`;
  return '<unknown>';
}

function environmentSources({ envFrom = [] }: Container): readonly string[] | undefined {
  if (envFrom.length === 0) return undefined;
  return envFrom.map(({ configMapRef, secretRef, prefix }) => {
    const source = configMapRef ? `ConfigMap ${configMapRef.name}` : `Secret ${secretRef?.name}`;
    return prefix ? `${source} with prefix ${prefix}` : source;
  });
}

function environmentText({ name, value = '', valueFrom }: EnvVar): string {
  if (valueFrom?.configMapKeyRef)
    return `${name}: <${valueFrom.configMapKeyRef.key} of ConfigMap ${valueFrom.configMapKeyRef.name}>`;
  if (valueFrom?.secretKeyRef)
    return `${name}: <${valueFrom.secretKeyRef.key} of Secret ${valueFrom.secretKeyRef.name}>`;
  if (valueFrom?.fieldRef) return `${name}: <${valueFrom.fieldRef.fieldPath} of the Pod>`;
  if (valueFrom?.resourceFieldRef) return `${name}: <${valueFrom.resourceFieldRef.resource} of the container>`;
  return `${name}: ${value.includes('\n') ? brief(value) : value}`;
}
