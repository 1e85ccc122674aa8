import { ageColumn, nameColumn } from '../../columns.ts';
import { ageOf } from '../../duration.ts';
import type { Column } from '../../schema.ts';
import type { Pod } from '../pod.ts';
import type { ContainerState, ContainerStateTerminated, ContainerStatus } from './container-status.ts';

/** How `kubectl get pods` shows a Pod: the words in its Status column are what people look for first. */

interface Progress {
  /** What to show when init containers are not done; undefined when they are. */
  readonly reason: string | undefined;
  readonly readySidecars: number;
}

interface Summary {
  readonly ready: number;
  readonly total: number;
  readonly reason: string;
  readonly restarts: number;
  /** When the last container that counts ended. */
  readonly lastRestart: string | undefined;
}

function sidecarNames(pod: Pod): ReadonlySet<string> {
  const sidecars = (pod.spec.initContainers ?? []).filter((each) => each.restartPolicy === 'Always');
  return new Set(sidecars.map((each) => each.name));
}

function isConditionTrue(pod: Pod, type: string): boolean {
  return (pod.status?.conditions ?? []).some((each) => each.type === type && each.status === 'True');
}

function exitText({ signal = 0, exitCode }: ContainerStateTerminated): string {
  return signal === 0 ? `ExitCode:${exitCode}` : `Signal:${signal}`;
}

/** Why an init container holds the Pod up; undefined when it does not. */
function initReason(state: ContainerState | undefined, done: string): string | undefined {
  const { terminated, waiting } = state ?? {};
  if (terminated !== undefined) {
    if (terminated.exitCode === 0) return undefined;
    return `Init:${terminated.reason ?? exitText(terminated)}`;
  }
  const reason = waiting?.reason ?? '';
  return reason !== '' && reason !== 'PodInitializing' ? `Init:${reason}` : `Init:${done}`;
}

function initProgress(pod: Pod, sidecars: ReadonlySet<string>): Progress {
  const statuses = pod.status?.initContainerStatuses ?? [];
  const total = pod.spec.initContainers?.length ?? 0;
  let readySidecars = 0;
  for (const [index, status] of statuses.entries()) {
    if (sidecars.has(status.name) && status.started === true) {
      if (status.ready) readySidecars++;
      continue;
    }
    const reason = initReason(status.state, `${index}/${total}`);
    if (reason !== undefined) return { reason, readySidecars };
  }
  return { reason: undefined, readySidecars };
}

function restartsOf(statuses: readonly ContainerStatus[]): Pick<Summary, 'restarts' | 'lastRestart'> {
  const ends = statuses.map((each) => each.lastState?.terminated?.finishedAt).filter((each) => each !== undefined);
  return {
    restarts: statuses.reduce((sum, each) => sum + (each.restartCount ?? 0), 0),
    lastRestart: ends.sort().at(-1),
  };
}

function phaseReason({ status }: Pod): string {
  const isGated = (status?.conditions ?? []).some(
    (each) => each.type === 'PodScheduled' && each.reason === 'SchedulingGated',
  );
  return isGated ? 'SchedulingGated' : (status?.reason ?? status?.phase ?? '');
}

function containerReason({ waiting, terminated }: ContainerState): string | undefined {
  if (waiting?.reason !== undefined) return waiting.reason;
  return terminated && (terminated.reason ?? exitText(terminated));
}

/** The reason of the first container that has one; the phase otherwise. */
function runReason(pod: Pod, statuses: readonly ContainerStatus[]): string {
  const reasons = statuses.map((each) => containerReason(each.state ?? {}));
  const reason = reasons.find((each) => each !== undefined) ?? phaseReason(pod);
  if (reason !== 'Completed' || !statuses.some((each) => each.ready && each.state?.running !== undefined))
    return reason;
  return isConditionTrue(pod, 'Ready') ? 'Running' : 'NotReady';
}

function deletionReason(pod: Pod): string | undefined {
  const { phase, reason } = pod.status ?? {};
  if (pod.metadata.deletionTimestamp === undefined) return undefined;
  if (reason === 'NodeLost') return 'Unknown';
  return phase === 'Succeeded' || phase === 'Failed' ? undefined : 'Terminating';
}

function summarise(pod: Pod): Summary {
  const sidecars = sidecarNames(pod);
  const progress = initProgress(pod, sidecars);
  const inits = pod.status?.initContainerStatuses ?? [];
  const statuses = pod.status?.containerStatuses ?? [];
  const total = pod.spec.containers.length + sidecars.size;
  if (progress.reason !== undefined && !isConditionTrue(pod, 'Initialized')) {
    const reason = deletionReason(pod) ?? progress.reason;
    return { ready: progress.readySidecars, total, reason, ...restartsOf(inits) };
  }
  const counted = [...inits.filter((each) => sidecars.has(each.name)), ...statuses];
  const running = statuses.filter((each) => each.ready && each.state?.running !== undefined);
  const reason = deletionReason(pod) ?? runReason(pod, statuses);
  return { ready: progress.readySidecars + running.length, total, reason, ...restartsOf(counted) };
}

function formatReady(pod: Pod): string {
  const { ready, total } = summarise(pod);
  return `${ready}/${total}`;
}

function formatRestarts(pod: Pod, now: number): string {
  const { restarts, lastRestart } = summarise(pod);
  return restarts === 0 || lastRestart === undefined ? `${restarts}` : `${restarts} (${ageOf(lastRestart, now)} ago)`;
}

function formatGates(pod: Pod): string {
  const gates = pod.spec.readinessGates ?? [];
  if (gates.length === 0) return '<none>';
  return `${gates.filter((gate) => isConditionTrue(pod, gate.conditionType)).length}/${gates.length}`;
}

/** What the Status column says: `Running`, `CrashLoopBackOff`, `Init:0/1`, `Terminating` and so on. */
export function podStatusText(pod: Pod): string {
  return summarise(pod).reason;
}

/** How `kubectl get pods` shows a Pod. */
export const podColumns: readonly Column<Pod>[] = [
  nameColumn,
  { name: 'Ready', type: 'string', doc: 'Ready containers of all.', cell: formatReady },
  { name: 'Status', type: 'string', doc: 'What it is doing, or why it is not.', cell: podStatusText },
  { name: 'Restarts', type: 'string', doc: 'How often containers were started again.', cell: formatRestarts },
  ageColumn,
  {
    name: 'IP',
    type: 'string',
    priority: 1,
    cell: ({ status }) => status?.podIPs?.[0]?.ip ?? status?.podIP ?? '<none>',
  },
  { name: 'Node', type: 'string', priority: 1, cell: ({ spec }) => spec.nodeName ?? '<none>' },
  { name: 'Nominated Node', type: 'string', priority: 1, cell: ({ status }) => status?.nominatedNodeName ?? '<none>' },
  { name: 'Readiness Gates', type: 'string', priority: 1, cell: formatGates },
];
