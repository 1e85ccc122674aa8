import { readFileSync } from 'node:fs';
import { arch, cpus, release, totalmem } from 'node:os';
import { formatTime } from '../../api/times.ts';
import type { Node } from '../../api/core/node.ts';
import type { NodeCondition, NodeStatus } from '../../api/core/node-status.ts';

/** What a node says of itself. */
export interface NodeFacts {
  readonly name: string;
  readonly ip: string;
  readonly podCidr: string;
  readonly agentPort: number;
  readonly runtime: string;
  readonly version: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly machineId: string;
  readonly bootId: string;
  readonly kernel: string;
  readonly osImage: string;
  readonly architecture: string;
}

/** As many Pods as a node may run when nothing else limits it. */
const mostPods = 110;

/** Reads what the machine says of itself. */
export function readMachine(): Pick<
  NodeFacts,
  'cpus' | 'memoryBytes' | 'machineId' | 'bootId' | 'kernel' | 'osImage' | 'architecture'
> {
  return {
    cpus: cpus().length,
    memoryBytes: totalmem(),
    machineId: firstLine('/etc/machine-id'),
    bootId: firstLine('/proc/sys/kernel/random/boot_id'),
    kernel: release(),
    osImage: /^PRETTY_NAME="?([^"\n]*)/m.exec(text('/etc/os-release'))?.[1] ?? process.platform,
    architecture: architectures.get(arch()) ?? arch(),
  };
}

/** Go's names, which Kubernetes uses, of Node's architectures. */
const architectures = new Map([
  ['x64', 'amd64'],
  ['ia32', '386'],
]);

function firstLine(path: string): string {
  return text(path).split('\n')[0] ?? '';
}

function text(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Labels that every node has. */
export function nodeLabels({ name, architecture }: NodeFacts): Readonly<Record<string, string>> {
  return {
    'beta.kubernetes.io/arch': architecture,
    'beta.kubernetes.io/os': 'linux',
    'kubernetes.io/arch': architecture,
    'kubernetes.io/hostname': name,
    'kubernetes.io/os': 'linux',
  };
}

/** The Node object, keeping what others have put into `current`. */
export function nodeObject(facts: NodeFacts, current: Node | undefined): Node {
  return {
    ...current,
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      ...current?.metadata,
      name: facts.name,
      labels: { ...current?.metadata.labels, ...nodeLabels(facts) },
    },
    spec: { ...current?.spec, podCIDR: facts.podCidr, podCIDRs: [facts.podCidr] },
  };
}

/** The status of the node. Conditions whose status did not change keep their transition time. */
export function nodeStatus(facts: NodeFacts, current: Node | undefined, isReady: boolean, nowMs: number): NodeStatus {
  const amounts = {
    cpu: String(facts.cpus),
    memory: `${Math.floor(facts.memoryBytes / 1024)}Ki`,
    pods: String(mostPods),
  };
  return {
    ...current?.status,
    capacity: amounts,
    allocatable: amounts,
    conditions: nodeConditions(current?.status?.conditions ?? [], isReady, nowMs),
    addresses: [
      { type: 'InternalIP', address: facts.ip },
      { type: 'Hostname', address: facts.name },
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: facts.agentPort } },
    nodeInfo: {
      machineID: facts.machineId,
      systemUUID: facts.machineId,
      bootID: facts.bootId,
      kernelVersion: facts.kernel,
      osImage: facts.osImage,
      containerRuntimeVersion: `fairlead-${facts.runtime}://${facts.version}`,
      kubeletVersion: facts.version,
      kubeProxyVersion: facts.version,
      operatingSystem: 'linux',
      architecture: facts.architecture,
    },
  };
}

function nodeConditions(old: readonly NodeCondition[], isReady: boolean, nowMs: number): readonly NodeCondition[] {
  const wanted = [
    ['MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'the agent does not watch for memory pressure'],
    ['DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'the agent does not watch for disk pressure'],
    ['PIDPressure', 'False', 'KubeletHasSufficientPID', 'the agent does not watch for process ids running out'],
    ['Ready', isReady ? 'True' : 'False', isReady ? 'KubeletReady' : 'KubeletNotReady', 'the agent is running'],
  ] as const;
  const time = formatTime(nowMs);
  const own = wanted.map(([type, status, reason, message]) => {
    const before = old.find((each) => each.type === type);
    const lastTransitionTime = before?.status === status ? before.lastTransitionTime : time;
    return { type, status, lastHeartbeatTime: time, lastTransitionTime, reason, message };
  });
  const types = new Set<string>(own.map(({ type }) => type));
  return [...old.filter(({ type }) => !types.has(type)), ...own];
}
