import { bool, int32, int64, list, map, message, object, string } from '../../declare.ts';
import type { Infer } from '../../schema.ts';
import { LocalObjectReference } from '../references.ts';
import { Container, EphemeralContainer } from './container.ts';
import { ResourceRequirements } from './resources.ts';
import { Affinity, Toleration, TopologySpreadConstraint } from './scheduling.ts';
import { PodSecurityContext } from './security.ts';
import { Volume } from './volumes.ts';

/** What a Pod runs, and where. */

export const HostAlias = message(
  'core.v1.HostAlias',
  {
    ip: string(1, { doc: 'The address.', required: true }),
    hostnames: list(2, 'string', { doc: 'Its names.' }),
  },
  { doc: 'A line of the hosts file.' },
);
export type HostAlias = Infer<typeof HostAlias>;

export const PodDNSConfigOption = message(
  'core.v1.PodDNSConfigOption',
  {
    name: string(1),
    value: string(2, { pointer: true }),
  },
  { doc: 'A resolver option.' },
);
export type PodDNSConfigOption = Infer<typeof PodDNSConfigOption>;

export const PodDNSConfig = message(
  'core.v1.PodDNSConfig',
  {
    nameservers: list(1, 'string', { doc: 'Further name servers, at most three in all.' }),
    searches: list(2, 'string', { doc: 'Further search domains.' }),
    options: list(3, PodDNSConfigOption, { doc: 'Further resolver options.' }),
  },
  { doc: 'DNS settings.' },
);
export type PodDNSConfig = Infer<typeof PodDNSConfig>;

export const PodReadinessGate = message(
  'core.v1.PodReadinessGate',
  {
    conditionType: string(1, { doc: 'The type of the condition.', required: true }),
  },
  { doc: 'A condition that counts for readiness.' },
);
export type PodReadinessGate = Infer<typeof PodReadinessGate>;

export const PodOS = message(
  'core.v1.PodOS',
  {
    name: string(1, { required: true }),
  },
  { doc: 'The operating system that a Pod needs.' },
);
export type PodOS = Infer<typeof PodOS>;

export const PodSchedulingGate = message(
  'core.v1.PodSchedulingGate',
  {
    name: string(1, { required: true }),
  },
  { doc: 'Keeps a Pod from being placed.' },
);
export type PodSchedulingGate = Infer<typeof PodSchedulingGate>;

export const PodResourceClaim = message(
  'core.v1.PodResourceClaim',
  {
    name: string(1, { required: true }),
    resourceClaimName: string(3, { pointer: true }),
    resourceClaimTemplateName: string(4, { pointer: true }),
  },
  { doc: 'Where a claim on a device comes from.' },
);
export type PodResourceClaim = Infer<typeof PodResourceClaim>;

export const PodSchedulingGroup = message(
  'core.v1.PodSchedulingGroup',
  {
    podGroupName: string(1, { pointer: true }),
  },
  { doc: 'Pods that are placed together.' },
);
export type PodSchedulingGroup = Infer<typeof PodSchedulingGroup>;

export const PodSpec = message(
  'core.v1.PodSpec',
  {
    volumes: list(1, Volume, {
      doc: 'Storage that the containers may mount.',
      mergeKey: 'name',
      strategy: 'merge,retainKeys',
      listType: 'map',
      mapKeys: ['name'],
    }),
    initContainers: list(20, Container, {
      doc: 'Containers that run one after the other before the others start. With `restartPolicy: Always` one keeps running beside them.',
      mergeKey: 'name',
      listType: 'map',
      mapKeys: ['name'],
    }),
    containers: list(2, Container, {
      doc: 'The containers. They cannot be added or removed later.',
      required: true,
      mergeKey: 'name',
      listType: 'map',
      mapKeys: ['name'],
    }),
    ephemeralContainers: list(34, EphemeralContainer, {
      doc: 'Containers added later for debugging.',
      mergeKey: 'name',
      listType: 'map',
      mapKeys: ['name'],
    }),
    restartPolicy: string(3, {
      doc: 'Whether containers that end are started again.',
      default: 'Always',
      values: ['Always', 'OnFailure', 'Never'],
    }),
    terminationGracePeriodSeconds: int64(4, {
      doc: 'Time between being asked to stop and being killed, in seconds.',
      pointer: true,
      default: 30,
    }),
    activeDeadlineSeconds: int64(5, { doc: 'How long the Pod may run at all.', pointer: true }),
    dnsPolicy: string(6, {
      doc: 'Which name servers the containers use.',
      default: 'ClusterFirst',
      values: ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'],
    }),
    nodeSelector: map(7, 'string', { doc: 'Labels that the node must have.', mapType: 'atomic' }),
    serviceAccountName: string(8, { doc: 'The ServiceAccount that the containers act as.' }),
    serviceAccount: string(9, { doc: 'Older name of `serviceAccountName`.' }),
    automountServiceAccountToken: bool(21, {
      doc: 'Whether the containers find a token of the ServiceAccount.',
      pointer: true,
    }),
    nodeName: string(10, { doc: 'The node it runs on. Set when it is placed.' }),
    hostNetwork: bool(11, { doc: 'Use the network of the node.' }),
    hostPID: bool(12, { doc: 'See the processes of the node.' }),
    hostIPC: bool(13, { doc: 'Use the IPC of the node.' }),
    shareProcessNamespace: bool(27, { doc: 'Containers see the processes of each other.', pointer: true }),
    securityContext: object(14, PodSecurityContext, { doc: 'Privileges of all containers.' }),
    imagePullSecrets: list(15, LocalObjectReference, {
      doc: 'Secrets to fetch images with.',
      mergeKey: 'name',
      listType: 'map',
      mapKeys: ['name'],
    }),
    hostname: string(16, { doc: 'Its host name; the name of the Pod by default.' }),
    subdomain: string(17, { doc: 'With it, the Pod gets a name below the headless Service of that name.' }),
    affinity: object(18, Affinity, { doc: 'Rules about which nodes and neighbours it likes.' }),
    schedulerName: string(19, { doc: 'Who places it.', default: 'default-scheduler' }),
    tolerations: list(22, Toleration, { doc: 'Taints of nodes that it puts up with.' }),
    hostAliases: list(23, HostAlias, {
      doc: 'Further lines of its hosts file.',
      mergeKey: 'ip',
      listType: 'map',
      mapKeys: ['ip'],
    }),
    priorityClassName: string(24, { doc: 'How important it is, by name.' }),
    priority: int32(25, { doc: 'How important it is, as a number.', pointer: true }),
    dnsConfig: object(26, PodDNSConfig, { doc: 'DNS settings on top of the policy.' }),
    readinessGates: list(28, PodReadinessGate, { doc: 'Conditions that have to be true as well for it to be ready.' }),
    runtimeClassName: string(29, { doc: 'The runtime that runs it.', pointer: true }),
    enableServiceLinks: bool(30, {
      doc: 'Whether containers get environment variables about Services.',
      pointer: true,
    }),
    preemptionPolicy: string(31, {
      doc: 'Whether it may push out others.',
      pointer: true,
      values: ['PreemptLowerPriority', 'Never'],
    }),
    overhead: map(32, 'quantity', { doc: 'What the runtime itself needs.' }),
    topologySpreadConstraints: list(33, TopologySpreadConstraint, {
      doc: 'How to spread such Pods over nodes and zones.',
      mergeKey: 'topologyKey',
      listType: 'map',
      mapKeys: ['topologyKey', 'whenUnsatisfiable'],
    }),
    setHostnameAsFQDN: bool(35, { doc: 'The host name is the full name.', pointer: true }),
    os: object(36, PodOS, { doc: 'The operating system it needs.' }),
    hostUsers: bool(37, { doc: 'Use the user ids of the node.', pointer: true }),
    schedulingGates: list(38, PodSchedulingGate, {
      doc: 'It is not placed while there are any.',
      mergeKey: 'name',
      listType: 'map',
      mapKeys: ['name'],
    }),
    resourceClaims: list(39, PodResourceClaim, {
      doc: 'Devices that it claims.',
      mergeKey: 'name',
      strategy: 'merge,retainKeys',
      listType: 'map',
      mapKeys: ['name'],
    }),
    resources: object(40, ResourceRequirements, { doc: 'What the Pod as a whole needs.' }),
    hostnameOverride: string(41, { doc: 'A host name that has nothing to do with its name.', pointer: true }),
    schedulingGroup: object(43, PodSchedulingGroup),
  },
  { doc: 'What to run, and where.' },
);
export type PodSpec = Infer<typeof PodSpec>;
